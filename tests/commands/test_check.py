"""`ghostcp check` on real files, databases and inventories."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from commands.administrator import ensure_administrator
from commands.inspection import gather
from reconciler.lease import Contender
from state.database import Database
from state.journal.tables import events
from state.keys import keyring, rotate
from state.settings import Settings, settings
from tests.commands.conftest import Ended, Run


@pytest.fixture(autouse=True)
def _settings_are_read_again() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A folder with keys in it, as everything makes them."""
    folder = tmp_path / "var"
    folder.mkdir(mode=0o700)
    keyring(folder, "tokens")
    return folder


@pytest.fixture
def ready(database: Database, var: Path) -> Database:
    ensure_administrator(database, var)
    return database


def _check(run: Run, var: Path, database: Database | str, *options: str, **more: str) -> Ended:
    url = database if isinstance(database, str) else database.url
    return run("check", *options, GHOSTCP_VAR=str(var), GHOSTCP_DATABASE_URL=url, **more)


def _found(ended: Ended) -> dict[str, dict[str, Any]]:
    return {
        each["subject"]: each for each in json.loads(ended.out)["findings"] if each["severity"] != "advice"
    }


def test_what_was_set_up_as_the_manual_says_is_safe(run: Run, var: Path, ready: Database) -> None:
    ended = _check(run, var, ready)
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "The configuration is safe.")


def test_what_is_unsafe_is_a_table_and_a_status(run: Run, var: Path, ready: Database) -> None:
    (var / "keys" / "tokens").chmod(0o644)
    ended = _check(run, var, ready)
    assert ended.status == 1
    assert "others may read it" in ended.out
    assert ended.out.splitlines()[-1] == "The configuration is not safe."


def test_a_rotation_leaves_nothing_unsafe(run: Run, var: Path, ready: Database) -> None:
    before = _check(run, var, ready).out
    mask = os.umask(0o022)
    rotate(var, "tokens")
    os.umask(mask)
    assert (var / "keys" / ".lock").stat().st_mode & 0o777 == 0o600
    (var / "keys" / ".lock").chmod(0o644)
    assert _check(run, var, ready).out == before


def test_programs_read_it_as_json(run: Run, var: Path, ready: Database) -> None:
    (var / "admin-password").chmod(0o604)
    ended = _check(run, var, ready, "--format", "json")
    assert json.loads(ended.out)["safe"] is False
    assert list(_found(ended)) == [str(var / "admin-password")]


def test_a_database_that_is_not_ready(run: Run, var: Path, database: Database) -> None:
    ended = _check(run, var, database, "--format", "json")
    assert "no administrator" in _found(ended)["database"]["message"]
    database.migrate("-1")
    settings.cache_clear()
    ended = _check(run, var, database, "--format", "json")
    assert "older" in _found(ended)["database"]["message"]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ghost:hunter2@127.0.0.1:1/x",
        "oracle://ghost:hunter2@localhost/x",
        "hunter2",
        "sqlite:////nowhere/at/all.db",
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(run: Run, var: Path, url: str) -> None:
    ended = _check(run, var, url, "--format", "json")
    assert ended.status == 1
    assert "GHOSTCP_DATABASE_URL" in _found(ended)
    assert "hunter2" not in ended.out + ended.err


def test_nothing_is_made_by_looking(run: Run, tmp_path: Path) -> None:
    var = tmp_path / "none"
    ended = run("check", "--format", "json", GHOSTCP_VAR=str(var))
    assert "migrate" in _found(ended)["GHOSTCP_DATABASE_URL"]["message"]
    assert not var.exists()


def test_the_mode_of_the_database_is_that_before_it_was_opened(run: Run, var: Path, sqlite: Database) -> None:
    ensure_administrator(sqlite, var)
    path = Path(str(sqlite.engine.url.database))
    path.chmod(0o644)
    assert str(path) in _found(_check(run, var, sqlite, "--format", "json"))


