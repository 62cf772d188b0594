"""A stub of Cloudflare, not the real one: an HTTP server that speaks as much of its API (version 4) as octoDNS uses.

Its rules are those that its documentation tells: least TTLs, no CNAME beside other records, pages, errors with codes.
"""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "canary-7c41d0"
BASE = "/client/v4"
Body = Mapping[str, Any]
_CONTENTS: Mapping[str, str] = {
    "CAA": '{flags} {tag} "{value}"',
    "DS": "{key_tag} {algorithm} {digest_type} {digest}",
    "HTTPS": "{priority} {target}{value}",
    "NAPTR": '{order} {preference} "{flags}" "{service}" "{regex}" {replacement}',
    "SRV": "{weight} {port} {target}",
    "SSHFP": "{algorithm} {type} {fingerprint}",
    "SVCB": "{priority} {target}{value}",
    "TLSA": "{usage} {selector} {matching_type} {certificate}",
}


class RefusalError(Exception):
    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass
class Cloudflare:
    """Zones by id with their records by id; `trouble` is asked before each request and may refuse it."""

    url: str = ""
    token: str = TOKEN
    zones: dict[str, str] = field(default_factory=dict)
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    trouble: Callable[[str, str], None] = lambda _method, _path: None
    asked: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def options(self) -> dict[str, Any]:
        return {"token": TOKEN, "api_url": f"{self.url}{BASE}"}

    def add_zone(self, name: str, *records: Body) -> str:
        """What somebody else has there."""
        zone = f"{next(self._numbers):032x}"
        self.zones[zone], self.records[zone] = name, {}
        for each in records:
            self.add(zone, {"ttl": 300, **each})
        return zone

    def add(self, zone: str, body: Body) -> dict[str, Any]:
        record = {**_kept(body), "id": f"{next(self._numbers):032x}", "zone_id": zone}
        self._refuse_clash(zone, record)
        self.records[zone][record["id"]] = record
        return record

    def told(self, name: str, kind: str) -> list[str]:
        """The records of a name, each with its TTL."""
        found = (each for records in self.records.values() for each in records.values())
        return sorted(f"{r['ttl']} {r['content']}" for r in found if (r["name"], r["type"]) == (name, kind))

    def of(self, name: str, kind: str) -> dict[str, Any]:
        """The one record of a name, to be changed by hand."""
        found = (each for records in self.records.values() for each in records.values())
        return next(r for r in found if (r["name"], r["type"]) == (name, kind))

    def answer(self, method: str, target: str, body: Body, authorization: str) -> tuple[int, dict[str, Any]]:
        path, query = urlsplit(target).path.removeprefix(BASE), parse_qs(urlsplit(target).query)
        with self._lock:
            self.asked.append(f"{method} {path}")
            try:
                self.trouble(method, path)
                self._let_in(authorization)
                return 200, {"success": True, "errors": [], **self._routed(method, path, query, body)}
            except RefusalError as refusal:
                errors = [{"code": refusal.code, "message": str(refusal)}]
                return refusal.status, {"success": False, "errors": errors, "result": None}

    def _let_in(self, authorization: str) -> None:
        if authorization != f"Bearer {self.token}":
            raise RefusalError(403, 9109, "Invalid access token")

    def _routed(self, method: str, path: str, query: dict[str, list[str]], body: Body) -> dict[str, Any]:
        if (method, path) == ("GET", "/zones"):
            return _page([self._zone(each) for each in self.zones], query)
        if (method, path) == ("POST", "/zones"):
            return {"result": self._zone(self.add_zone(body["name"]))}
        found = re.fullmatch(r"/zones/([0-9a-f]{32})/dns_records(?:/([0-9a-f]{32}))?", path)
        if found is None or found[1] not in self.zones:
            raise RefusalError(404, 7003, f"Could not route to {path}")
        zone, record = found[1], found[2]
        if method == "GET":
            return _page(list(self.records[zone].values()), query)
        if method == "POST":
            return {"result": self.add(zone, body)}
        old = self.records[zone].pop(record)
        if method == "PUT":
            new = {**_kept(body), "id": record, "zone_id": zone}
            try:
                self._refuse_clash(zone, new)
            except RefusalError:
                self.records[zone][record] = old
                raise
            self.records[zone][record] = new
            return {"result": new}
        return {"result": {"id": record}}

    def _zone(self, zone: str) -> dict[str, Any]:
        servers = ["ada.ns.cloudflare.example", "bob.ns.cloudflare.example"]
        return {"id": zone, "name": self.zones[zone], "name_servers": servers, "plan": {"legacy_id": "free"}}

    def _refuse_clash(self, zone: str, new: dict[str, Any]) -> None:
        here = [each for each in self.records[zone].values() if each["name"] == new["name"]]
        kinds = {each["type"] for each in here}
        if here and (new["type"] == "CNAME" or "CNAME" in kinds):
            raise RefusalError(400, 81053, "An A, AAAA, or CNAME record with that host already exists.")
        if any((each["type"], each["content"]) == (new["type"], new["content"]) for each in here):
            raise RefusalError(400, 81058, "An identical record already exists.")


def _kept(body: Body) -> dict[str, Any]:
    """A record as it is kept: without final dots, and with a content made of its data."""
    if body["ttl"] != 1 and not 60 <= body["ttl"] <= 86400:
        raise RefusalError(
            400, 9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."
        )
    record = {"proxied": False, **body}
    if record["type"] in _CONTENTS and "data" in record:
        record["content"] = _CONTENTS[record["type"]].format_map(record["data"])
    if record["type"] in {"CNAME", "MX", "NS", "PTR"} and record["content"] != ".":
        record["content"] = record["content"].removesuffix(".")
    return record


def _page(items: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["20"])[0])
    result = items[(page - 1) * size : page * size]
    info = {"page": page, "per_page": size, "count": len(result), "total_count": len(items)}
    return {"result": result, "result_info": info}


def _handler(stub: Cloudflare) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            token = self.headers.get("Authorization", "")
            status, answer = stub.answer(self.command, self.path, body, token)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def cloudflare() -> Iterator[Cloudflare]:
    """A running stub without zones."""
    stub = Cloudflare()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(stub))
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
