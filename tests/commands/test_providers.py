"""Setting up external DNS providers on the machine: nothing that is told of them is shown again."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from state import reading, store
from state.database import Database
from state.journal.tables import audit
from state.kinds import KINDS
from state.settings import settings
from state.statuses import settle
from state.targets import list_hosts
from state.zones.providers import grants, options_of
from tests.commands.conftest import Run

CANARY = "canary-11c9"
POWERDNS = f"host: 192.0.2.53\napi_key: {CANARY}\n"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """An installation that commands find."""
    monkeypatch.setenv("GHOSTCP_VAR", str(tmp_path))
    settings.cache_clear()
    made = Database(settings().database)
    made.migrate()
    yield made
    made.close()
    settings.cache_clear()


def _file(folder: Path, text: str) -> Path:
    path = folder / "options.yaml"
    path.write_text(text)
    return path


def test_one_is_set_up_from_octodns_own_options_and_forgotten(
    run: Run, database: Database, tmp_path: Path
) -> None:
    ended = run("providers", "set", "powerdns", _file(tmp_path, POWERDNS))
    assert (ended.status, ended.err) == (0, "")
    with database.reading() as connection:
        options = options_of(connection, tmp_path, "powerdns")
        entry = connection.execute(select(audit)).mappings().one()
    assert options == {"class": "octodns_powerdns.PowerDnsProvider", "host": "192.0.2.53", "api_key": CANARY}
    assert entry["action"] == "ghostcp providers set"
    listed = run("providers", "list")
    assert "octodns_powerdns.PowerDnsProvider" in listed.out
    assert CANARY not in ended.out + listed.out + str(dict(entry))
    assert run("providers", "remove", "powerdns").status == 0
    assert run("providers", "remove", "powerdns").err == "no DNS provider 'powerdns' is set up\n"


def test_a_zone_that_is_there_already_is_taken_over_by_whose_it_is_here(
    run: Run, database: Database, tmp_path: Path
) -> None:
    run("providers", "set", "powerdns", _file(tmp_path, POWERDNS))
    assert (
        "no zone 'example.com' has the provider" in run("providers", "adopt", "powerdns", "example.com").err
    )
    with database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.1"})
        store.create(connection, KINDS["Package"], "default", "", {}, actor="test")
        store.create(connection, KINDS["User"], "anna", "", {"email": "a@example.com"}, actor="test")
        values = {"dns_provider": "powerdns"}
        zone = store.create(connection, KINDS["DnsZone"], "example.com", "anna", values, actor="test")
        settle(connection, [zone])
    ended = run("providers", "adopt", "powerdns", "example.com")
    assert (ended.status, ended.out) == (0, "example.com at powerdns is anna's now.\n")
    with database.reading() as connection:
        assert grants(connection, "powerdns")["example.com"].owner == "anna"
        assert [d.uid for d in reading.pending(connection, zone.target)] == [zone.uid]


def test_options_may_come_from_standard_input(
    run: Run, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f"class: octodns_cloudflare.CloudflareProvider\ntoken: {CANARY}"
    monkeypatch.setattr("sys.stdin", StringIO(text))
    assert run("providers", "set", "cf").status == 0
    with database.reading() as connection:
        assert options_of(connection, tmp_path, "cf")["token"] == CANARY


def test_what_octodns_takes_from_its_environment_is_taken_once(
    run: Run, database: Database, tmp_path: Path
) -> None:
    text = "host: env/PDNS_HOST/192.0.2.53\napi_key: env/PDNS_KEY\nport: 8082\n"
    assert (
        "the variable PDNS_KEY is not set" in run("providers", "set", "powerdns", _file(tmp_path, text)).err
    )
    assert run("providers", "set", "powerdns", _file(tmp_path, text), PDNS_KEY=CANARY).status == 0
    with database.reading() as connection:
        options = options_of(connection, tmp_path, "powerdns")
    assert (options["host"], options["api_key"], options["port"]) == ("192.0.2.53", CANARY, 8082)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("other", POWERDNS, "say `class:`"),
        ("powerdns", "- a list", "a mapping of options is needed"),
        ("powerdns", "1: 2", "a mapping of options is needed"),
        ("powerdns", f"api_key: [{CANARY}", "is no YAML"),
        ("local", f"class: octodns_powerdns.PowerDnsProvider\n{POWERDNS}", "is BIND on the hosts"),
        ("-x/y", f"class: octodns_powerdns.PowerDnsProvider\n{POWERDNS}", "a name has up to 64"),
        ("powerdns", f"{POWERDNS}mode_of_operation: {CANARY}", "cannot be used"),
        ("powerdns", f"{POWERDNS}class: octodns.zone.Zone", "is no provider"),
        ("powerdns", f"{POWERDNS}class: nowhere", "cannot be used"),
    ],
)
def test_what_cannot_be_set_up_is_refused_without_telling_what_was_told(
    run: Run, database: Database, tmp_path: Path, name: str, text: str, told: Any
) -> None:
    ended = run("providers", "set", "--", name, _file(tmp_path, text))
    assert ended.status == 1
    assert told in ended.err
    assert CANARY not in ended.out + ended.err


def test_a_file_that_is_not_there_is_named(run: Run, database: Database, tmp_path: Path) -> None:
    assert "cannot be read" in run("providers", "set", "powerdns", tmp_path / "nothing.yaml").err
