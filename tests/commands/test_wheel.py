"""The wheel: everything is in it, and it works where there is no checkout."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("api", "commands", "inventories", "playbooks", "reconciler", "state")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    subprocess.run([sys.executable, *build], check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment with the wheel in it; the libraries are those of this one."""
    place = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(place / "bin" / "python"),
        "--disable-pip-version-check",
    ]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel)], check=True)
    paths = {"base": str(place), "platbase": str(place)}
    site = Path(sysconfig.get_path("purelib", "venv", vars=paths))
    (site / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return place / "bin"


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    argv = [str(word) for word in words]
    return subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def ours() -> Iterator[str]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT).as_posix()


def test_every_file_of_every_package_is_in_the_wheel(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert set(ours()) - inside == set()
    assert "state/migrations/script.py.mako" in inside
    assert not [name for name in inside if name.startswith(("tests/", "var/"))]


def test_the_command_runs_from_anywhere(installed: Path, tmp_path: Path) -> None:
    ended = run(installed / "ghostcp", "--help", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "validate" in ended.stdout


def test_the_code_that_runs_is_the_wheels(installed: Path, tmp_path: Path) -> None:
    ended = run(
        installed / "python",
        "-c",
        "import ghostcp, state; print(ghostcp.__file__, state.__path__)",
        cwd=tmp_path,
    )
    assert str(ROOT) not in ended.stdout
    assert str(installed.parent) in ended.stdout


def test_its_examples_are_there_and_right(installed: Path, tmp_path: Path) -> None:
    examples = next(installed.parent.rglob("state/examples"))
    ended = run(installed / "ghostcp", "validate", examples, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_it_brings_up_a_database(installed: Path, tmp_path: Path) -> None:
    ended = run(installed / "ghostcp", "migrate", cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "var" / "ghostcp.db").is_file()
