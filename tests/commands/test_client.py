"""Reaching the API: logging in, and what is said when it cannot be reached or refuses."""

import json
import socket
import stat
from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.commands.stub import Api


def test_an_api_that_does_not_answer_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    ended = run("hosts", GHOSTCP_URL=f"http://127.0.0.1:{port}")
    assert ended.status == 1
    assert f"http://127.0.0.1:{port} does not answer" in ended.err
    assert "GHOSTCP_URL" in ended.err


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x", "http://", "http://[::1"])
def test_a_url_that_is_none_is_refused(run: Run, url: str) -> None:
    ended = run("hosts", GHOSTCP_URL=url)
    assert (ended.status, "is no URL" in ended.err) == (1, True)


def test_without_a_login_it_says_how_to_log_in(run: Run, api: Api) -> None:
    ended = run("hosts", GHOSTCP_URL=api.url)
    assert (ended.status, "ghostcp login" in ended.err) == (1, True)


def test_something_else_that_answers_is_told_apart(ask: Run, api: Api) -> None:
    api.answers["GET", "/hosts"] = [(200, "<html>hello</html>", {})]
    ended = ask("hosts")
    assert (ended.status, "is this GhostCP's API?" in ended.err) == (1, True)


def test_an_api_that_asks_for_patience_is_asked_again(ask: Run, api: Api) -> None:
    api.answers["GET", "/hosts"] = [(429, {"error": "slow down"}, {"Retry-After": "0"})]
    assert ask("hosts").status == 0
    assert api.asked == [("GET", "/hosts")] * 2


def test_a_login_is_kept_for_its_api_alone(run: Run, api: Api, tmp_path: Path) -> None:
    login = run("login", "-u", "anna", "--url", api.url, GHOSTCP_PASSWORD="secret")
    assert login.status == 0
    kept = tmp_path / "config" / "ghostcp" / "token"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text()) == {"url": api.url, "token": "token-1"}
    assert run("hosts").status == 0
    elsewhere = api.url.replace("127.0.0.1", "localhost")
    assert run("hosts", GHOSTCP_URL=elsewhere).status == 1


def test_a_wrong_password_is_said_to_be_wrong(run: Run, api: Api, tmp_path: Path) -> None:
    ended = run("login", "-u", "anna", "--url", api.url, GHOSTCP_PASSWORD="guess")
    assert (ended.status, "the user name or the password is wrong" in ended.err) == (1, True)
    assert not (tmp_path / "config").exists()


def test_a_second_factor_is_asked_for(run: Run, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("typer.prompt", lambda *_, **__: "123456")
    assert run("login", "-u", "careful", "--url", api.url, GHOSTCP_PASSWORD="secret").status == 0


@pytest.mark.parametrize("given", ["option", "environment"])
def test_a_second_factor_can_be_given_beforehand(run: Run, api: Api, given: str) -> None:
    login = ("login", "-u", "careful", "--url", api.url)
    if given == "option":
        assert run(*login, "--code", "123456", GHOSTCP_PASSWORD="secret").status == 0
    else:
        assert run(*login, GHOSTCP_PASSWORD="secret", GHOSTCP_CODE="123456").status == 0
    assert len(api.asked) == 1


def test_a_wrong_code_is_said_to_be_wrong(run: Run, api: Api) -> None:
    refused = {"error": "no", "status": 401, "details": {"code": "bad_credentials"}}
    api.answers["POST", "/auth/login"] = [(401, refused, {})]
    ended = run("login", "-u", "careful", "--url", api.url, "--code", "1", GHOSTCP_PASSWORD="secret")
    assert (ended.status, "the password or the code is wrong" in ended.err) == (1, True)


def test_a_broken_token_file_is_named(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "config" / "ghostcp" / "token"
    kept.parent.mkdir(parents=True)
    kept.write_text("{")
    ended = run("hosts")
    assert (ended.status, "log in again" in ended.err) == (1, True)
