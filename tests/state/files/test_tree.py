"""What a folder may hold beside documents: it is told, not followed, not waited for, and not shown."""

import os
import socket
from pathlib import Path

import pytest

from state.errors import Unreadable
from state.files.folder import read
from state.files.tree import MAX_BYTES, Unusable, content, entries

SECRET = "root:$y$j9T$hash:19000:0:99999:7:::\ndaemon: *\n"


def faults(folder: Path) -> list[str]:
    return [str(fault) for fault in read(folder).faults]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shadow").write_text(SECRET)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "shadow.yaml").write_text(SECRET)
    made = tmp_path / "folder"
    made.mkdir()
    return made


@pytest.mark.parametrize("target", ["../shadow", "../outside/shadow.yaml", "link-to-it"])
def test_a_link_out_of_the_folder_is_not_followed(folder: Path, target: str) -> None:
    (folder / "link-to-it").symlink_to("../shadow")
    (folder / "f.yaml").symlink_to(target)
    (told,) = faults(folder)
    assert told.startswith("f.yaml:1: is a link that leads outside")


def test_nor_is_one_to_a_folder(folder: Path) -> None:
    (folder / "more").symlink_to("../outside")
    (told,) = faults(folder)
    assert told.startswith("more:1: is a link that leads outside")


def test_a_folder_or_a_file_may_be_given_by_a_link_to_it(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder)
    (folder / "f.yaml").write_text("a: 1")
    (folder.parent / "g.yaml").symlink_to("folder/f.yaml")
    assert len(faults(folder.parent / "link")) > 1
    assert len(faults(folder.parent / "g.yaml")) > 1


def test_what_is_no_file_is_told_and_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    os.mkfifo(folder.parent / "alone.yaml")
    (folder / "link.yaml").symlink_to("pipe.yaml")
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "nowhere.yaml").symlink_to("nothing.yaml")
    (folder / "zero.yaml").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(os.path.relpath(folder / "socket.yaml"))
        assert faults(folder) == [
            "link.yaml:1: is a pipe, and not a file",
            "loop.yaml:1: cannot be read: Too many levels of symbolic links",
            "nowhere.yaml:1: cannot be read: No such file or directory",
            "pipe.yaml:1: is a pipe, and not a file",
            "socket.yaml:1: is a socket, and not a file",
            "zero.yaml:1: is a link that leads outside of the folder, which is not followed: put a copy here",
        ]
    assert faults(folder.parent / "alone.yaml") == ["alone.yaml:1: is a pipe, and not a file"]
    assert faults(Path("/dev/null")) == ["null:1: is a device, and not a file"]


def test_a_huge_file_is_not_read(folder: Path) -> None:
    with (folder / "f.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    assert faults(folder) == ["f.yaml:1: is larger than 128 MiB: split it"]


def test_what_becomes_a_link_between_two_looks_is_not_followed(folder: Path) -> None:
    (folder / "f.yaml").write_text("a: 1")
    (entry,) = entries(folder)
    (folder / "f.yaml").unlink()
    (folder / "f.yaml").symlink_to("../shadow")
    with pytest.raises(Unusable, match="outside"):
        content(entry, folder)


def test_a_folder_that_is_a_loop_is_unreadable(folder: Path) -> None:
    (folder / "loop").symlink_to("loop")
    with pytest.raises(Unreadable, match="loop cannot be read"):
        entries(folder / "loop")


def test_a_fault_shows_little_of_what_is_wrong(folder: Path) -> None:
    long = "x" * 1000
    (folder / "f.yaml").write_text(
        f'kind: {long}\n{long}: 1\n"\\e[31m": 1\nmetadata: {{{long}: !{long} 1, a: !!int {long}, 3: 4}}\n'
    )
    told = faults(folder)
    assert len(told) > 5
    assert "x" * 41 not in "".join(told)
    assert "\x1b" not in "".join(told)