def test_who_works_from_where_and_when_is_seen(ready: Database, var: Path) -> None:
    there = datetime.now(UTC) + timedelta(hours=1)
    assert Contender(ready, holder="there/boot/1/1").take("web1") is not None
    with ready.writing() as connection:
        row = {"event": "x", "owner": "", "manager": "", "data": {}, "at": there}
        connection.execute(insert(events).values(**row))
    store = gather(Settings(var=var, database_url=ready.url)).store
    assert (store.machines, store.latest) == (frozenset({"there"}), there)


def test_templates_that_others_may_write(run: Run, var: Path, ready: Database, tmp_path: Path) -> None:
    template = tmp_path / "mine" / "nginx" / "x.conf.j2"
    template.parent.mkdir(parents=True)
    template.touch()
    template.chmod(0o666)
    ended = _check(run, var, ready, "--format", "json", GHOSTCP_TEMPLATES=str(tmp_path / "mine"))
    assert list(_found(ended)) == [str(template)]


def test_an_inventory_that_cannot_be_read(run: Run, var: Path, ready: Database, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.yml"
    inventory.write_text("ghostcp_hosts: {hosts: {}}\n")
    ended = _check(run, var, ready, "--format", "json", GHOSTCP_INVENTORY=str(inventory))
    assert "no host in the group" in _found(ended)["GHOSTCP_INVENTORY"]["message"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("}", "cannot be used: line 1: is not YAML"),
        ("house: {directory: https://h.example, roots: /nowhere}", "house: roots: /nowhere cannot be read"),
        ("house: {directory: https://h.example, kid: k, hmac: S3CRET!}", "house: hmac: it is no base64url"),
        (
            "house: {directory: https://h.example}\nhouse: {directory: https://i.example}",
            "house: line 2: is given twice, first in line 1",
        ),
        ("house: " + "[" * 100_000, "cannot be used: line 1: is nested more than 50 levels deep"),
        ("house: {directory: https://h.example, kid: k}", "house: there is kid without hmac"),
    ],
)
def test_authorities_that_cannot_be_used(
    run: Run, var: Path, ready: Database, tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "authorities.yaml"
    path.write_text(text)
    path.chmod(0o600)
    ended = _check(run, var, ready, "--format", "json", GHOSTCP_AUTHORITIES=str(path))
    assert ended.status == 1
    assert words in _found(ended)["GHOSTCP_AUTHORITIES"]["message"]
    assert "S3CRET" not in ended.out


def test_a_file_with_the_secrets_of_accounts_at_authorities_is_for_nobody_else(
    run: Run, var: Path, ready: Database, tmp_path: Path
) -> None:
    path = tmp_path / "authorities.yaml"
    path.write_text("house: {directory: https://h.example}")
    path.chmod(0o644)
    assert _check(run, var, ready, GHOSTCP_AUTHORITIES=str(path)).status == 0
    path.write_text("house: {directory: https://h.example, kid: k, hmac: c2VjcmV0}\n")
    ended = _check(run, var, ready, "--format", "json", GHOSTCP_AUTHORITIES=str(path))
    assert "others may read it" in _found(ended)[str(path)]["message"]


def test_a_file_of_authorities_that_is_not_there(
    run: Run, var: Path, ready: Database, tmp_path: Path
) -> None:
    missing = _check(run, var, ready, "--format", "json", GHOSTCP_AUTHORITIES=str(tmp_path / "none"))
    assert "No such file" in _found(missing)["GHOSTCP_AUTHORITIES"]["message"]


def test_the_password_in_the_environment_is_measured_and_not_shown(
    run: Run, var: Path, ready: Database
) -> None:
    ended = _check(run, var, ready, "--format", "json", GHOSTCP_ADMIN_PASSWORD="hunter2")
    assert "GHOSTCP_ADMIN_PASSWORD" in _found(ended)
    assert "hunter2" not in ended.out


def test_files_of_others_are_found(var: Path, ready: Database) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives files away")
    os.chown(var / "keys" / "tokens", 12345, 12345)
    owners = {file.path: file.owner for file in gather(Settings(var=var, database_url=ready.url)).files}
    assert owners[str(var / "keys" / "tokens")] == 12345
