"""A real authority for tests: Pebble, with its validation on, refusing nonces and waiting as it does by default.

Names resolve to one lab host unless told otherwise.
"""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.lab.control import until
from tests.state.vouching import vouch


@dataclass
class Pebble:
    """A running authority. `authorities` is the file that names it `pebble`, and has sites that name none go there.

    `names` is the name server (host:port) that it asks; its own, to which every name is at `address`, when it is empty.
    `ocsp` is where its certificates say that one asks whether they are revoked; nowhere when it is empty.
    """

    folder: Path
    address: str
    ports: tuple[int, ...]
    environment: dict[str, str] = field(default_factory=dict)
    eab: dict[str, str] = field(default_factory=dict)
    names: str = ""
    ocsp: str = ""
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def directory(self) -> str:
        return f"https://localhost:{self.ports[0]}/dir"

    @property
    def authorities(self) -> Path:
        path = self.folder / "authorities.yaml"
        named = {"directory": self.directory, "roots": str(self.folder / "own-root.pem")}
        for kid, hmac in self.eab.items():
            named |= {"kid": kid, "hmac": hmac}
        path.write_text(yaml.safe_dump({"pebble": named, "letsencrypt": named}))
        return path

    def root(self) -> Path:
        """The certificate that vouches for all that it issues, in a file."""
        path = self.folder / "root.pem"
        path.write_text(self._manage("/roots/0").text)
        return path

    def issuer(self) -> tuple[str, str]:
        """What its certificates are signed with: certificate and key, as PEM."""
        return self._manage("/intermediates/0").text, self._manage("/intermediate-keys/0").text

    def resolve(self, name: str, *addresses: str) -> None:
        """From now on the name resolves to these addresses; to none, with an error."""
        where = f"http://127.0.0.1:{self.ports[3]}"
        if addresses:
            httpx.post(f"{where}/clear-servfail", json={"host": f"{name}."})
            httpx.post(f"{where}/add-a", json={"host": f"{name}.", "addresses": addresses})
        else:
            httpx.post(f"{where}/set-servfail", json={"host": f"{name}."})

    def start(self) -> None:
        names = ["pebble-challtestsrv", "-dns01", f"127.0.0.1:{self.ports[2]}", "-defaultIPv4", self.address]
        names += ["-defaultIPv6", "", "-management", f"127.0.0.1:{self.ports[3]}"]
        names += ["-http01", "", "-https01", "", "-tlsalpn01", ""]
        asked = self.names or f"127.0.0.1:{self.ports[2]}"
        pebble = ["pebble", "-config", "pebble.json", "-dnsserver", asked]
        (self.folder / "pebble.json").write_text(json.dumps(self._configuration()))
        environment = {**os.environ, **self.environment}
        with (self.folder / "pebble.log").open("ab") as log:
            for argv in (names, pebble):
                made = subprocess.Popen(argv, env=environment, cwd=self.folder, stdout=log, stderr=log)
                self._processes.append(made)
        until("the authority answers", self._answers)

    def stop(self) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.wait(30)
        self._processes.clear()

    def _configuration(self) -> dict[str, Any]:
        own = {"certificate": "own.pem", "privateKey": "own.key"}
        bound = {"externalAccountBindingRequired": bool(self.eab), "externalAccountMACKeys": self.eab}
        listen, manage = (f"127.0.0.1:{port}" for port in self.ports[:2])
        ports = {"httpPort": 80, "tlsPort": 443, "ocspResponderURL": self.ocsp}
        return {
            "pebble": {"listenAddress": listen, "managementListenAddress": manage, **own, **ports, **bound}
        }

    def _answers(self) -> bool:
        try:
            return self._manage("/roots/0").status_code == 200
        except httpx.TransportError:
            return False

    def _manage(self, path: str) -> httpx.Response:
        return httpx.get(f"https://localhost:{self.ports[1]}{path}", verify=False)  # test authority


@contextmanager
def pebble(
    address: str,
    folder: Path,
    *,
    eab: dict[str, str] | None = None,
    names: str = "",
    ocsp: str = "",
    **environment: str,
) -> Iterator[Pebble]:
    """An authority of our own, to which every name is at this address, or what this name server says."""
    if shutil.which("pebble") is None:
        pytest.fail("these tests need an authority: apt-get install pebble")
    own = vouch("localhost")
    (folder / "own.pem").write_text(own.certificate)
    (folder / "own.key").write_text(own.key)
    (folder / "own-root.pem").write_text(own.root)
    made = Pebble(folder, address, _free_ports(4), environment, eab or {}, names, ocsp)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def _free_ports(count: int) -> tuple[int, ...]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(socket.socket())) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return tuple(each.getsockname()[1] for each in sockets)
