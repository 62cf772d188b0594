"""The hands' part of copies and journals that needs no BIND."""

import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from playbooks.module_utils.ghostcp import apply, bind, copies, journals, soa
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.soa import Start
from playbooks.module_utils.ghostcp.wire import APPLIED, Change

A, B = "a.test@192.0.2.1", "b.test@2001:db8::1"
Serials = Mapping[str, Mapping[str, "int | str | None"]]


def _served(monkeypatch: pytest.MonkeyPatch, serials: Serials) -> None:
    """Name servers by address that have these serials; others do not answer."""

    def answer(zones: Sequence[str], server: str = "127.0.0.1") -> Mapping[str, Start]:
        known = serials.get(server)
        return {} if known is None else {zone: _start(known.get(zone)) for zone in zones}

    monkeypatch.setattr(soa, "starts", answer)


def _start(said: "int | str | None") -> Start:
    """A serial, behind which the letter of its signature may stand."""
    if not isinstance(said, str):
        return Start(said)
    return Start(int(said[:-1]), frozenset({1}), frozenset({said[-1:].encode()}))


@pytest.mark.parametrize(
    ("here", "there", "words"),
    [
        (5, 5, ""),
        (4, 5, "serial 4 is served here, and 5 at 192.0.2.1"),
        (6, 5, "serial 6 is served here, and 5 at 192.0.2.1"),
        (5, None, ""),
        (None, None, "serial none is served here, and none at 192.0.2.1"),
        (None, 5, "serial none is served here, and 5 at 192.0.2.1"),
        ("5a", "5a", ""),
        ("5a", "5b", "serial 5 is served here, and 5 with other signatures at 192.0.2.1"),
        (5, "5a", "serial 5 is served here, and 5 with other signatures at 192.0.2.1"),
        ("5a", None, ""),
    ],
)
def test_a_copy_is_current_when_both_serve_one_serial_with_one_signature(
    monkeypatch: pytest.MonkeyPatch,
    host: Host,
    here: "int | str | None",
    there: "int | str | None",
    words: str,
) -> None:
    _served(monkeypatch, {"127.0.0.1": {"a.test": here}, "192.0.2.1": {"a.test": there}})
    assert copies.behind([A]) == ({A: words} if words else {})
    assert copies.observe(host, [A]) == {A: None if words else {"current": True}}


def test_a_copy_whose_primary_is_silent_is_current_while_it_is_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _served(monkeypatch, {"127.0.0.1": {"a.test": 5}})
    said = copies.behind([A, B])
    assert said == {B: "serial none is served here, and no answer at 2001:db8::1"}


