"""A small hosting company behind its API: an administrator, a reseller with a user, a user of nobody's."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from api.app import create_app
from state import store
from state.access.secrets import keep_verifier, verifier
from state.database import Database
from state.document import Document
from state.kinds import KINDS
from state.plans import answer, take_plan
from state.settings import Settings
from state.targets import list_hosts
from tests.api.authorisation import PASSWORD
from tests.conftest import Stage

RATES = ("rate_authentication", "rate_users", "rate_general", "rate_files")
BASE = "/api/v1"
REQUEST = "the-one-that-tests-ask-with"
known_verifier = cache(verifier)
Report = Callable[[Any], dict[str, Any]]


class Http:
    """Calls an application in this process, from ordinary functions."""

    def __init__(self, app: FastAPI, loop: asyncio.AbstractEventLoop, address: str = "127.0.0.1") -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 40000))
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://ghostcp.test", timeout=60, headers={"X-Request-ID": REQUEST}
        )
        self._loop = loop

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        answer = asyncio.run_coroutine_threadsafe(self._client.request(method, url, **options), self._loop)
        return answer.result(90)

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        return self.request("POST", url, **options)


class Clock:
    """The time, or some other time: `jump` moves it for good."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def jump(self, **by: float) -> None:
        self.ahead += timedelta(**by)


class World:
    """The API and who uses it."""

    def __init__(self, database: Database, var: Path, loop: asyncio.AbstractEventLoop) -> None:
        self.database = database
        self._loop, self.clock = loop, Clock()
        self.settings = Settings(var=var, **dict.fromkeys(RATES, 10**6))
        self.open()
        self.uids: dict[str, str] = {}
        self._tokens: dict[str, str] = {}

    def open(self, **settings: Any) -> None:
        """Starts the API (again) with these settings changed; nothing is counted yet."""
        self.settings = self.settings.model_copy(update=settings)
        self._app = create_app(self.database, self.settings, clock=self.clock)
        self.http = Http(self._app, self._loop)

    def populate(self) -> None:
        with self.database.writing() as connection:
            list_hosts(connection, {"web1": "192.0.2.1"})
            for name in ("default", "basic"):
                self.uids[name] = store.create(connection, KINDS["Package"], name, "", {}, actor="setup").uid
        self.user("admin", role="admin")
        self.user("resi", role="reseller", web_domains_limit=10, disk_quota=0)
        self.user("anna", owner="resi")
        self.user("bert")
        for name in ("admin", "resi", "anna", "bert"):
            self.token(name)

    def user(self, name: str, owner: str = "", **values: Any) -> Document:
        """A user with the known password, written past the API."""
        spec = {"email": f"{name}@example.com", **values}
        with self.database.writing() as connection:
            user = store.create(connection, KINDS["User"], name, owner, spec, actor="setup", reserved=True)
            keep_verifier(connection, user.uid, known_verifier(PASSWORD))
        self.uids[name] = user.uid
        self._tokens.pop(name, None)  # of another test's user of this name
        return user

    def lift_limits(self) -> None:
        """A reseller without limits, `rich`; and the administrator's own sites have none either."""
        limits = [name for name in KINDS["User"].schema.model_fields if name.endswith(("_limit", "_quota"))]
        none = dict.fromkeys(limits, 0)
        self.user("rich", role="reseller", **none)
        assert self.call("admin", "PUT", f"/users/{self.uids['admin']}", json=none).status_code == 200

    def site(self, name: str, owner: str, **values: Any) -> Document:
        with self.database.writing() as connection:
            return store.create(connection, KINDS["WebDomain"], name, owner, values, actor="setup")

    def zone(self, name: str, owner: str, **values: Any) -> Document:
        with self.database.writing() as connection:
            return store.create(connection, KINDS["DnsZone"], name, owner, values, actor="setup")

    def record(self, zone: Document, name: str, **values: Any) -> Document:
        """A record of a zone, an address unless told otherwise."""
        told = {"name": name, "record_type": "A", "value": "192.0.2.1", **values}
        with self.database.writing() as connection:
            return store.create(
                connection, KINDS["DnsRecord"], "", zone.owner, told, actor="setup", whole=zone
            )

    def at(self, address: str) -> Http:
        """The same application, called from another address."""
        return Http(self._app, self._loop, address)

    def login(
        self, name: str, password: str = PASSWORD, code: str | None = None, at: str = "127.0.0.1"
    ) -> httpx.Response:
        body = {"username": name, "password": password} | ({"two_factor_code": code} if code else {})
        http = self.http if at == "127.0.0.1" else self.at(at)
        return http.post(f"{BASE}/auth/login", json=body)

    def token(self, name: str) -> str:
        if name not in self._tokens:
            self._tokens[name] = str(self.login(name).json()["token"])
        return self._tokens[name]

    def call(self, who: str, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token(who)}", **options.pop("headers", {})}
        return self.http.request(method, f"{BASE}{path}", headers=headers, **options)


