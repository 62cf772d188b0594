"""The peer of what is done for zones: octoDNS, which reads the same zones twice and plans what differs (nothing)."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from state.document import Document
from state.kinds.dns_record import DnsRecord
from tests.bench.company import zones
from tests.bench.figures import Say

FEW, MANY = 10, 210
SOURCE = f"octoDNS planning, from {MANY - FEW} zones linearly"
_SIDES = ("source", "target")


def planning(say: Say) -> float:
    """Seconds for one zone more when nothing is to be done: both sides are files, and nobody is asked."""
    say(f"octoDNS: planning {MANY} zones")
    return (_plan(MANY) - _plan(FEW)) / (MANY - FEW)


def _plan(count: int) -> float:
    """Seconds that a dry run takes. Raises RuntimeError with its output when it fails, or has something to do."""
    with tempfile.TemporaryDirectory(prefix="ghostcp-bench-") as folder:
        top = Path(folder)
        found = dict(_files(zones(count, "")))
        for side in _SIDES:
            (top / side).mkdir()
            for name, text in found.items():
                (top / side / f"{name}yaml").write_text(text)
        (top / "config.yaml").write_text(yaml.safe_dump(_configuration(top, list(found))))
        argv = [
            str(Path(sys.executable).with_name("octodns-sync")),
            "--config-file",
            str(top / "config.yaml"),
        ]
        began = time.perf_counter()
        ended = subprocess.run(argv, capture_output=True, text=True, check=False)
        took = time.perf_counter() - began
    if ended.returncode != 0 or "No changes were planned" not in ended.stdout + ended.stderr:
        raise RuntimeError(f"octoDNS: {ended.stdout[-2000:]}{ended.stderr[-2000:]}")
    return took


def _configuration(top: Path, names: list[str]) -> dict[str, Any]:
    provider = "octodns.provider.yaml.YamlProvider"
    return {
        "providers": {side: {"class": provider, "directory": str(top / side)} for side in _SIDES},
        "zones": {name: {"sources": ["source"], "targets": ["target"]} for name in names},
    }


def _files(documents: Iterator[Document]) -> Iterator[tuple[str, str]]:
    """The file of each zone by its whole name."""
    records: dict[str, dict[str, list[dict[str, Any]]]] = {}
    for document in documents:
        if isinstance(document.spec, DnsRecord):
            zone = document.name.partition(".")[2]
            owner = document.spec.name.replace("@", "")
            records.setdefault(f"{zone}.", {}).setdefault(owner, []).append(_record(document.spec))
    for zone, owners in records.items():
        yield zone, yaml.safe_dump(owners)


def _record(spec: DnsRecord) -> dict[str, Any]:
    """A record as octoDNS has it; where names lead does not matter to it."""
    target = f"{spec.value.split()[-1]}.example."
    forms: dict[str, Any] = {
        "MX": {"preference": spec.priority, "exchange": target},
        "SRV": {"priority": spec.priority, "weight": 0, "port": 993, "target": target},
        "CAA": {"flags": 0, "tag": "issue", "value": "letsencrypt.org"},
        "CNAME": target,
        "TXT": spec.value.replace(";", "\\;"),
    }
    return {"type": spec.record_type, "ttl": spec.ttl, "value": forms.get(spec.record_type, spec.value)}
