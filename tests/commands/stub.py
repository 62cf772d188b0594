"""A stub of the REST API: a real HTTP server that speaks the shapes commands rely on, with nothing behind it.

It stores what is applied and makes it ready at the second look. It proves what commands say and how they end;
that the API itself speaks like this is proved elsewhere.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from state.kinds import KINDS

Values = dict[str, Any]
Answer = tuple[int, Values | str, dict[str, str]]
TOTALS = ("create", "update", "replace", "delete", "unchanged", "blocked", "unmanaged", "adopted")


class Api:
    """What the stub knows; tests set and read it."""

    def __init__(self) -> None:
        self.url = ""
        self.documents: dict[tuple[str, str], Values] = {}
        self.plans: list[Values] = []
        self.looks: dict[tuple[str, str], int] = {}
        self.asked: list[tuple[str, str]] = []
        self.queries: list[str] = []
        self.bodies: list[Values] = []
        self.guard = ""
        self.worker = True
        self.conditions: dict[str, list[Values]] = {}
        self.hosts: list[Values] = []
        self.jobs: list[Values] = []
        self.answers: dict[tuple[str, str], list[Answer]] = {}

    def answer(self, method: str, path: str, body: Values) -> tuple[int, Any, dict[str, str]]:
        self.asked.append((method, path))
        ready = self.answers.get((method, path))
        if ready:
            return ready.pop(0)
        match path.strip("/").split("/"):
            case ["auth", "login"]:
                return self._login(body)
            case ["plans"]:
                return 201, self._plan(body), {}
            case ["plans", number]:
                report = self.plans[int(number)]["report"] if self.worker else None
                return 200, {"id": number, "status": "ready" if report else "pending", "report": report}, {}
            case ["plans", number, "apply"]:
                return 200, self._apply(self.plans[int(number)]), {}
            case ["documents"]:
                return 200, {"documents": list(self.documents.values())}, {}
            case ["hosts"]:
                return 200, {"hosts": self.hosts, "pages": 1}, {}
            case ["jobs"]:
                return 200, {"jobs": self.jobs[::-1], "pages": 1}, {}
            case [plural] if plural in {kind.plural for kind in KINDS.values()}:
                return 200, {plural: list(self._objects(plural)), "pages": 1}, {}
        return 404, {"error": "Resource not found", "status": 404, "details": {}}, {}

    def _login(self, body: Values) -> tuple[int, Values, dict[str, str]]:
        if body["password"] != "secret":
            return 401, {"error": "no", "status": 401, "details": {"code": "unauthenticated"}}, {}
        if body["username"] == "careful" and body.get("two_factor_code") != "123456":
            return 401, {"error": "no", "status": 401, "details": {"code": "two_factor_required"}}, {}
        return 200, {"token": "token-1"}, {}

    def _plan(self, body: Values) -> Values:
        changes, posted = [], {}
        for sent in body.get("documents", []):
            each = {name: value for name, value in sent.items() if name != "inside"}
            key = each["kind"], each["metadata"]["name"]
            posted[key] = each
            if self.documents.get(key) != each:
                changes.append({"action": "update" if key in self.documents else "create", **_named(key)})
        gone = [key for key in self.documents if body.get("prune") and key not in posted]
        changes += [{"action": "delete", **_named(key)} for key in gone]
        part = {"changes": [], "blocked": [], "unmanaged": [], "adopted": [], "unchanged": 0}
        part |= {"target": "web-1", "error": None, "guard": {"allowed": True, "message": ""}}
        report = {
            "version": 1,
            "targets": [part],
            "documents": changes,
            "guard": {"allowed": not self.guard, "message": self.guard},
            "totals": dict.fromkeys(TOTALS, 0),
        }
        plan = {
            "id": str(len(self.plans)),
            "status": "pending",
            "report": report,
            "posted": posted,
            "gone": gone,
        }
        self.plans.append(plan)
        return {"id": plan["id"], "status": "pending", "report": None}

    def _apply(self, plan: Values) -> Values:
        self.documents |= plan["posted"]
        for key in plan["gone"]:
            del self.documents[key]
        written = [(each["kind"], each["name"]) for each in plan["report"]["documents"]]
        return {
            "documents": [{"id": "/".join(k), "kind": k[0], "name": k[1], "generation": 1} for k in written]
        }

    def _objects(self, plural: str) -> Iterator[Values]:
        for key, document in self.documents.items():
            kind, name = KINDS[key[0]], key[1]
            if kind.plural == plural:
                self.looks[key] = self.looks.get(key, 0) + 1
                made = {"type": "Ready", "status": True, "reason": "Converged", "message": ""}
                made["last_transition"] = "2026-01-01T00:00:00Z"
                yield {
                    "id": "/".join(key),
                    kind.name_field: name,
                    **document["spec"],
                    "generation": 1,
                    "observed_generation": 1 if self.looks[key] > 1 else 0,
                    "conditions": self.conditions.get(name, [made]),
                }


@contextmanager
def serving() -> Iterator[Api]:
    """The stub at a free port of this machine."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve({})

        def do_POST(self) -> None:
            self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

        def _serve(self, body: Values) -> None:
            path, _, query = self.path.removeprefix("/api/v1").partition("?")
            api.queries.append(query)
            api.bodies.append(body)
            known = self.headers.get("Authorization") == "Bearer token-1" or path == "/auth/login"
            refused: Answer = (401, {"error": "who are you?", "status": 401, "details": {}}, {})
            status, content, headers = api.answer(self.command, path, body) if known else refused
            text = (content if isinstance(content, str) else json.dumps(content)).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _named(key: tuple[str, str]) -> Values:
    return {"kind": key[0], "name": key[1], "owner": "", "fields": []}
