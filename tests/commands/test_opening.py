"""Commands that go to the database say what is wrong with it, and make none by the way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.database import Database
from state.settings import settings
from tests.commands.conftest import Run

pytestmark = pytest.mark.usefixtures("_settings")

COMMANDS = [
    ("audit", "verify"),
    ("keys", "rotate", "tokens"),
    ("keys", "retire", "vault"),
    ("disable-totp", "bob"),
    ("know-address", "bob", "192.0.2.1"),
    ("admin",),
]


@pytest.fixture
def _settings() -> Iterator[None]:
    """Each command reads the settings anew."""
    settings.cache_clear()
    yield
    settings.cache_clear()


@pytest.mark.parametrize("command", [*COMMANDS, ("api",), ("worker",)])
@pytest.mark.parametrize("var", ["there", "nowhere"])
def test_where_there_is_no_database_that_is_said(
    run: Run, tmp_path: Path, command: tuple[str, ...], var: str
) -> None:
    (tmp_path / "there").mkdir()
    ended = run(*command, GHOSTCP_VAR=str(tmp_path / var))
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith(f"there is no database {tmp_path / var}/ghostcp.db: run `ghostcp migrate`")
    assert len(ended.err.splitlines()) == 1
    assert not list((tmp_path / "there").iterdir())
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_an_older_database_is_not_used(run: Run, tmp_path: Path, command: tuple[str, ...]) -> None:
    Database(f"sqlite:///{tmp_path}/ghostcp.db").close()
    ended = run(*command, GHOSTCP_VAR=str(tmp_path))
    assert ended.status == 1
    assert ended.err == "the database is not that of this version: run `ghostcp migrate`\n"


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/x", "what", "sqlite:////proc/self/status"])
def test_what_is_no_database_is_told_in_one_line(
    run: Run, tmp_path: Path, command: tuple[str, ...], url: str
) -> None:
    ended = run(*command, GHOSTCP_VAR=str(tmp_path), GHOSTCP_DATABASE_URL=url)
    assert ended.status == 1
    assert "see `ghostcp check`" in ended.err
    assert len(ended.err.splitlines()) == 1
