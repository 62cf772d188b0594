"""Zones from other name servers: from those that may be asked, of a bounded size, and one at a time."""

import socketserver
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from ipaddress import ip_network

import dns.message
import dns.rcode
import dns.rrset
import pytest

from api import zone_transfer
from api.errors import NoTransfer, TooMany
from api.zone_transfer import transfer
from api.zone_wish import TransferKey
from state.dns.master import read_master
from state.errors import Invalid

SOA = "example.com. 60 IN SOA ns1.example.net. a.example.net. 7 3600 1800 1209600 60"
LINES = (SOA, "example.com. 60 IN NS ns1.example.net.", "www.example.com. 60 IN A 192.0.2.1", SOA)
LOOPBACK = (ip_network("127.0.0.0/8"),)


@contextmanager
def serving(answers: Sequence[Sequence[str]], rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Iterator[int]:
    """A name server on this machine whose answers to a transfer are these lines, message by message; its port."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack("!H", self.rfile.read(2))
            query = dns.message.from_wire(self.rfile.read(length), ignore_trailing=True, keyring=False)
            for lines in answers:
                response = dns.message.make_response(query)
                response.set_rcode(rcode)
                for line in lines:
                    name, ttl, _, kind, rest = line.split(None, 4)
                    response.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, rest))
                wire = response.to_wire(max_size=65535)
                try:
                    self.wfile.write(struct.pack("!H", len(wire)) + wire)
                except OSError:
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield int(server.server_address[1])
        finally:
            server.shutdown()
            thread.join()


def fetch(port: int, key: TransferKey | None = None, owner: str = "anna") -> str:
    return transfer("example.com", "127.0.0.1", port, key, allowed=LOOPBACK, owner=owner)


def test_a_zone_is_had_in_several_messages() -> None:
    with serving([LINES[:2], LINES[2:]]) as port:
        file = read_master(fetch(port), "example.com")
    assert (file.faults, file.serial, [line.entry.name for line in file.records]) == ((), 7, ["@", "www"])


@pytest.mark.parametrize("rcode", [dns.rcode.REFUSED, dns.rcode.NOTAUTH, dns.rcode.SERVFAIL])
def test_a_server_that_does_not_want_to_says_why(rcode: dns.rcode.Rcode) -> None:
    with (
        serving([[]], rcode) as port,
        pytest.raises(NoTransfer, match=f"did not hand example.com over: .*{dns.rcode.to_text(rcode)}"),
    ):
        fetch(port)


def test_what_ends_in_the_middle_is_no_zone() -> None:
    with serving([LINES[:3]]) as port, pytest.raises(NoTransfer, match=r"did not hand example\.com over"):
        fetch(port)


def test_an_answer_that_is_not_signed_is_not_believed() -> None:
    key = TransferKey(name="k", secret="c2VjcmV0c2VjcmV0")
    with serving([LINES]) as port, pytest.raises(NoTransfer, match="TSIG"):
        fetch(port, key)


def test_a_zone_that_does_not_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_transfer, "MOST_LINES", 300)
    many = [f"h{n}.example.com. 60 IN A 192.0.2.1" for n in range(100)]
    with (
        serving([[SOA, *many], *[many] * 1000]) as port,
        pytest.raises(Invalid, match="more than 300 records"),
    ):
        fetch(port)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "::ffff:10.0.0.1", "0.0.0.0"]
)
def test_only_public_servers_are_asked_however_they_are_called(address: str) -> None:
    with pytest.raises(Invalid, match="not public"):
        transfer(
            "example.com",
            "ns",
            53,
            None,
            allowed=(),
            owner="anna",
            resolve=lambda _: ("192.0.114.1", address),
        )


def test_a_name_that_is_unknown_or_of_nothing_is_told() -> None:
    def unknown(_: str) -> Sequence[str]:
        raise OSError("the name cannot be resolved")

    with pytest.raises(NoTransfer, match="ns: the name cannot be resolved"):
        transfer("example.com", "ns", 53, None, allowed=(), owner="anna", resolve=unknown)
    with pytest.raises(NoTransfer, match="no address"):
        transfer("example.com", "ns", 53, None, allowed=(), owner="anna", resolve=lambda _: ())


def test_one_zone_is_had_at_a_time_by_each(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go = threading.Event(), threading.Event()

    def slow(_: str) -> Sequence[str]:
        begun.set()
        go.wait(30)
        return ()

    def first() -> None:
        with pytest.raises(NoTransfer):
            transfer("example.com", "ns", 53, None, allowed=(), owner="anna", resolve=slow)

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(30)
    with serving([LINES]) as port:
        with pytest.raises(TooMany):
            fetch(port)
        assert fetch(port, owner="bert")
        go.set()
        thread.join()
        assert fetch(port)


def test_one_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_transfer, "SECONDS", 0.01)
    monkeypatch.setattr(zone_transfer, "LOOK_UP", 0.01)
    go = threading.Event()

    def slow(_: str) -> Sequence[str]:
        go.wait(30)
        return ()

    with pytest.raises(NoTransfer, match="in time"):
        transfer("example.com", "ns", 53, None, allowed=(), owner="late", resolve=slow)
    go.set()
