"""What visitors are shown: seen by real handshakes with a server, and of many names not all each time."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_certificate

from playbooks.module_utils.ghostcp import observe, shown
from playbooks.module_utils.ghostcp.host import Host
from state import resource
from state.certificates.chains import read_chain
from tests.playbooks.calls import config, make, send, statuses
from tests.playbooks.remote import change
from tests.state.vouching import Vouched, vouch


class Server:
    """A web server that shows each name its own certificate, and knows whom it was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        self._folder, self._names = folder, dict[str, ssl.SSLContext]()
        self._context = self._made(vouch("placeholder.invalid"))
        self._context.sni_callback = self._chosen
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def show(self, name: str, given: Vouched) -> None:
        self._names[name] = self._made(given)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _made(self, given: Vouched) -> ssl.SSLContext:
        path = self._folder / "shown.pem"
        path.write_text(given.chain + given.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _chosen(self, connection: Any, name: str, _: object) -> int | None:
        self.asked.append(name)
        if name not in self._names:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        connection.context = self._names[name]
        return None

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with suppress(OSError), self._context.wrap_socket(connection, server_side=True) as secured:
                secured.recv(1)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server(tmp_path)
    monkeypatch.setattr(shown, "PORT", made.port)
    try:
        yield made
    finally:
        made.close()


def _attributes(given: Vouched) -> dict[str, str]:
    chain = read_chain(given.chain)
    return dict(resource.shown("x", chain.fingerprint, chain.valid_until).attributes)


def test_each_name_is_seen_as_it_is_shown_and_one_of_nobody_as_none(host: Host, server: Server) -> None:
    one, other = vouch("a.test"), vouch("b.test", days=3)
    server.show("a.test", one)
    server.show("b.test", other)
    found = shown.observe(host, ["a.test", "b.test", "c.test"])
    assert found == {"a.test": _attributes(one), "b.test": _attributes(other), "c.test": None}


@pytest.mark.parametrize("years", [0.1, 10, 60])
def test_the_end_of_a_certificate_is_told_in_either_form_of_time(years: float) -> None:
    pem = vouch("a.test", days=365 * years).certificate
    certificate = load_pem_x509_certificate(pem.encode())
    told = datetime.fromisoformat(shown.valid_until(certificate.public_bytes(Encoding.DER)))
    assert told == certificate.not_valid_after_utc


@pytest.mark.parametrize("der", [b"", b"\x30", b"\x30\x03\x02\x01\x05", b"\x30\x82"])
def test_what_is_no_certificate_is_said_to_be_none(der: bytes) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        shown.valid_until(der)


def test_a_server_that_is_not_there_shows_nothing(
    host: Host, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setattr(shown, "PORT", free.getsockname()[1])
    assert shown.observe(host, ["a.test"]) == {"a.test": None}


def test_a_server_that_hangs_is_waited_for_once(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(shown, "PORT", silent.getsockname()[1])
        monkeypatch.setattr(shown, "SECONDS", 0.05)
        assert shown.observe(host, ["a.test", "b.test"]) == {"a.test": None, "b.test": None}
        silent.accept()[0].close()
        silent.settimeout(0.05)
        with pytest.raises(TimeoutError):
            silent.accept()


NAMES = [f"{letter}.test" for letter in "abcde"]


@pytest.fixture
def many(host: Host, server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Five names, of which two are looked at anew in any case; all were seen once."""
    monkeypatch.setattr(shown, "AT_ONCE", 2)
    make(host, *(config(f"{name}.conf") for name in NAMES))
    for name in NAMES:
        server.show(name, vouch(name))
    shown.observe(host, NAMES)
    assert server.asked == NAMES
    server.asked.clear()
    return server


def test_of_many_names_those_that_were_seen_longest_ago_are_seen_anew(host: Host, many: Server) -> None:
    first = shown.observe(host, NAMES)
    assert len(many.asked) == 2
    for name in NAMES:
        many.show(name, vouch(name, days=5))
    seen = [shown.observe(host, NAMES) for _ in range(3)][-1]
    assert set(many.asked) == set(NAMES)
    assert all(seen[name] != first[name] for name in NAMES)


def test_a_name_whose_files_changed_is_seen_anew(host: Host, many: Server) -> None:
    for name in ("d.test", "e.test"):
        many.show(name, vouch(name, days=5))
        make(host, config(f"{name}.conf", "other\n"))
    assert shown.observe(host, NAMES)["e.test"] != {}
    assert {"d.test", "e.test"} <= set(many.asked)
    assert len(many.asked) == 4


def test_what_was_forgotten_or_cannot_be_read_is_seen_anew(host: Host, many: Server) -> None:
    shown.forget(host, ["e.test"])
    shown.observe(host, NAMES)
    assert "e.test" in many.asked
    Path(host.path(shown.MEMORY)).write_text("[]")
    shown.forget(host, ["e.test"])
    many.asked.clear()
    shown.observe(host, NAMES)
    assert sorted(many.asked) == NAMES


def test_what_is_shown_is_looked_at_after_all_else_and_needs_what_it_follows_from(
    host: Host, server: Server
) -> None:
    given = vouch("a.test")
    chain = read_chain(given.chain)
    server.show("a.test", given)
    good, bad = config("a.conf"), config("b.conf", "bad\n")
    right = resource.shown("a.test", chain.fingerprint, chain.valid_until, requires=(good.key,))
    held = resource.shown("b.test", chain.fingerprint, chain.valid_until, requires=(bad.key,))
    response = send(host, *(change(it, None) for it in (right, held, good, bad)))
    assert statuses(response)[right.key] == "applied"
    assert statuses(response)[held.key] == "skipped"
    assert response["observed"][right.key] == right.attributes
    found = observe.observe(host, {"resources": {right.key: right.digest}})
    assert found["equal"] == [right.key]


def test_nobody_is_said_to_undo_what_a_web_server_that_does_not_run_does_not_show(host: Host) -> None:
    chain = read_chain(vouch("a.test").chain)
    wanted = resource.shown("a.test", chain.fingerprint, chain.valid_until)
    result = send(host, change(wanted, None), services=["nginx"])["results"][wanted.key]
    assert result == {"status": "skipped", "message": "it needs service:nginx, which failed"}
