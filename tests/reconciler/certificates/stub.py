"""An authority that answers as no authority should: a server with TLS on a real socket."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from state.certificates.authorities import Authority
from tests.state.vouching import vouch

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def stub(folder: Path, answer: Answer) -> Iterator[Authority]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        do_HEAD = do_POST = do_GET  # noqa: N815

        def handle(self) -> None:
            with suppress(OSError):  # who asked has gone, as one should
                super().handle()

        def log_message(self, *_: object) -> None:
            pass

    own = vouch("localhost")
    (folder / "own.pem").write_text(own.certificate + own.key)
    (folder / "root.pem").write_text(own.root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "own.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"https://localhost:{server.server_address[1]}"
        yield Authority(directory=f"{url}/dir", roots=folder / "root.pem")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def say(handler: BaseHTTPRequestHandler, status: int, text: str, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Replay-Nonce": "bm9uY2U", "Content-Length": str(len(text)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(text.encode())


def until_the_order(handler: BaseHTTPRequestHandler) -> bool:
    """Whether it has answered: to all but an order, as it should."""
    base = f"https://{handler.headers['Host']}"
    if handler.path == "/dir":
        names = ("newNonce", "newAccount", "newOrder")
        say(handler, 200, json.dumps({name: f"{base}/{name}" for name in names}))
    elif handler.path == "/newAccount":
        say(handler, 201, '{"status": "valid"}', Location=f"{base}/account/1")
    elif handler.path == "/newNonce":
        say(handler, 200, "")
    else:
        return False
    return True


def limited(handler: BaseHTTPRequestHandler, wait: str = "7200", detail: str = "too many") -> None:
    """Every order is one too many; in two hours it is not."""
    if not until_the_order(handler):
        said = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": detail}
        say(handler, 429, json.dumps(said), Retry_After=wait, Content_Type="application/problem+json")
