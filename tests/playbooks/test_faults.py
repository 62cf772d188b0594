"""Full and read-only disks, and crashes at every step."""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from playbooks.module_utils.ghostcp import apply, staging
from playbooks.module_utils.ghostcp.host import Host
from state import resource
from tests.playbooks.calls import config, live, look, make, send, site, statuses
from tests.playbooks.conftest import furnish
from tests.playbooks.remote import change


@contextlib.contextmanager
def mounted(path: str, *options: str) -> Iterator[None]:
    subprocess.run(["mount", *options, path], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_full_disk_fails_with_advice_and_keeps_what_is_live(host: Host) -> None:
    make(host, config("a.conf"))
    with mounted(host.path("/home"), "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        big = resource.seed("/home/big", "x" * 200_000, owner="root", group="root", mode="0644")
        response = make(host, big, config("b.conf"))
        assert list(statuses(response).values()) == ["failed", "applied"]
        assert "free some space" in response["results"][big.key]["message"]
        assert list(Path(host.path("/home")).iterdir()) == []


def test_a_full_configuration_disk_keeps_what_is_live(host: Host) -> None:
    with mounted(host.path("/etc/ghostcp"), "-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        make(host, config("a.conf"))
        response = make(host, config("big.conf", "x" * 400_000), config("small.conf"))
        assert statuses(response)["config:nginx/big.conf"] == "failed"
        assert "free some space" in response["results"]["config:nginx/big.conf"]["message"]
        assert live(host)["nginx/a.conf"] == "good\n"


def test_a_read_only_disk_fails_with_advice(host: Host) -> None:
    with mounted(host.path("/home"), "-t", "tmpfs", "-o", "ro", "tmpfs"):
        response = make(host, resource.directory("/home/a", owner="root", group="root", mode="0755"))
        assert "read-only" in response["results"]["directory:/home/a"]["message"]


MUTATING = ("os.", "shutil.")


def crash_after(steps: int, root: Path) -> bool:
    """Change the host in `root` in a process that dies at its n-th step; whether it got to the end."""
    child = os.fork()
    if child == 0:
        left = steps

        def count(event: str, arguments: tuple[Any, ...]) -> None:
            nonlocal left
            writing = (
                event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
            )
            if event.startswith(MUTATING) or writing:
                left -= 1
                if left < 0:
                    os._exit(9)

        sys.addaudithook(count)
        with contextlib.suppress(BaseException):
            request = {
                "token": 2,
                "stamp": "20260102T000000Z",
                "changes": crash_plan(Host(str(root), no_units)),
            }
            apply.apply(Host(str(root), no_units), request)
            os._exit(0)
        os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, 9)
    return os.waitstatus_to_exitcode(status) == 0


def no_units(argv: Any, timeout: float) -> tuple[int, str]:
    return 0, ""


OLD = [*site("alice"), config("gone.conf")]
NEW = [
    config("alice.conf", "site alice 2\n"),
    config("alice.conf", "pool alice 2\n", "php8.4-fpm"),
    *site("bob", 10_002),
]


def crash_plan(host: Host) -> list[dict[str, Any]]:
    found = look(host, *(it.key for it in [*NEW, OLD[-1], OLD[1]]))
    gone = {"action": "delete", "attributes": None, "content": None}
    return [
        *(change(it, found[it.key]) for it in NEW),
        change(OLD[-1], found[OLD[-1].key]) | gone,
        change(OLD[1], found[OLD[1].key]) | gone,
    ]


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory that needs no disk."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


def test_a_crash_at_any_step_leaves_the_old_or_the_new_and_the_next_run_ends_the_work(memory: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes files of other users")
    before = {it.name: it.content for it in OLD if it.type == "config"}
    after = before | {it.name: it.content for it in NEW if it.type == "config"}
    del after["nginx/gone.conf"]
    done, steps, seen = False, 0, set()
    while not done:
        host = furnish(memory / str(steps))
        make(host, *OLD)
        done = crash_after(steps, Path(host.root))
        state = live(host)
        assert state in (before, after)
        seen.add(state == after)
        response = send(host, *crash_plan(host), token=2)
        assert set(statuses(response).values()) == {"applied"}, steps
        assert live(host) == after
        assert [it for it in NEW if look(host, it.key)[it.key] != it.attributes] == []
        assert look(host, OLD[1].key) == {OLD[1].key: None}
        steps += 1
    assert seen == {False, True}
    assert steps > 40


@pytest.mark.parametrize("works", [True, False])
def test_many_new_files_are_brought_to_the_disk_at_once_or_else_one_by_one(
    host: Host, monkeypatch: pytest.MonkeyPatch, *, works: bool
) -> None:
    synced: list[str] = []

    def run(argv: Sequence[str], timeout: float) -> tuple[int, str]:
        if argv[0] != "sync":
            return host.run(argv, timeout)
        synced.append(argv[-1])
        return (0, "") if works else (1, "sync: error syncing: Input/output error")

    monkeypatch.setattr(staging, "FSYNCS", 2)
    monkeypatch.setattr(staging, "sync_file", synced.append)
    make(Host(host.root, run), *(config(f"sites/{number}.conf") for number in range(2)))
    assert len(synced) == 2
    synced.clear()
    make(Host(host.root, run), *(config(f"sites/more{number}.conf") for number in range(3)))
    assert [path.endswith(".fresh") for path in synced] == ([True] if works else [True, False, False, False])
