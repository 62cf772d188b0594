import copy
import fcntl
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.module_utils.ghostcp import accounts, names, passwd
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.passwd import AccountError, Database
from playbooks.module_utils.ghostcp.wire import Change, Outcome, digest_or_none

DAY = 20_000
ALICE = {
    "uid": 10_001,
    "gid": 10_001,
    "comment": "Alice",
    "home": "/home/alice",
    "shell": "/bin/bash",
    "locked": False,
}
lines = st.text(st.characters(exclude_characters="\n", codec="utf-8"))


def empty() -> Database:
    return Database({}, {}, {}, {})


def create(host: Host, *people: dict[str, object], action: str = "create") -> dict[str, Outcome]:
    found = accounts.observe(host, [str(it["name"]) for it in people])
    return accounts.apply(
        host,
        [
            Change(
                action,
                f"account:{it['name']}",
                digest_or_none(found[str(it["name"])]),
                None if action == "delete" else {key: it[key] for key in ALICE},
                stamp="20260101T000000Z",
            )
            for it in people
        ],
    )


@given(st.lists(lines))
def test_no_line_is_lost_or_changed_by_reading_and_writing(rows: list[str]) -> None:
    text = "".join(f"{row}\n" for row in rows)
    assert passwd.render(passwd.parse(text)) == text


@given(st.booleans(), st.booleans())
def test_an_account_is_observed_as_it_was_made(first: bool, second: bool) -> None:
    database = empty()
    for locked in (first, second):
        passwd.put(database, "alice", {**ALICE, "locked": locked}, DAY)
        assert passwd.look(database, "alice", DAY) == {**ALICE, "locked": locked}


def test_making_and_removing_leaves_no_trace() -> None:
    database = empty()
    passwd.put(database, "bob", {**ALICE, "uid": 10_002, "gid": 10_002}, DAY)
    before = copy.deepcopy(database)
    passwd.put(database, "alice", ALICE, DAY)
    database.group["bob"][3] = "alice,carol"
    passwd.remove(database, ["alice"])
    before.group["bob"][3] = "carol"
    assert database == before


def test_locking_keeps_the_password_and_unlocking_gives_it_back() -> None:
    database = empty()
    passwd.put(database, "alice", ALICE, DAY)
    database.shadow["alice"][1] = "$y$hash"
    passwd.put(database, "alice", {**ALICE, "locked": True}, DAY)
    assert database.shadow["alice"][1] == "!$y$hash"
    passwd.put(database, "alice", ALICE, DAY)
    assert database.shadow["alice"][1] == "$y$hash"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("root", {"uid": 0, "gid": 0}),
        ("alice", {"uid": 999, "gid": 999}),
        ("alice", {"gid": 10_002}),
        ("alice", {"comment": "a:b"}),
        ("alice", {"comment": "a\nroot2:x:0:0::/:/bin/sh"}),
        ("alice", {"shell": "/bin/sh\r"}),
        ("alice", {"home": "/home/\0"}),
        ("-rf", {}),
        ("a:b", {}),
        ("a\nb", {}),
        ("alice\n", {}),
        ("../alice", {}),
        ("", {}),
    ],
)
def test_what_could_break_the_files_is_refused(name: str, more: dict[str, object]) -> None:
    with pytest.raises(AccountError):
        passwd.check(empty(), name, {**ALICE, **more})


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("group", "sudo:x:27:root,alice,bob"),
        ("gshadow", "sudo:*::root,alice,bob"),
        ("gshadow", "sudo:*:root,alice,bob:"),
    ],
)
def test_who_was_put_into_another_group_is_found_and_taken_out(host: Host, file: str, line: str) -> None:
    create(host, {**ALICE, "name": "alice"})
    path = Path(host.path(f"/etc/{file}"))
    path.write_text(f"{path.read_text()}{line}\nalicia:x:999:alicia\n")
    assert accounts.observe(host, ["alice"]) == {"alice": {**ALICE, "groups": "sudo"}}
    assert create(host, {**ALICE, "name": "alice"}, action="update")["account:alice"].good
    assert accounts.observe(host, ["alice"]) == {"alice": ALICE}
    assert line.replace(",alice", "") in path.read_text().splitlines()
    assert "alicia:x:999:alicia" in path.read_text()


def test_its_own_group_is_none_of_the_others_of_an_account() -> None:
    database = empty()
    passwd.put(database, "alice", ALICE, DAY)
    database.group["alice"][3] = "alice,www-data"
    passwd.leave(database, ["alice"])
    assert database.group["alice"][3] == "alice,www-data"
    assert passwd.memberships(database, ["alice"]) == {}


