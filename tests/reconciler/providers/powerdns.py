"""A real PowerDNS for tests, with its HTTP API and a database of its own, on loopback."""

import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dns.message
import dns.query
import dns.rcode
import httpx

from tests.lab.control import until

PROGRAM = shutil.which("pdns_server") or "/usr/sbin/pdns_server"
SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
KEY = "canary-0f9a3b"


@dataclass
class PowerDns:
    """A server; `options` are octoDNS's for it."""

    folder: Path
    ports: tuple[int, int]
    key: str = KEY
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def options(self) -> dict[str, Any]:
        return {"host": "127.0.0.1", "port": self.ports[1], "api_key": KEY, "mode_of_operation": "native"}

    def start(self) -> None:
        dns_port, api_port = self.ports
        settings = {
            "config-dir": self.folder, "socket-dir": self.folder, "launch": "gsqlite3",
            "gsqlite3-database": self.folder / "pdns.sqlite3", "local-address": "127.0.0.1",
            "local-port": dns_port, "webserver": "yes", "webserver-address": "127.0.0.1",
            "webserver-port": api_port, "api": "yes", "api-key": self.key, "daemon": "no", "guardian": "no",
            "cache-ttl": 0, "negquery-cache-ttl": 0, "query-cache-ttl": 0, "zone-cache-refresh-interval": 0,
        }  # fmt: skip
        argv = [PROGRAM, *(f"--{name}={value}" for name, value in settings.items())]
        with (self.folder / "pdns.log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log)
        until("PowerDNS answers", self._answers)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)
            self._process = None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self._api}/zones", headers=self._headers).status_code == 200
        except httpx.TransportError:
            return False

    @property
    def _api(self) -> str:
        return f"http://127.0.0.1:{self.ports[1]}/api/v1/servers/localhost"

    @property
    def _headers(self) -> dict[str, str]:
        return {"X-API-Key": self.key}

    def zones(self) -> list[str]:
        return [zone["name"] for zone in httpx.get(f"{self._api}/zones", headers=self._headers).json()]

    def clear(self) -> None:
        for name in self.zones():
            httpx.delete(f"{self._api}/zones/{name}", headers=self._headers).raise_for_status()

    def add_zone(self, name: str, sets: dict[tuple[str, str], list[str]], ttl: int = 3600) -> None:
        """What somebody else has there; names are whole."""
        body = {"name": f"{name}.", "kind": "Native", "nameservers": []}
        httpx.post(f"{self._api}/zones", headers=self._headers, json=body).raise_for_status()
        for (owner, kind), values in sets.items():
            self.put(name, owner, kind, values, ttl)

    def put(self, zone: str, owner: str, kind: str, values: list[str], ttl: int = 3600) -> None:
        """A change by hand; without values the set is deleted."""
        records = [{"content": value, "disabled": False} for value in values]
        verb = "REPLACE" if values else "DELETE"
        rrset = {"name": owner, "type": kind, "ttl": ttl, "changetype": verb, "records": records}
        url = f"{self._api}/zones/{zone}."
        httpx.patch(url, headers=self._headers, json={"rrsets": [rrset]}).raise_for_status()

    def ask(self, name: str, kind: str) -> list[str]:
        """What a resolver is told, as in a zone file, each with its TTL."""
        query = dns.message.make_query(name, kind)
        answer, _ = dns.query.udp_with_fallback(query, "127.0.0.1", port=self.ports[0], timeout=5)
        return sorted(f"{rrset.ttl} {each.to_text()}" for rrset in answer.answer for each in rrset)

    def rcode(self, name: str) -> str:
        query = dns.message.make_query(name, "SOA")
        return dns.rcode.to_text(dns.query.udp(query, "127.0.0.1", port=self.ports[0], timeout=5).rcode())


@contextmanager
def powerdns(folder: Path) -> Iterator[PowerDns]:
    """A running server without zones."""
    folder.mkdir()
    with sqlite3.connect(folder / "pdns.sqlite3") as database:
        database.executescript(SCHEMA.read_text())
    database.close()
    server = PowerDns(folder, (free_port(), free_port()))
    server.start()
    try:
        yield server
    finally:
        server.stop()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