@contextmanager
def queries(world: World) -> Iterator[list[str]]:
    """The queries that the database is asked meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
            seen.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


class Worlds:
    """A populated world on each stage, with keys of its own, made once and brought back before each test."""

    def __init__(self, var: Path, loop: asyncio.AbstractEventLoop) -> None:
        self._var, self._loop = var, loop
        self._made: dict[int, World] = {}

    def on(self, stage: Stage) -> World:
        if id(stage) not in self._made:
            stage.reset("migrated")
            made = World(stage.database, self._var / stage.database.engine.name, self._loop)
            made.populate()
            stage.keep("populated")
            self._made[id(stage)] = made
        stage.reset("populated")
        self._made[id(stage)].clock.ahead = timedelta()
        return self._made[id(stage)]


@pytest.fixture(scope="session")
def worlds(folder: Path, loop: asyncio.AbstractEventLoop) -> Worlds:
    return Worlds(folder / "var", loop)


@pytest.fixture
def world(worlds: Worlds, sqlite_stage: Stage) -> World:
    return worlds.on(sqlite_stage)


@pytest.fixture
def world_on_both(worlds: Worlds, stage: Stage) -> World:
    return worlds.on(stage)


@pytest.fixture
def own_world(sqlite: Database, tmp_path: Path, loop: asyncio.AbstractEventLoop) -> World:
    """One with keys of its own, and as few requests as the specification allows."""
    made = World(sqlite, tmp_path, loop)
    made.populate()
    made.open(**{rate: Settings.model_fields[rate].default for rate in RATES})
    return made


@contextmanager
def working(database: Database, report: Report | None = None) -> Iterator[None]:
    """A stub of a worker: it answers every plan, with one change per document unless told otherwise, and never touches
    a host."""
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(0.01):
            with database.writing() as connection:
                plan = take_plan(connection)
                if plan:
                    answer(connection, plan.id, "ready", (report or report_of)(plan.request))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


@pytest.fixture
def worker(world: World) -> Iterator[None]:
    with working(world.database):
        yield


def report_of(request: Any) -> dict[str, Any]:
    """A report as a worker writes it; with a stranger's change in it, which no tenant may see."""
    changes = [_change(each["kind"], each["name"], each["owner"]) for each in request["overlay"]]
    part = {
        "target": "web1",
        "changes": [*changes, _change("WebDomain", "stranger.example", "stranger")],
        "blocked": [],
        "warnings": [
            {
                "kind": "WebDomain",
                "document": "stranger.example",
                "owner": "stranger",
                "reason": "NoCertificate",
                "message": "there is none",
            }
        ],
        "unmanaged": ["file:/etc/nginx/foreign.conf"],
        "adopted": [],
        "unchanged": 2,
        "guard": {"allowed": True, "message": ""},
        "error": None,
    }
    names = ("create", "update", "replace", "delete", "unchanged", "blocked", "unmanaged", "adopted")
    totals = dict.fromkeys((*names, "documents", "resources"), 0)
    guard = {"allowed": True, "message": ""}
    documents = request["documents"]
    return {"version": 1, "targets": [part], "documents": documents, "guard": guard, "totals": totals}


def _change(kind: str, name: str, owner: str) -> dict[str, Any]:
    return {
        "action": "create",
        "kind": kind,
        "document": name,
        "owner": owner,
        "resource": f"config:nginx/{name}.conf",
        "cause": "intended",
        "effect": "reload",
        "service": "nginx",
        "fields": [],
        "diff": None,
    }
