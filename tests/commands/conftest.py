"""Commands run in this process, against a stub of the API."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ghostcp import main
from tests.commands.stub import Api, serving


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit status and what it printed."""

    status: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("GHOSTCP_URL", "GHOSTCP_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments: object, **environment: str) -> Ended:
        with monkeypatch.context() as context:
            for name, value in environment.items():
                context.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main([str(each) for each in arguments])
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return command


@pytest.fixture
def api() -> Iterator[Api]:
    with serving() as running:
        yield running


@pytest.fixture
def ask(run: Run, api: Api) -> Run:
    """A command that is logged in at the stub."""

    def command(*arguments: object) -> Ended:
        return run(*arguments, GHOSTCP_URL=api.url, GHOSTCP_TOKEN="token-1")

    return command
