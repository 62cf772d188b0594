"""The peer of what the reconciler does: the same resources as ordinary looped tasks of a playbook."""

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inventories.lab import LabHost
from state.document import Document
from state.kinds.user import FIRST_UID
from state.paths import home_of
from state.settings import PLAYBOOKS
from state.site_values import site_values
from tests.bench.company import company
from tests.bench.figures import Say

SITES = 20
SOURCE = "looped Ansible tasks"
_PLAYBOOK = Path(__file__).resolve().parent / "peer" / "sites.yml"
_HOMES = (("", "www-data", "0710"), ("/web", "", "0755"), ("/tmp", "", "0700"))


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds for a play over nothing, and for each site more."""

    start: float
    site: float

    def of(self, sites: int) -> float:
        return self.start + self.site * sites


@dataclass(frozen=True, slots=True)
class Costs:
    """What `SITES` sites were measured to cost when they were new, and when nothing was to be done."""

    new: Cost
    same: Cost


def measure(host: LabHost, say: Say, sites_each: int) -> Costs:
    """Plays for no site, for `SITES` new ones, and for the same again."""
    say(f"{SOURCE}: {SITES} sites, new and again")
    documents = list(company(SITES, host.name, sites_each))
    start = play(host, [])
    new, same = play(host, documents), play(host, documents)
    return Costs(Cost(start, (new - start) / SITES), Cost(start, (same - start) / SITES))


def play(host: LabHost, documents: list[Document]) -> float:
    """Seconds that the playbook takes for these. Raises RuntimeError with its output when it fails."""
    with tempfile.TemporaryDirectory(prefix="ghostcp-bench-") as folder:
        variables = Path(folder) / "sites.json"
        variables.write_text(json.dumps(_variables(documents)))
        program = Path(sys.executable).parent / "ansible-playbook"
        argv: list[str | Path] = [
            program,
            "-i",
            host.inventory,
            "-l",
            host.name,
            "-e",
            f"@{variables}",
            _PLAYBOOK,
        ]
        began = time.perf_counter()
        done = subprocess.run(argv, check=False, capture_output=True, text=True, env=_environment(folder))
        took = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"the plain playbook failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return took


def _environment(folder: str) -> dict[str, str]:
    """Ansible at its best: pipelining, and an ssh connection that stays open."""
    return {
        **os.environ,
        "ANSIBLE_HOME": f"{folder}/ansible",
        "ANSIBLE_PIPELINING": "True",
        "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=600s",
    }


def _variables(documents: list[Document]) -> dict[str, Any]:
    users = [document for document in documents if document.kind == "User"]
    sites = [dict(site_values(document)) for document in documents if document.kind == "WebDomain"]
    tenants = [
        {"name": d.name, "uid": FIRST_UID + 20_000 + (d.number or 0), "home": home_of(d.name)} for d in users
    ]
    homes = [
        {"name": d.name, "home": home_of(d.name), "below": below, "group": group or d.name, "mode": mode}
        for d in users
        for below, group, mode in _HOMES
    ]
    return {"tenants": tenants, "homes": homes, "sites": sites, "templates": str(PLAYBOOKS / "templates")}
