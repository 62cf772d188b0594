"""Zones as they are answered, by a name server that the test has in its hands; of many not all each time."""

import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import dns.message
import dns.rrset
import pytest

from playbooks.module_utils.ghostcp import bind_proof, served, soa
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.wire import Change

RIGHT = {"current": True}
NAMES = [f"{letter}.test" for letter in "abcde"]


class Server:
    """A name server that has these zones, each with a serial, and knows whom it was asked for."""

    def __init__(self) -> None:
        self.zones: dict[str, int] = {}
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            wire, client = self._socket.recvfrom(4096)
            if not wire:
                return
            question = dns.message.from_wire(wire)
            name = str(question.question[0].name).rstrip(".")
            self.asked.append(name)
            answer = dns.message.make_response(question)
            if name in self.zones:
                text = f"ns1.example.net. h.example.net. {self.zones[name]} 1 2 3 4"
                answer.answer.append(dns.rrset.from_text(f"{name}.", 300, "IN", "SOA", text))
            self._socket.sendto(answer.to_wire(), client)


class Machine:
    """A host on which named runs or does not; told to load, it has the zones whose `files` it is given."""

    def __init__(self, root: Path, server: Server) -> None:
        self.state, self.life, self.mends = "active", "one", True
        self.said: list[tuple[str, ...]] = []
        self._server, self._folder = server, root / "etc/ghostcp/generations/1/named"
        self._folder.mkdir(parents=True)
        (root / "etc/ghostcp/live").symlink_to("generations/1")
        (root / "run/ghostcp").mkdir(parents=True)
        self.host = Host(str(root), self._run)

    def write(self, *zones: str, serial: int = 1) -> None:
        for zone in zones:
            text = f"$ORIGIN {zone}.\n@ 300 IN SOA ns1.example.net. h.example.net. {serial} 1 2 3 4\n"
            path = self._folder / f"{zone}.zone"
            path.unlink(missing_ok=True)
            path.write_text(text)

    def _run(self, argv: Sequence[str], timeout: float) -> tuple[int, str]:
        if argv[0] == "systemctl":
            fields = {"Id": "named.service", "LoadState": "loaded", "InvocationID": self.life}
            return 0, "\n".join(f"{k}={v}" for k, v in {**fields, "ActiveState": self.state}.items())
        self.said.append(tuple(argv))
        if argv[:2] in (("rndc", "reload"), ("rndc", "reconfig")) and self.mends:
            for path in self._folder.glob("*.zone"):
                self._server.zones[path.stem] = bind_proof.serial(str(self._folder.parent), path.stem) or 0
        return 0, ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    monkeypatch.setattr(soa, "PORT", made.port)
    monkeypatch.setattr(bind_proof, "SECONDS", 0.1)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def machine(tmp_path: Path, server: Server) -> Machine:
    return Machine(tmp_path, server)


def test_a_zone_is_current_when_it_is_answered_as_its_file_says(machine: Machine, server: Server) -> None:
    machine.write("good.test", "lost.test", "old.test")
    server.zones = {"good.test": 1, "old.test": 7, "unknown.test": 1}
    names = ["good.test", "lost.test", "old.test", "unknown.test"]
    wrong = dict.fromkeys(names[1:])
    assert served.observe(machine.host, names) == {"good.test": RIGHT, **wrong}


def test_nothing_is_said_against_zones_as_long_as_named_does_not_run(machine: Machine) -> None:
    machine.write("lost.test")
    machine.state = "inactive"
    assert served.observe(machine.host, ["lost.test"]) == {"lost.test": RIGHT}


@pytest.fixture
def many(machine: Machine, server: Server, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Five zones, of which two are asked for in any case; all were asked for once."""
    monkeypatch.setattr(served, "AT_ONCE", 2)
    machine.write(*NAMES)
    server.zones = dict.fromkeys(NAMES, 1)
    assert served.observe(machine.host, NAMES) == dict.fromkeys(NAMES, RIGHT)
    assert sorted(server.asked) == NAMES
    server.asked.clear()
    return machine


def test_of_many_zones_each_is_asked_for_in_its_turn(many: Machine, server: Server) -> None:
    del server.zones["e.test"]
    found = [served.observe(many.host, NAMES) for _ in range(3)]
    assert found[-1] == {**dict.fromkeys(NAMES, RIGHT), "e.test": None}
    assert len(server.asked) <= 7
    assert served.observe(many.host, NAMES)["e.test"] is None


def test_all_zones_are_asked_for_when_named_was_started_anew(many: Machine, server: Server) -> None:
    many.life = "two"
    server.zones = {"a.test": 1}
    assert served.observe(many.host, NAMES) == {**dict.fromkeys(NAMES), "a.test": RIGHT}


def test_a_zone_whose_file_changed_is_asked_for(many: Machine, server: Server) -> None:
    many.write("d.test", "e.test", serial=2)
    found = served.observe(many.host, NAMES)
    assert [found[name] for name in ("d.test", "e.test")] == [None, None]
    assert len(server.asked) == 4


def _make(machine: Machine, *zones: str) -> dict[str, str]:
    changes = [Change("create", f"served:{zone}") for zone in zones]
    return {key: each.status for key, each in served.apply(machine.host, changes).items()}


def test_what_is_lost_is_loaded_again_and_what_is_there_is_left_alone(
    machine: Machine, server: Server
) -> None:
    machine.write("a.test", "b.test")
    server.zones = {"a.test": 1}
    assert _make(machine, "a.test") == {"served:a.test": "applied"}
    assert machine.said == []
    assert _make(machine, "a.test", "b.test") == {"served:a.test": "applied", "served:b.test": "applied"}
    assert ("rndc", "delzone", "b.test") in machine.said
    assert served.observe(machine.host, ["b.test"]) == {"b.test": RIGHT}


def test_many_are_loaded_together(machine: Machine, server: Server) -> None:
    zones = [f"z{n}.test" for n in range(60)]
    machine.write(*zones)
    assert set(_make(machine, *zones).values()) == {"applied"}
    assert ("rndc", "reload") in machine.said


def test_what_named_does_not_load_again_failed_and_nothing_else_did(machine: Machine, server: Server) -> None:
    machine.mends = False
    machine.write("a.test", "b.test")
    server.zones = {"a.test": 1}
    assert _make(machine, "a.test", "b.test") == {"served:a.test": "applied", "served:b.test": "failed"}
    gone = Change("delete", "served:b.test")
    assert served.apply(machine.host, [gone])[gone.key].good
