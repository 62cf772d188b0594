"""A whole control plane in processes of its own, used as its users do: REST and the command line."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from inventories import lab
from tests.lab.control import until

PASSWORD = "correct horse battery"
GHOSTCP = [sys.executable, "-c", "import ghostcp; ghostcp.main()"]


@dataclass
class Doors:
    """A running API and worker, and how to call them."""

    host: lab.LabHost
    url: str
    environment: dict[str, str]
    client: httpx.Client

    def cli(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs `ghostcp` with these arguments."""
        return subprocess.run(
            [*GHOSTCP, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def json(self, method: str, path: str, status: int = 200, **body: Any) -> Any:
        """The answer to a request, which must have this status."""
        answer = self.client.request(method, path, json=body or None, timeout=90)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def fetch(self, domain: str, path: str = "/") -> tuple[int, str]:
        """Status and body of a page of the host."""
        answer = httpx.get(f"http://{self.host.ipv4}{path}", headers={"Host": domain}, timeout=10)
        return answer.status_code, answer.text

    def run(self, script: str) -> str:
        """What a shell script on the host prints, as root."""
        done = lab.exec(self.host, ["sh", "-ec", script])
        assert done.returncode == 0, done.stderr
        return str(done.stdout)


@contextmanager
def control_plane_processes(host: lab.LabHost, var: Path, **settings: str) -> Iterator[Doors]:
    """API and worker as processes, the administrator and a token; all ended afterwards."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        listen = f"127.0.0.1:{sock.getsockname()[1]}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
        "GHOSTCP_VAR": str(var),
        "GHOSTCP_LISTEN": listen,
        "GHOSTCP_URL": f"http://{listen}",
        "GHOSTCP_INVENTORY": str(host.inventory),
        "GHOSTCP_ADMIN_PASSWORD": PASSWORD,
        "GHOSTCP_PASSWORD": PASSWORD,
        "XDG_CONFIG_HOME": str(var / "config"),
        "COLUMNS": "200",
        **dict.fromkeys(("GHOSTCP_RATE_AUTHENTICATION", "GHOSTCP_RATE_USERS"), "1000"),
        **settings,
    }
    for step in (["migrate"], ["admin"]):
        subprocess.run([*GHOSTCP, *step], env=environment, check=True, capture_output=True, timeout=60)
    children = [_child(name, var, environment) for name in ("api", "worker")]
    url = f"http://{listen}"
    try:
        until("the API answers", lambda: _healthy(url))
        login = {"username": "admin", "password": PASSWORD}
        token = httpx.post(f"{url}/api/v1/auth/login", json=login).json()["token"]
        with httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}) as client:
            doors = Doors(host, url, {**environment, "GHOSTCP_TOKEN": token}, client)
            until("the host is known", lambda: _known(doors))
            yield doors
    finally:
        for child in children:
            child.terminate()
        for child in children:
            child.wait(timeout=60)


def _child(name: str, var: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with (var / f"{name}.log").open("wb") as log:
        return subprocess.Popen([*GHOSTCP, name], env=environment, stdout=log, stderr=subprocess.STDOUT)


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def _known(doors: Doors) -> bool:
    hosts = doors.json("GET", "/hosts")["hosts"]
    return any(host.get("observed_at") for host in hosts)


def changes(report: Any) -> set[tuple[str, str, str]]:
    """The changes of a plan's report, as (action, resource, cause)."""
    return {(c["action"], c["resource"], c["cause"]) for part in report["targets"] for c in part["changes"]}


def report_of(done: subprocess.CompletedProcess[str]) -> Any:
    """The report that `ghostcp plan --format json` printed."""
    return json.loads(done.stdout)
