"""Running the machine's own tools, so that none of them outlives an interrupted controller."""

import fcntl
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from inventories.lab.faults import LabFailed

RUNTIME = Path("/run/ghostcp-lab")
"""Locks and control sockets: gone after a reboot, and short enough for the path of a socket."""

DIE_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL")
OWN_MOUNTS = ("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


_held: set[int] = set()


def run(argv: Sequence[str | Path], *, text: str | None = None, env: Mapping[str, str] | None = None) -> str:
    """What `argv` printed; `text` is its standard input. Raises LabFailed with its last words."""
    done = subprocess.run(
        [str(word) for word in argv],
        input=text,
        stdin=subprocess.DEVNULL if text is None else None,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **(env or {})},
        pass_fds=_held,
    )
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-4000:]
        raise LabFailed(f"{' '.join(map(str, argv))}: exit status {done.returncode}\n{said}")
    return done.stdout


def attempt(argv: Sequence[str | Path]) -> bool:
    """Whether `argv` succeeded; for what may already be done."""
    with suppress(LabFailed, OSError):
        run(argv)
        return True
    return False


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock file `path`; yields False, at once, when another holds it and `wait` is False.

    The lock ends with the process that holds it, however that ends, and with the tools that it was running:
    who has the lock knows that nothing is still going on. A holder may delete the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            if _is_file(descriptor, path):
                _held.add(descriptor)
                yield True
                return
        finally:
            _held.discard(descriptor)
            os.close(descriptor)


def _is_file(descriptor: int, path: Path) -> bool:
    """Whether `descriptor` is still what `path` names: its last holder may have deleted it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def write(path: Path, content: str, mode: int = 0o644) -> None:
    """Write a file in one step: it has all of `content`, or is as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w") as file:
        file.write(content)
    draft.replace(path)
