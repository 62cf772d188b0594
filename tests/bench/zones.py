"""Zones of ten records: a sweep that finds nothing to do, and one record changed through the API, with many there."""

import socket
import struct
import time

import httpx

from tests.bench import octo
from tests.bench.company import zones
from tests.bench.figures import Line, Run, percentile, seconds, timed
from tests.bench.plant import Plant, fresh_host, plant
from tests.bench.sweeps import sweeps

TITLE = "Zones of ten records each, served by BIND"
_TARGETS = {1_000: 1.0, 10_000: 6.0}
_TIMES, _P50 = 30, 1.5


def measure(run: Run) -> list[Line]:
    """The same host, ever fuller."""
    lines = []
    sizes = [100] if run.quick else list(_TARGETS)
    planning = octo.planning(run.say)
    with fresh_host(run.say) as host, plant(host, "worker", "api") as made:
        made.store(zones(0, host.name))
        made.wait("the tenant is there", made.converged)
        empty, _ = sweeps(made)
        present = 0
        for count in sizes:
            run.say(f"zones: bringing {count:,} to life")
            have = {document.uid for document in zones(present, host.name)}
            began = time.perf_counter()
            made.store(d for d in zones(count, host.name) if d.uid not in have)
            made.wait(f"{count:,} zones are there", made.converged, pause=0.2)
            lines.append(
                timed(f"{count - present:,} zones more until all are served", time.perf_counter() - began)
            )
            present = count
            run.say(f"zones: looking at {count:,}")
            took, _ = sweeps(made)
            what = f"a sweep of {count:,} that finds nothing to do, over an empty one ({seconds(empty)})"
            peer = (octo.SOURCE, planning * count)
            lines.append(timed(what, took - empty, peer=peer, most=_TARGETS.get(count)))
        times = 5 if run.quick else _TIMES
        run.say(f"zones: changing {times} records, one after the other")
        changes = _changes(made, times)
        for share, most in ((0.5, _P50), (0.95, None)):
            words = f"p{share * 100:.0f} of {times}, {present:,} zones there"
            what = f"one record changed until it is answered, {words}"
            lines.append(timed(what, percentile(changes, share), most=most))
    return lines


def _changes(made: Plant, times: int) -> list[float]:
    took = []
    headers = {"Authorization": f"Bearer {made.token()}"}
    with httpx.Client(base_url=f"{made.url}/api/v1", headers=headers, trust_env=False, timeout=30) as client:
        for number in range(times):
            zone = (
                client.get("/dns", params={"domain": f"zone{number}.example"})
                .raise_for_status()
                .json()["zones"][0]
            )
            records = f"/dns/{zone['id']}/records"
            found = client.get(records, params={"name": "www", "record_type": "A"}).raise_for_status().json()
            address = f"203.0.113.{number + 1}"
            began = time.perf_counter()
            client.patch(f"{records}/{found['records'][0]['id']}", json={"value": address}).raise_for_status()
            _wait_for(made, f"www.zone{number}.example", address)
            took.append(time.perf_counter() - began)
            made.wait("nothing is pending", made.converged)
    return took


def _wait_for(made: Plant, name: str, address: str) -> None:
    made.wait(f"{name} is {address}", lambda: _address(made, name) == address, pause=0.005)


def _address(made: Plant, name: str) -> str:
    """What the host's name server says is the IPv4 address (RFC 1035, section 4); empty when it says none."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(1)
        sock.connect((made.host.ipv4, 53))
        try:
            sock.send(struct.pack("!6H", 1, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1))
            answer = sock.recv(4096)
        except OSError:
            return ""
    return socket.inet_ntoa(answer[-4:]) if answer[7] else ""