def test_the_groups_of_many_accounts_are_found_in_one_pass() -> None:
    database = empty()
    for n in range(20_000):
        passwd.put(database, f"t{n}", {**ALICE, "uid": n, "gid": n}, DAY)
    database.group["wheel"] = ["wheel", "x", "10", ",".join(f"t{n}" for n in range(20_000))]
    names = list(database.passwd)
    began = time.process_time()
    assert passwd.memberships(database, names) == dict.fromkeys(names, "wheel")
    passwd.leave(database, names)
    assert passwd.memberships(database, names) == {}
    assert time.process_time() - began < 2


def test_a_thousand_accounts_are_made_in_one_pass(host: Host) -> None:
    people = [{**ALICE, "name": f"t{n}", "uid": 10_000 + n, "gid": 10_000 + n} for n in range(1000)]
    outcomes = create(host, *people)
    assert {outcome.status for outcome in outcomes.values()} == {"applied"}
    assert len(accounts.listing(host)) == 1000
    assert names.names(host).uid("t999") == 10_999


def test_one_refused_account_does_not_stop_the_others(host: Host) -> None:
    outcomes = create(
        host, {**ALICE, "name": "alice"}, {**ALICE, "name": "eve"}, {**ALICE, "name": "www-data"}
    )
    assert [outcome.status for outcome in outcomes.values()] == ["applied", "failed", "failed"]
    assert "alice" in outcomes["account:eve"].message


def test_the_files_keep_their_modes_and_leave_a_backup(host: Host) -> None:
    create(host, {**ALICE, "name": "alice"})
    assert Path(host.path("/etc/shadow")).stat().st_mode & 0o7777 == 0o640
    assert "alice" not in Path(host.path("/etc/passwd-")).read_text()


def test_a_system_account_is_never_removed(host: Host) -> None:
    outcomes = create(host, {**ALICE, "name": "www-data"}, action="delete")
    assert outcomes["account:www-data"].status == "failed"
    assert accounts.observe(host, ["www-data"])["www-data"] is not None


def test_removing_an_account_moves_its_home_aside_and_forgets_its_crontab(host: Host) -> None:
    create(host, {**ALICE, "name": "alice"})
    home, crontab = Path(host.path("/home/alice")), Path(host.path("/var/spool/cron/crontabs/alice"))
    home.mkdir()
    os.chown(home, ALICE["uid"], ALICE["gid"])
    (home / "diary").write_text("dear")
    crontab.write_text("* * * * * true\n")
    assert create(host, {**ALICE, "name": "alice"}, action="delete")["account:alice"].good
    assert accounts.observe(host, ["alice"]) == {"alice": None}
    assert not home.exists()
    assert not crontab.exists()
    (kept,) = Path(host.path("/home/.quarantine")).glob("20260101T000000Z_home-alice_*/diary")
    assert kept.read_text() == "dear"


def test_removing_an_account_leaves_a_home_that_is_not_its_own(host: Host) -> None:
    create(host, {**ALICE, "name": "alice"})
    home = Path(host.path("/home/alice"))
    home.mkdir()
    assert create(host, {**ALICE, "name": "alice"}, action="delete")["account:alice"].good
    assert home.is_dir()


def test_a_strange_line_break_in_a_foreign_name_breaks_no_line(host: Host) -> None:
    passwd = Path(host.path("/etc/passwd"))
    passwd.write_text(f"{passwd.read_text()}guest:x:1500:1500:Gu\u2028est\x0b:/home/guest:/bin/sh\n")
    before = passwd.read_text()
    create(host, {**ALICE, "name": "alice"})
    assert passwd.read_text().startswith(before)


def test_replacing_gives_a_new_number(host: Host) -> None:
    create(host, {**ALICE, "name": "alice"})
    outcome = create(host, {**ALICE, "name": "alice", "uid": 10_005, "gid": 10_005}, action="replace")
    assert outcome["account:alice"].good
    found = accounts.observe(host, ["alice"])["alice"]
    assert found is not None
    assert (found["uid"], found["gid"]) == (10_005, 10_005)


def test_a_busy_database_is_waited_for_and_then_reported(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwd, "LOCK_SECONDS", 0.1)
    release, ready = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        descriptor = os.open(host.path("/etc/.pwd.lock"), os.O_WRONLY | os.O_CREAT, 0o600)
        fcntl.lockf(descriptor, fcntl.LOCK_EX)
        os.write(ready[1], b"x")
        os.close(release[1])
        os.read(release[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    outcome = create(host, {**ALICE, "name": "alice"})["account:alice"]
    os.write(release[1], b"x")
    os.waitpid(child, 0)
    assert outcome.status == "failed"
    assert "lock" in outcome.message
