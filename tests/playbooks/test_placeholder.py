"""The certificate of sites that have none yet: that it can be used is seen by using it, and it is made by a script."""

import shutil
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from playbooks.module_utils.ghostcp import host as hands
from playbooks.module_utils.ghostcp import placeholder
from playbooks.module_utils.ghostcp.host import Host
from state import resource
from tests.playbooks.calls import config, look, make, send, statuses
from tests.playbooks.conftest import no_daemons
from tests.playbooks.remote import change

KEY = resource.PLACEHOLDER
GIVEN = Path(placeholder.__file__).parents[2] / "roles/nginx/files"
USABLE = {"usable": True}


def _run(argv: Sequence[str], timeout: float) -> tuple[int, str]:
    return hands.run(argv, timeout) if argv[0] == "sh" else no_daemons(argv, timeout)


@pytest.fixture
def prepared(host: Host) -> Host:
    """The host as its bootstrap leaves it, but that nothing was made yet."""
    script = Path(host.path(placeholder.SCRIPT))
    script.parent.mkdir(parents=True)
    shutil.copy(f"{GIVEN}{placeholder.SCRIPT}", script)
    return replace(host, run=_run)


def _files(host: Host) -> list[Path]:
    return [Path(host.path(f"/etc/ghostcp/placeholder.{ending}")) for ending in ("crt", "key")]


def test_it_is_made_where_there_is_none_and_only_root_reads_the_key(prepared: Host) -> None:
    assert look(prepared, KEY) == {KEY: None}
    assert statuses(make(prepared, resource.placeholder())) == {KEY: "applied"}
    assert look(prepared, KEY) == {KEY: USABLE}
    assert [stat.S_IMODE(file.stat().st_mode) for file in _files(prepared)] == [0o644, 0o600]
    names = {path.name for path in _files(prepared)[0].parent.iterdir()}
    assert names >= {"placeholder.crt", "placeholder.key"}
    assert not {name for name in names if name.startswith(".placeholder")}


@pytest.mark.parametrize("lost", [0, 1])
def test_one_whose_certificate_or_key_is_gone_or_of_another_pair_cannot_be_used(
    prepared: Host, lost: int
) -> None:
    make(prepared, resource.placeholder())
    file = _files(prepared)[lost]
    other = file.read_text()
    file.unlink()
    assert look(prepared, KEY) == {KEY: {"usable": False}}
    assert make(prepared, resource.placeholder())["observed"] == {KEY: USABLE}
    file.write_text(other)
    assert look(prepared, KEY) == {KEY: {"usable": False}}
    assert make(prepared, resource.placeholder())["observed"] == {KEY: USABLE}


@pytest.mark.parametrize("text", ["", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n", "\0" * 9])
def test_what_is_no_key_cannot_be_used(prepared: Host, text: str) -> None:
    make(prepared, resource.placeholder())
    _files(prepared)[1].write_text(text)
    assert look(prepared, KEY) == {KEY: {"usable": False}}
    script = prepared.path(placeholder.SCRIPT)
    assert hands.run(["sh", script, prepared.path("/etc/ghostcp")], 60) == (0, "made\n")
    assert look(prepared, KEY) == {KEY: USABLE}


def test_one_that_can_be_used_is_left_as_it_is_when_the_web_server_starts(prepared: Host) -> None:
    make(prepared, resource.placeholder())
    before = [file.read_bytes() for file in _files(prepared)]
    script = prepared.path(placeholder.SCRIPT)
    assert hands.run(["sh", script, prepared.path("/etc/ghostcp")], 60) == (0, "")
    assert [file.read_bytes() for file in _files(prepared)] == before


def test_it_is_there_before_configurations_are_judged_though_nobody_asked_for_it(prepared: Host) -> None:
    wanted = config("a.conf")
    sent = change(wanted, look(prepared, wanted.key)[wanted.key])
    assert statuses(send(prepared, sent, services=["nginx"]))[wanted.key] == "applied"
    assert look(prepared, KEY) == {KEY: USABLE}


def test_a_dry_run_makes_none(prepared: Host) -> None:
    wanted = config("a.conf")
    sent = change(wanted, look(prepared, wanted.key)[wanted.key])
    send(prepared, sent, validate_only=True)
    assert look(prepared, KEY) == {KEY: None}


def test_a_host_that_lacks_the_script_is_to_be_prepared_anew(host: Host) -> None:
    result = make(host, resource.placeholder())["results"][KEY]
    assert result == {
        "status": "failed",
        "message": f"{placeholder.SCRIPT} is missing: prepare the host anew",
    }


def test_why_it_cannot_be_made_is_told(prepared: Host) -> None:
    _files(prepared)[0].mkdir()
    result = make(prepared, resource.placeholder())["results"][KEY]
    assert result["status"] == "failed"
    assert result["message"].startswith("no certificate could be made: mv:")
