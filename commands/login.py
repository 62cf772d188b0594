"""Who a command acts as: the token of the environment, or that of an earlier login."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from commands.client import Client
from commands.console import Failed, err

DEFAULT_URL = "http://localhost:8080"


@dataclass(frozen=True, slots=True)
class Login:
    """An API and the token that it gave."""

    url: str
    token: str


def connect() -> Client:
    """A client for ``GHOSTCP_URL`` (or the last login's) with ``GHOSTCP_TOKEN`` (or the login's).

    A stored token goes to the API that gave it, and nowhere else.
    """
    stored = _stored()
    url = os.environ.get("GHOSTCP_URL", stored.url if stored else DEFAULT_URL).rstrip("/")
    token = os.environ.get("GHOSTCP_TOKEN", "")
    if not token and stored and stored.url == url:
        token = stored.token
    return Client(url, token)


def log_in(url: str, username: str, password: str, code: str | None = None) -> str:
    """A token of the API at `url`. Raises Failed."""
    body = {"username": username, "password": password} | ({"two_factor_code": code} if code else {})
    with Client(url, "") as client:
        answer = client.send("POST", "/auth/login", body)
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        if _code(answer) == "two_factor_required":
            raise _CodeWanted
        raise Failed(f"the user name{', the password or the code' if code else ' or the password'} is wrong")
    return str(client.values(answer)["token"])


def login(
    username: Annotated[str, typer.Option("--username", "-u", prompt="User name")],
    password: Annotated[str, typer.Option(prompt="Password", hide_input=True, envvar="GHOSTCP_PASSWORD")],
    code: Annotated[
        str | None, typer.Option(envvar="GHOSTCP_CODE", help="of the second factor, or a recovery code")
    ] = None,
    url: Annotated[str, typer.Option(envvar="GHOSTCP_URL", help="the API")] = DEFAULT_URL,
) -> None:
    """Ask for name, password and, where there is one, the second factor; keep the token for the other commands."""
    url = url.rstrip("/")
    try:
        token = log_in(url, username, password, code)
    except _CodeWanted:
        token = log_in(url, username, password, str(typer.prompt("Two-factor code")))
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"url": url, "token": token}, file)
    draft.replace(path)
    err.print(f"Logged in to {url} as {username}.", markup=False)


class _CodeWanted(Failed):
    def __init__(self) -> None:
        super().__init__("a two-factor code is needed: log in with `ghostcp login`")


def _path() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "ghostcp" / "token"


def _stored() -> Login | None:
    try:
        values = json.loads(_path().read_text())
        return Login(str(values["url"]), str(values["token"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Failed(f"{_path()} cannot be used ({type(error).__name__}): log in again") from None


def _code(answer: httpx.Response) -> Any:
    try:
        return answer.json()["details"]["code"]
    except (ValueError, KeyError, TypeError):
        return None
