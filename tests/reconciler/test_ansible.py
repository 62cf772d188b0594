"""What a worker leaves in the machine's temporary folder: nothing, and nothing of those that were killed."""

import os
import tempfile
import time
from pathlib import Path

import pytest

from reconciler.ansible import runner
from reconciler.lease import whoami


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def _folder(place: Path, name: str, holder: str | None, age: float = 0.0) -> Path:
    folder = place / f"ghostcp-run-{name}"
    (folder / "tmp").mkdir(parents=True)
    if holder is not None:
        (folder / "holder").write_text(holder)
    then = time.time() - age
    os.utime(folder, (then, then))
    return folder


def test_what_killed_workers_left_is_removed_and_what_others_use_is_not(temporary: Path) -> None:
    host, boot, process, _ = whoami().split("/")
    dead = _folder(temporary, "dead", f"{host}/{boot}/{process}/1")
    again = _folder(temporary, "again", None, age=3600)
    kept = [
        _folder(temporary, "mine", whoami()),
        _folder(temporary, "elsewhere", "another/boot/1/1"),
        _folder(temporary, "new", None),
    ]
    with runner(temporary / "hosts.yml") as run:
        folder = run._folder
        assert folder.is_dir()
    assert not dead.exists()
    assert not again.exists()
    assert not folder.exists()
    assert all(each.is_dir() for each in kept)