def test_of_many_copies_each_is_asked_for_in_its_turn(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    monkeypatch.setattr(copies, "AT_ONCE", 1)
    here: dict[str, int | str | None] = {"a.test": 5, "b.test": 5}
    _served(monkeypatch, {"127.0.0.1": here})
    right = {key: {"current": True} for key in (A, B)}
    assert copies.observe(host, [A, B]) == right
    here["b.test"] = None
    found = [copies.observe(host, [A, B])[B] for _ in range(3)]
    assert found[-1] is None
    assert copies.observe(host, [A])[A] == {"current": True}


@pytest.mark.parametrize("name", ["a.test", "a.test@evil;", "@192.0.2.1", "-a@b c@192.0.2.1"])
def test_what_is_no_name_of_a_copy_is_asked_of_nobody(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    _served(monkeypatch, {})
    assert copies.behind([name]) == {name: "is no copy of a zone"}


def _change(name: str, action: str = "create", **more: object) -> Change:
    return Change(action, f"copy:{name}", attributes={"current": True}, **more)


def test_a_copy_that_does_not_come_by_itself_is_fetched_and_one_that_never_comes_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(copies, "PATIENCE", 0.0)
    monkeypatch.setattr(copies, "SECONDS", 0.3)
    served: dict[str, dict[str, int | str | None]] = {
        "127.0.0.1": {"a.test": 4, "b.test": 4},
        "192.0.2.1": {"a.test": 5},
        "2001:db8::1": {"b.test": 5},
    }
    ran = []

    def run(argv: Sequence[str], _: float) -> tuple[int, str]:
        ran.append(tuple(argv))
        served["127.0.0.1"]["a.test"] = 5
        return 0, ""

    _served(monkeypatch, served)
    found = copies.apply(
        Host("/nowhere", run), [_change(A), _change(B), _change("c.test@192.0.2.1", "delete")]
    )
    assert found[f"copy:{A}"] == found["copy:c.test@192.0.2.1"] == APPLIED
    assert (found[f"copy:{B}"].status, found[f"copy:{B}"].message) == (
        "failed",
        "serial 4 is served here, and 5 at 2001:db8::1",
    )
    assert ran == [("rndc", "reconfig"), ("rndc", "retransfer", "a.test"), ("rndc", "retransfer", "b.test")]


def test_a_copy_comes_after_what_it_requires(monkeypatch: pytest.MonkeyPatch, host: Host) -> None:
    _served(monkeypatch, {"127.0.0.1": {"a.test": 5}, "192.0.2.1": {"a.test": 5}})
    change = {"action": "create", "key": f"copy:{A}", "attributes": {"current": True}}
    request = {"version": 1, "token": 1, "changes": [change], "services": []}
    response = apply.apply(host, request)
    assert response["results"] == {f"copy:{A}": {"status": "applied", "message": ""}}
    assert response["observed"][f"copy:{A}"] == {"current": True}
    required = {"action": "create", "key": "config:nginx/bad.conf", "attributes": {}, "content": "x"}
    request["changes"] = [required, {**change, "requires": ["config:nginx/bad.conf"]}]
    assert apply.apply(host, request)["results"][f"copy:{A}"]["status"] == "skipped"


def test_only_zones_with_journals_that_are_not_ahead_go_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for zone in ("ahead", "same", "behind", "new", "unread"):
        (tmp_path / f"{zone}.conf").write_text("zone { ixfr-from-differences yes; };")
    (tmp_path / "plain.conf").write_text("zone { };")
    _served(monkeypatch, {"127.0.0.1": dict.fromkeys(("ahead", "same", "behind", "plain", "unread"), 5)})
    serials = {"ahead": 6, "same": 5, "behind": 4, "new": 1, "plain": 4, "missing": 4, "unread": None}
    assert journals.gone_back(str(tmp_path), serials.items()) == ["behind", "same", "unread"]
    assert journals.gone_back(str(tmp_path), [("plain", 4)]) == []


def test_what_named_kept_of_a_zone_goes_with_it_and_no_link_is_followed(host: Host, tmp_path: Path) -> None:
    folders = [Path(host.path(folder)) for folder in (journals.JOURNALS, journals.COPIES)]
    for folder in folders:
        folder.mkdir(parents=True)
        for zone in ("a.test", "b.test"):
            (folder / zone).touch()
    (folders[1] / "a.test.jnl").touch()
    journals.forget(host, ["a.test", "none.test"])
    assert sorted(path.name for folder in folders for path in folder.iterdir()) == ["b.test", "b.test"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b.test").touch()
    for path in folders[0].iterdir():
        path.unlink()
    folders[0].rmdir()
    folders[0].symlink_to(elsewhere)
    journals.forget(host, ["b.test"])
    assert [path.name for path in elsewhere.iterdir()] == ["b.test"]


def test_another_key_or_the_end_of_a_copy_is_a_difference(tmp_path: Path) -> None:
    old, new = tmp_path / "1", tmp_path / "2"
    for tree in (old, new):
        (tree / "named/private").mkdir(parents=True)
        (tree / "named/private/a.test.key").write_text("key")
    assert bind.difference(str(old), str(new)) == bind.Difference(options=True)
    (new / "named/private/a.test.key").unlink()
    (new / "named/private/a.test.key").hardlink_to(old / "named/private/a.test.key")
    assert bind.difference(str(old), str(new)) == bind.Difference()
    (old / "named/c.test.conf").write_text("zone")
    assert bind.difference(str(old), str(new)) == bind.Difference(gone=frozenset({"c.test"}), options=True)
    assert bind.difference(str(new), str(old)) == bind.Difference(options=True)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """A name server that never answers; what it was asked."""
    asked: list[bytes] = []
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
        sock.bind(("::1", 0))
        sock.settimeout(0.1)
        monkeypatch.setattr(soa, "PORT", sock.getsockname()[1])
        monkeypatch.setattr(soa, "SECONDS", 0.1)
        stop = threading.Event()

        def hear() -> None:
            while not stop.is_set():
                try:
                    asked.append(sock.recv(512))
                except TimeoutError:
                    continue

        thread = threading.Thread(target=hear)
        thread.start()
        yield asked
        stop.set()
        thread.join()


def test_a_server_that_answers_nothing_is_not_asked_for_thousands(silent: list[bytes]) -> None:
    zones = [f"z{n}.test" for n in range(3 * soa.WINDOW)]
    assert soa.serials(zones, "::1") == {}
    assert len(silent) <= soa.WINDOW
    assert struct.unpack_from("!H", silent[0], 4)[0] == 1
