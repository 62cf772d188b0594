"""An authority that is difficult: a real one, behind a door that now and then answers something else."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import yaml

from tests.lab.pebble import Pebble
from tests.state.vouching import vouch

Fault = Callable[[BaseHTTPRequestHandler], bool]
"""Whether it has answered a request itself."""


class Door:
    """Stands before an authority. `fault` may answer for it; `authorities` is the file that names the door."""

    def __init__(self, authority: Pebble, folder: Path) -> None:
        self.fault: Fault = nothing
        own = vouch("localhost")
        (folder / "door.pem").write_text(own.certificate + own.key)
        (folder / "door-root.pem").write_text(own.root)
        self._behind = httpx.Client(base_url=f"https://localhost:{authority.ports[0]}", verify=False)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "door.pem")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.authorities = folder / "door.yaml"
        directory = f"https://localhost:{self.server.server_address[1]}/dir"
        named = {"directory": directory, "roots": str(folder / "door-root.pem")}
        self.authorities.write_text(yaml.safe_dump({"pebble": named}))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not door.fault(self):
                    door.pass_on(self)

            do_HEAD = do_POST = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Whoever is asked by another name calls itself by that."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        twice = _redundant(body) if handler.path.startswith("/order-plz") else None
        if twice:
            say(handler, 400, json.dumps(twice).encode(), [("Content-Type", "application/problem+json")])
            return
        names = ("Host", "Content-Type", "User-Agent", "Accept")
        headers = {name: handler.headers[name] for name in names if name in handler.headers}
        got = self._behind.request(handler.command, handler.path, content=body, headers=headers, timeout=60)
        told = ("Content-Type", "Location", "Replay-Nonce", "Link", "Retry-After")
        head = [(name, each) for name in told for each in got.headers.get_list(name)]
        say(handler, got.status_code, got.content, head)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._behind.close()


def _redundant(body: bytes) -> dict[str, str] | None:
    """What Let's Encrypt says of an order for a name beside a wildcard that stands for it, which Pebble takes."""
    payload = json.loads(body)["payload"]
    order = json.loads(base64.urlsafe_b64decode(f"{payload}=="))
    names = [each["value"] for each in order["identifiers"]]
    twice = [n for n in names if not n.startswith("*.") and f"*.{n.partition('.')[2]}" in names]
    said = {
        "type": "urn:ietf:params:acme:error:malformed",
        "detail": f"{twice} redundant with a wildcard",
    }
    return said if twice else None


@contextmanager
def difficult(authority: Pebble, folder: Path) -> Iterator[Door]:
    """A door before this authority."""
    door = Door(authority, folder)
    thread = threading.Thread(target=door.server.serve_forever)
    thread.start()
    try:
        yield door
    finally:
        door.close()
        thread.join()


def say(handler: BaseHTTPRequestHandler, status: int, body: bytes, head: list[tuple[str, str]]) -> None:
    """Answers a request."""
    handler.send_response(status)
    for name, value in (*head, ("Content-Length", str(len(body)))):
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        with suppress(OSError):  # who asked has gone
            handler.wfile.write(body)


def nothing(_: BaseHTTPRequestHandler) -> bool:
    """No fault."""
    return False


def limited(handler: BaseHTTPRequestHandler) -> bool:
    """Too many orders: in two hours again (RFC 8555, section 6.6)."""
    if not handler.path.startswith("/order-plz"):
        return False
    said = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many certificates already"}
    head = [
        ("Retry-After", "7200"),
        ("Content-Type", "application/problem+json"),
        ("Replay-Nonce", "bm9uY2U"),
    ]
    say(handler, 429, json.dumps(said).encode(), head)
    return True


def nonsense(handler: BaseHTTPRequestHandler) -> bool:
    """A page of somebody else's in the middle of an order."""
    if not handler.path.startswith("/finalize-order"):
        return False
    say(handler, 200, b"<html>welcome</html>", [("Content-Type", "text/html"), ("Replay-Nonce", "bm9uY2U")])
    return True


def broken(handler: BaseHTTPRequestHandler) -> bool:
    """Out of order after the order was taken."""
    if not handler.path.startswith("/authZ"):
        return False
    say(handler, 503, b"<html>sorry</html>", [("Content-Type", "text/html"), ("Retry-After", "900")])
    return True


def slow(handler: BaseHTTPRequestHandler) -> bool:
    """So slow that nobody waits for it."""
    time.sleep(3.0)
    return not handler.path


def leisurely(handler: BaseHTTPRequestHandler) -> bool:
    """Slow, but it comes."""
    time.sleep(0.5)
    return not handler.path
