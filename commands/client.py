"""The REST API as commands see it: JSON in and out, and every failure as words that say what to do."""

import json
import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from commands.console import GUARDED, Failed
from state.kind import Kind
from state.kinds import whole_kind

PREFIX = "/api/v1"
PATIENCE = 75.0
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
Values = dict[str, Any]


class Client:
    """Speaks to one API with one token. A proxy of the environment is not asked for this machine itself."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        try:
            parsed = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise Failed(f"{url!r} is no URL: {error}") from None
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise Failed(f"{url!r} is no URL of an API: it looks like http://localhost:8080")
        self._http = httpx.Client(
            base_url=f"{url}{PREFIX}",
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(PATIENCE, connect=5),
            trust_env=parsed.host not in _LOOPBACK,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: str | int) -> Values:
        """The answer's values. Raises Failed."""
        return self.values(self.send("GET", path, query=query))

    def post(self, path: str, body: Mapping[str, Any]) -> Values:
        """The answer's values. Raises Failed."""
        return self.values(self.send("POST", path, body))

    def of_kind(self, kind: Kind) -> Iterator[Values]:
        """Every object of a kind; parts are asked for whole by whole."""
        wholes = whole_kind(kind)
        if wholes is None:
            yield from self.all(kind.plural, kind.list_key)
            return
        for whole in self.of_kind(wholes):
            yield from self.all(f"{wholes.plural}/{whole['id']}/{kind.plural}", kind.list_key)

    def all(self, path: str, key: str = "") -> Iterator[Values]:
        """Every object of a list, page after page: what is there throughout comes once, whatever else changes."""
        query: dict[str, str | int] = {"limit": 100}
        while True:
            answer = self.get(f"/{path}", **query)
            yield from answer.get(key or path, [])
            following = answer.get("next")
            if not following:
                return
            query["cursor"] = str(following)

    def events(self, path: str) -> Iterator[tuple[str, Any]]:
        """Server-sent events (name, JSON data), as they come, until the API ends the stream."""
        patient = httpx.Timeout(None, connect=5)
        try:
            with self._http.stream("GET", path, timeout=patient) as answer:
                if answer.is_error:
                    answer.read()
                    self.values(answer)
                name = "message"
                for line in answer.iter_lines():
                    field, _, value = line.partition(":")
                    if field == "event":
                        name = value.strip()
                    elif field == "data":
                        yield name, json.loads(value)
        except ValueError:
            raise Failed(f"{self.url} sends events that are no JSON: is this GhostCP's API?") from None
        except httpx.HTTPError as error:
            raise self._unreachable(error) from None

    def send(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Values | None = None
    ) -> httpx.Response:
        """The API's answer, whatever it is; one that asks for patience (429) is given some."""
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answer = self._http.request(method, path, json=body, params=query)
            except httpx.HTTPError as error:
                raise self._unreachable(error) from None
            pause = _pause(answer)
            if pause is None or time.monotonic() + pause > deadline:
                return answer
            time.sleep(pause)

    def values(self, answer: httpx.Response) -> Values:
        """What a good answer holds. Raises Failed with all that a bad one says."""
        try:
            values = answer.json()
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise Failed(f"{self.url} answered {answer.status_code} without JSON: is this GhostCP's API?")
        if answer.is_success:
            return values
        raise Failed(*_reasons(answer.status_code, values), status=GUARDED if _guarded(values) else 1)

    def _unreachable(self, error: httpx.HTTPError) -> Failed:
        reason = str(error) or type(error).__name__
        return Failed(
            f"{self.url} does not answer ({reason}).",
            "Is the API running (ghostcp api, ghostcp up)? Another place is named by GHOSTCP_URL.",
        )


def _pause(answer: httpx.Response) -> float | None:
    """The seconds after which an API that is too busy wants to be asked again."""
    if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
        return None
    try:
        return min(max(float(answer.headers.get("Retry-After", "1")), 0.1), PATIENCE)
    except ValueError:
        return 1.0


def _guarded(values: Values) -> bool:
    """Whether it was refused for what it would delete."""
    details = values.get("details")
    return isinstance(details, dict) and details.get("code") == "plan_blocked"


def _reasons(status: int, values: Values) -> Iterator[str]:
    if status == httpx.codes.UNAUTHORIZED:
        yield "you are not logged in, or no longer: run `ghostcp login`, or set GHOSTCP_TOKEN"
        return
    yield f"{values.get('error', 'the API refused')} ({status})"
    details = values.get("details")
    errors = details.get("errors", []) if isinstance(details, dict) else []
    for each in errors:
        field, message = each.get("field", ""), each.get("message", "")
        yield f"  {field}: {message}" if field else f"  {message}"
