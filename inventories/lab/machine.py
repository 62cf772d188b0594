"""Starting and stopping the hosts of a lab: Debian roots booted by systemd-nspawn.

All that a running host has of its own — its overlay mount, its network namespace — lives in namespaces that
its processes hold, so that it is gone when they are: nothing to unmount, whoever was interrupted where.
"""

import os
import signal
import subprocess
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from inventories.lab import cgroup, network
from inventories.lab.faults import LabFailed
from inventories.lab.host import Lab, LabHost
from inventories.lab.network import Network
from inventories.lab.process import write

_OPEN_FILES = 1048576
_GRACE = 4.0

# In its own namespaces and control group it waits for a word on its standard input: a controller that dies
# before it has plugged in the network takes the unfinished host with it.
_LAUNCH = f"""
set -eu
for group in $GROUPS_; do echo $$ > "$group/cgroup.procs"; done
mount -t overlay ghostcp-lab -o "$OVERLAY" "$DIRECTORY/root"
echo $$ > "$DIRECTORY/pid"
echo ready
read -r go
ulimit -n {_OPEN_FILES} 2>/dev/null || ulimit -n "$(ulimit -H -n)"
exec systemd-nspawn --quiet --boot --register=no --keep-unit --console=pipe \
    --directory="$DIRECTORY/root" --machine="$NAME" --network-namespace-path=/proc/self/ns/net \
    --rlimit=RLIMIT_NOFILE="$(ulimit -n)" --capability=CAP_NET_ADMIN \
    --link-journal=no --resolv-conf=off --timezone=off \
    </dev/null >>"$DIRECTORY/console.log" 2>&1
"""


def start(lab: Lab, wires: Network, index: int, layers: Sequence[Path]) -> None:
    """Boot a host from read-only `layers`, the uppermost first; its files must have been prepared."""
    directory = lab.host_directory(index)
    for name in ("upper", "work", "root"):
        (directory / name).mkdir(exist_ok=True)
    lower = ":".join(map(str, layers))
    upper, work = directory / "upper", directory / "work"
    environment = {
        "GROUPS_": " ".join(map(str, cgroup.create(lab.cgroup(index)))),
        "OVERLAY": f"lowerdir={lower},upperdir={upper},workdir={work},redirect_dir=on",
        "DIRECTORY": str(directory),
        "NAME": lab.host_name(index),
        "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
    }
    with (directory / "console.log").open("ab") as console:
        launcher = subprocess.Popen(
            ["setsid", "--fork", "unshare", "--mount", "--net", "sh", "-c", _LAUNCH],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=console,
            env=environment,
            cwd="/",
        )
    with launcher as launched:
        if launched.stdout is None or launched.stdin is None or launched.stdout.readline() != b"ready\n":
            raise LabFailed(f"{lab.host_name(index)} does not start: {last_words(lab, index)}")
        network.attach(lab, wires, index, int((directory / "pid").read_text()))
        launched.stdin.write(b"go\n")
        launched.stdin.flush()


def pid(lab: Lab, index: int) -> int | None:
    """The supervisor of a host, or None when the host does not run."""
    with suppress(FileNotFoundError, ValueError):
        supervisor = int((lab.host_directory(index) / "pid").read_text())
        if supervisor in cgroup.processes(lab.cgroup(index)):
            return supervisor
    return None


def stop(lab: Lab, indices: Iterable[int]) -> None:
    """Shut hosts down, all at once; what has not ended after some seconds is killed."""
    chosen = tuple(indices)
    asked = set()
    for index in chosen:
        supervisor = pid(lab, index)
        if supervisor:
            asked.add(index)
            with suppress(OSError):
                cgroup.freeze(lab.cgroup(index), frozen=False)
            with suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGTERM)
    for index in chosen:
        if index in asked:
            cgroup.empty(lab.cgroup(index), _GRACE)
        cgroup.remove(lab.cgroup(index))


def last_words(lab: Lab, index: int) -> str:
    """The end of what a host, or its launcher, printed on its console."""
    with suppress(FileNotFoundError):
        return (lab.host_directory(index) / "console.log").read_text(errors="replace")[-2000:].strip()
    return "it printed nothing"


def known(lab: Lab) -> tuple[int, ...]:
    """The indices of the hosts that `lab` has: those it keeps files of, and those with a control group."""
    names = {place.name for place in (lab.directory / "hosts").glob("[0-9]*")} | cgroup.below(lab.cgroups)
    return tuple(sorted(int(name) for name in names if name.isdigit()))


def describe(lab: Lab, wires: Network, index: int) -> LabHost:
    ipv4, ipv6 = wires.addresses(index)
    return LabHost(lab.host_name(index), index, lab, ipv4, ipv6, pid(lab, index))


def record_layers(lab: Lab, index: int, layers: Sequence[Path]) -> None:
    write(lab.host_directory(index) / "layers", "\n".join(map(str, layers)))


def recorded_layers(lab: Lab, index: int) -> tuple[Path, ...]:
    """The layers that a host was made from, or nothing when they are not known or not there any more."""
    with suppress(FileNotFoundError):
        layers = tuple(map(Path, (lab.host_directory(index) / "layers").read_text().split("\n")))
        if all(layer.is_dir() for layer in layers):
            return layers
    return ()
