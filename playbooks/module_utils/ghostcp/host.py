"""The managed host as a value: where its root is, and how its commands are run."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Run = Callable[[Sequence[str], float], "tuple[int, str]"]


def run(argv: Sequence[str], timeout: float) -> tuple[int, str]:
    """Exit status and merged output of a command without input; 127 when it is missing, 124 when late."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            list(argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            env=environment,
            check=False,
        )
    except FileNotFoundError:
        return 127, f"{argv[0]} is not installed"
    except subprocess.TimeoutExpired:
        return 124, f"{argv[0]} did not finish within {timeout:.0f} s"
    return done.returncode, done.stdout.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Host:
    """A root directory (tests use another than ``/``) and the way to run commands there."""

    root: str = "/"
    run: Run = run

    def path(self, absolute: str) -> str:
        return self.root.rstrip("/") + absolute

    @property
    def real(self) -> bool:
        """Whether this is the running system, whose processes are its own."""
        return self.root == "/"


_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the quota of the owner is used up: raise it or free some space",
    errno.EROFS: "the file system is read-only: look into the kernel log and remount it",
    errno.EACCES: "permission denied even to root: look for a security module or a foreign mount",
    errno.EPERM: "not permitted even to root: look for an immutable flag with lsattr",
    errno.ENOTEMPTY: "the directory is not empty: move away what is in it",
    errno.ENOENT: "a directory on the way is missing: create it first",
    errno.EEXIST: "something else is already there: move it away",
    errno.EXDEV: "it lies on another file system: move it by hand",
    errno.EIO: "input/output error: look into the kernel log",
    errno.EBUSY: "it is in use, perhaps as a mount point: unmount it",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


def explain(error: OSError) -> str:
    """What the error means to whoever runs the host, and what to do."""
    advice = _ADVICE.get(error.errno or 0, os.strerror(error.errno) if error.errno else str(error))
    return f"{error.filename}: {advice}" if isinstance(error.filename, str) else advice


def write_atomically(path: str, data: bytes, mode: int = 0o644, *, durable: bool = True) -> None:
    """Replace `path` in root's own directory by `data`; after a crash it holds all of it, or the old."""
    folder = os.path.dirname(path)
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".ghostcp-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fchmod(descriptor, mode)
            if durable:
                os.fsync(descriptor)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    if durable:
        sync_directory(folder)


def sync_directory(path: str) -> None:
    sync_file(path, os.O_DIRECTORY)


def sync_file(path: str, flags: int = 0) -> None:
    """Bring what was written to a file or directory to the disk (fsync(2))."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
