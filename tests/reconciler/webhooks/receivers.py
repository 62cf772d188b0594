"""Receivers of webhooks as they are met: real servers that answer, fail, drop connections, and never end."""

import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTP server: `answer` says the status of each request, and may take its time; `got` is what came."""

    answer: Callable[[Received], int] = lambda _: 200
    got: list[Received] = field(default_factory=list)
    headers: Mapping[str, str] = field(default_factory=dict)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.got]

    def handle(self, received: Received) -> int:
        self.got.append(received)
        return self.answer(received)


@contextmanager
def listening(receiver: Receiver) -> Iterator[Receiver]:
    """The receiver on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.handle(Received(self.path, dict(self.headers), body))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        receiver.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def speaking(parts: Callable[[threading.Event], Iterator[bytes]]) -> Iterator[str]:
    """The URL of a server that says these bytes to whoever connects, until they or the test end."""
    over, threads = threading.Event(), []
    listener = socket.create_server(("127.0.0.1", 0))

    def speak(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(65536)
            for part in parts(over):
                if over.is_set():
                    return
                connection.sendall(part)

    def accept() -> None:
        with suppress(OSError):
            while True:
                thread = threading.Thread(target=speak, args=(listener.accept()[0],))
                threads.append(thread)
                thread.start()

    acceptor = threading.Thread(target=accept)
    acceptor.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    finally:
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in (acceptor, *threads):
            thread.join()
