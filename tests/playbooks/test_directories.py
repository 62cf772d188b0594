import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.module_utils.ghostcp import directories, files, paths
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.paths import Obstructed
from playbooks.module_utils.ghostcp.wire import Change, Outcome, digest_or_none

OWNED = {"owner": "www-data", "group": "www-data", "mode": "0750"}


def make(host: Host, path: str, **more: object) -> Outcome:
    change = Change("create", f"directory:{path}", None, {**OWNED, **more}, stamp="20260101T000000Z")
    return directories.apply(host, [change])[change.key]


def remove(host: Host, path: str, *, data: bool) -> Outcome:
    change = Change("delete", f"directory:{path}", data=data, document="doc", stamp="20260101T000000Z")
    return directories.apply(host, [change])[change.key]


def seed(host: Host, path: str, content: str = "hi", *, once: bool = True) -> Outcome:
    change = Change("create", f"file:{path}", None, {**OWNED, "sha256": "x"}, content, once=once)
    return files.apply(host, [change])[change.key]


def look(host: Host, path: str) -> object:
    return directories.observe(host, [path])[path]


@given(st.text(max_size=20))
def test_a_path_is_canonical_or_refused(text: str) -> None:
    try:
        parts = paths.components(text)
    except Obstructed:
        return
    assert "/" + "/".join(parts) == text
    assert os.path.normpath(text) == text
    assert not {".", "..", ""} & set(parts)


@pytest.mark.parametrize(
    "path", ["/home/../etc", "home", "/home//a", "/home/a/", "/home/\0", "", "/", "/home/."]
)
def test_a_path_that_could_mean_another_is_refused(host: Host, path: str) -> None:
    assert look(host, path) == {"obstructed": "invalid name"}
    assert make(host, path).status == "failed"
    assert remove(host, path, data=True).status == "failed"


@pytest.mark.parametrize("name", ["-rf", "a b", "{{ x }}", "a;b", "ä", "$(x)", "a\nb", "x" * 255])
def test_a_hostile_name_is_only_a_name(host: Host, name: str) -> None:
    assert make(host, f"/home/{name}").good
    assert look(host, f"/home/{name}") == OWNED


def test_a_directory_is_observed_as_it_was_made(host: Host) -> None:
    assert look(host, "/home/a") is None
    assert make(host, "/home/a", mode="2770").good
    assert look(host, "/home/a") == {**OWNED, "mode": "2770"}
    assert make(host, "/home/a").good
    assert look(host, "/home/a") == OWNED


def test_a_missing_parent_is_not_made(host: Host) -> None:
    assert "create it first" in make(host, "/home/a/b").message
    assert look(host, "/home/a") is None


def test_an_unknown_owner_fails_before_anything_is_made(host: Host) -> None:
    assert "nobody2" in make(host, "/home/a", owner="nobody2").message
    assert look(host, "/home/a") is None


@pytest.mark.parametrize("where", ["/home/a", "/home/a/b"])
def test_a_link_is_never_followed(host: Host, where: str, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "b").mkdir(parents=True)
    Path(host.path("/home/a")).symlink_to(outside)
    before = outside.stat().st_mode, outside.stat().st_uid
    assert look(host, where) == {"obstructed": "symlink"}
    assert "symlink" in make(host, where).message
    assert remove(host, where, data=False).status == "failed"
    assert remove(host, where, data=True).status == "failed"
    assert (outside.stat().st_mode, outside.stat().st_uid) == before
    assert (outside / "b").is_dir()
    assert Path(host.path("/home/a")).is_symlink()


def test_a_file_in_the_way_stays(host: Host) -> None:
    Path(host.path("/home/a")).write_text("mine")
    assert look(host, "/home/a") == {"obstructed": "file"}
    assert "file" in make(host, "/home/a").message
    assert Path(host.path("/home/a")).read_text() == "mine"


def test_a_link_swapped_in_while_walking_is_not_followed(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenant replaces the new directory by a link right after it was made."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    real = os.mkdir

    def swapping(name: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        real(name, mode, dir_fd=dir_fd)
        os.rmdir(name, dir_fd=dir_fd)
        os.symlink(outside, name, dir_fd=dir_fd)

    monkeypatch.setattr(os, "mkdir", swapping)
    assert make(host, "/home/a").status == "failed"
    assert outside.stat().st_uid == 0


def test_a_directory_renamed_away_while_open_takes_the_change_with_it(host: Host, tmp_path: Path) -> None:
    """What was opened is what is changed, whatever the name leads to by then."""
    make(host, "/home/a")
    with paths.walking(host) as walker:
        parent = walker.enter(("home", "a"))
        Path(host.path("/home/a")).rename(host.path("/home/b"))
        Path(host.path("/home/a")).symlink_to(tmp_path)
        os.mkdir("c", dir_fd=parent)
    assert Path(host.path("/home/b/c")).is_dir()
    assert not (tmp_path / "c").exists()


def test_data_go_to_quarantine_with_a_note(host: Host) -> None:
    make(host, "/home/a")
    Path(host.path("/home/a/f")).write_text("x")
    assert "not empty" in remove(host, "/home/a", data=False).message
    assert remove(host, "/home/a", data=True).good
    assert remove(host, "/home/a", data=True).good
    place = Path(host.path("/home/.quarantine"))
    assert place.stat().st_mode & 0o7777 == 0o700
    (note,) = place.glob("*.json")
    assert '"path": "/home/a"' in note.read_text()
    assert (place / note.stem / "f").read_text() == "x"


def test_removing_what_is_not_there_is_fine(host: Host) -> None:
    assert remove(host, "/home/a", data=False).good
    assert remove(host, "/home/a/b/c", data=True).good


def test_a_seed_is_written_once(host: Host) -> None:
    make(host, "/home/a")
    assert seed(host, "/home/a/index.html", "first").good
    assert seed(host, "/home/a/index.html", "second").good
    assert Path(host.path("/home/a/index.html")).read_text() == "first"
    assert [it.name for it in Path(host.path("/home/a")).iterdir()] == ["index.html"]
    assert seed(host, "/home/a/index.html", "third", once=False).good
    assert Path(host.path("/home/a/index.html")).read_text() == "third"
    assert [it.name for it in Path(host.path("/home/a")).iterdir()] == ["index.html"]


def test_a_seed_never_goes_through_a_link(host: Host, tmp_path: Path) -> None:
    make(host, "/home/a")
    target = tmp_path / "target"
    Path(host.path("/home/a/index.html")).symlink_to(target)
    assert seed(host, "/home/a/index.html").good
    assert not target.exists()
    found = files.observe(host, ["/home/a/index.html"])
    assert found == {"/home/a/index.html": {"obstructed": "symlink"}}


def test_a_fifo_does_not_hold_up_the_observation(host: Host) -> None:
    os.mkfifo(host.path("/home/f"))
    assert files.observe(host, ["/home/f"]) == {"/home/f": {"obstructed": "fifo"}}


def test_observations_have_the_digest_of_what_was_wanted(host: Host) -> None:
    make(host, "/home/a")
    assert digest_or_none(directories.observe(host, ["/home/a"])["/home/a"]) == digest_or_none(OWNED)
