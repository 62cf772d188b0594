"""What a lab can leave on the machine that it runs on, and controllers that are killed while they work."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from inventories.lab import Lab, cgroup

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60.0

UP = """
import sys
from pathlib import Path
from inventories import lab
lab.up(sys.argv[1], int(sys.argv[2]), var=Path(sys.argv[3]), progress=lambda step: print(step, flush=True))
"""


def output(*argv: str) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def processes(word: str) -> list[str]:
    """The command lines of this machine's processes that `word` is in; what has ended does not count."""
    return [
        line
        for line in output("ps", "-ewwo", "args").splitlines()
        if word in line and "<defunct>" not in line
    ]


def traces(lab: Lab) -> dict[str, object]:
    """All that is left of a lab, by where it was found; empty when nothing is."""
    found = {
        "processes": processes(f"{lab.directory}/") + processes(f"ghostcp-lab/{lab.id}"),
        "mounts": [
            line
            for line in Path("/proc/self/mountinfo").read_text().splitlines()
            if str(lab.directory) in line
        ],
        "links": [line for line in output("ip", "-o", "link").splitlines() if lab.bridge in line],
        "namespaces": [line for line in output("ip", "netns").splitlines() if lab.id in line],
        "rules": [line for line in output("iptables-save").splitlines() if lab.id in line],
        "groups": [
            top / "ghostcp-lab" / lab.id
            for top in cgroup.hierarchies()
            if (top / "ghostcp-lab" / lab.id).exists()
        ],
        "files": [lab.directory] if lab.directory.exists() else [],
        "runtime": list(Path("/run/ghostcp-lab").glob(f"{lab.id}*")),
    }
    return {where: what for where, what in found.items() if what}


def until(condition: Callable[[], object]) -> None:
    """Wait until `condition` holds."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


@contextmanager
def controller(lab: Lab, count: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that takes `lab` up; what is left of it at the end is killed."""
    with subprocess.Popen(
        [sys.executable, "-c", UP, lab.name, str(count), lab.var],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        yield process
        process.kill()
