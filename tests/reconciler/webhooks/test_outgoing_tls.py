"""Encrypted requests go to a checked address, and believe a certificate only for the name in the URL."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reconciler.webhooks.attempts import Answer
from reconciler.webhooks.outgoing import Exchange

NAME = "hook.example"


def _certificate(path: Path) -> None:
    """A key, and a certificate for the name that is its own authority."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pkcs8 = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path.write_bytes(pkcs8 + made.public_bytes(serialization.Encoding.PEM))


class Server:
    """An HTTPS server: the names that clients asked for, and how many requests it got."""

    def __init__(self) -> None:
        self.names: list[str | None] = []
        self.requests = 0
        self.port = 0


@contextmanager
def _listening(certificate: Path) -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.requests += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    class Quiet(HTTPServer):
        def handle_error(self, *_: object) -> None:
            """Clients that refuse a certificate hang up."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: server.names.append(name)
    with Quiet(("127.0.0.1", 0), Handler) as listener:
        server.port = listener.server_address[1]
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


def _post(url: str) -> Answer:
    exchange = Exchange((ip_network("127.0.0.0/8"),), lambda _: ["127.0.0.1"], 5)

    async def send() -> Answer:
        async with exchange.line(url) as line:
            answer = await line.post({}, b"{}")
            assert answer is not None
            return answer

    return asyncio.run(send())


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    _certificate(tmp_path / "both.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "both.pem"))
    with _listening(tmp_path / "both.pem") as made:
        yield made


def test_the_certificate_of_the_name_is_believed(server: Server) -> None:
    assert _post(f"https://{NAME}:{server.port}/") == Answer(204)
    assert (server.names, server.requests) == ([NAME], 1)


def test_the_certificate_of_another_name_is_not(server: Server) -> None:
    answer = _post(f"https://other.example:{server.port}/")
    assert (answer.status, server.requests) == (None, 0)
    assert "certificate" in answer.message


def test_a_certificate_of_nobody_known_is_not(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    answer = _post(f"https://{NAME}:{server.port}/")
    assert (answer.status, server.requests) == (None, 0)
    assert "certificate" in answer.message
