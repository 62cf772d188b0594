"""Images that hosts start from, kept outside the tree by the digest of what goes into them.

There are two layers: bare Debian, and on top of it what `playbooks/bootstrap.yml` makes of it on a running
host. An image is built beside its place and moved there in one step; one process builds while others wait.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from inventories.lab import debian, hosts
from inventories.lab.faults import LabFailed
from inventories.lab.host import Lab
from inventories.lab.process import DIE_WITH_PARENT, OWN_MOUNTS, locked, run

Progress = Callable[[str], None]

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"
_PART = ".part"
_KEPT_UNUSED = 30 * 24 * 3600.0


def ensure(progress: Progress) -> tuple[Path, ...]:
    """The layers of the image of a bootstrapped host, the uppermost first, built where they are missing."""
    sweep()
    bare = _directory() / f"bare-{_digest(_bare_inputs())}"
    ready = _directory() / f"host-{_digest([bare.name.encode(), *_bootstrap_inputs()])}"
    _build_once(bare, progress, lambda part: _debootstrap(part, progress))
    _build_once(ready, progress, lambda part: _bootstrap(part, bare / "root", progress))
    for used in (bare, ready):
        os.utime(used)
    return ready / "root", bare / "root"


def sweep() -> None:
    """Take away what interrupted builds left behind."""
    for part in _directory().glob(f"*{_PART}"):
        lock = _lock(part.with_suffix(""))
        with locked(lock, wait=False) as ours:
            if ours:
                _discard(part)
                lock.unlink()


def _build_once(place: Path, progress: Progress, build: Callable[[Path], None]) -> None:
    part, lock = place.with_name(f"{place.name}{_PART}"), _lock(place)
    while not place.is_dir():
        with locked(lock, wait=False) as ours:
            if ours:
                try:
                    _build(place, part, build)
                finally:
                    _discard(part)
                    lock.unlink()
                return
        progress(f"Waiting for another process that builds {place.name}")
        with locked(lock):
            lock.unlink()


def _build(place: Path, part: Path, build: Callable[[Path], None]) -> None:
    if not place.is_dir():
        _discard(part)
        part.mkdir()
        build(part)
        os.sync()
        part.rename(place)
        _prune()


def _prune() -> None:
    """Delete the images that nobody has asked for in a month and no running host stands on."""
    images = [place for place in _directory().glob("[bh]*-*") if place.suffix != _PART]
    for place in images:
        if time.time() - place.stat().st_mtime > _KEPT_UNUSED and not _mounted(place):
            shutil.rmtree(place)


def _mounted(place: Path) -> bool:
    for mounts in Path("/proc").glob("[0-9]*/mounts"):
        with suppress(OSError):
            if f"{place}/" in mounts.read_text():
                return True
    return False


def _discard(part: Path) -> None:
    if part.exists():
        hosts.remove(_building_site(part))
        shutil.rmtree(part)


def _building_site(part: Path) -> Lab:
    return Lab("image", part)


def _debootstrap(part: Path, progress: Progress) -> None:
    progress(f"Building a bare Debian {debian.SUITE} (about half a minute, once)")
    mirror, proxy = debian.mirror(), debian.proxy()
    run(
        [
            *(*DIE_WITH_PARENT, *OWN_MOUNTS, "mmdebstrap", "--quiet", "--mode=root", "--variant=minbase"),
            *("--include", ",".join(debian.PACKAGES), "--keyring", debian.KEYRING),
            *("--aptopt", 'Acquire::Languages "none"', "--dpkgopt", "force-unsafe-io"),
            *(("--aptopt", f'Acquire::http::Proxy "{proxy}"') if proxy else ()),
            *(debian.SUITE, part / "root", f"deb {mirror} {debian.SUITE} main"),
        ],
        env={"TMPDIR": str(part), "LC_ALL": "C.UTF-8"},
    )
    for key in (part / "root/etc/ssh").glob("ssh_host_*"):
        key.unlink()
    # The package lists have been cleaned away; their directory must not look freshly updated.
    os.utime(part / "root/var/lib/apt/lists", (0, 0))


def _bootstrap(part: Path, bare: Path, progress: Progress) -> None:
    """Boot a clone of the bare image, run the playbook on it as on any host, and keep what it wrote."""
    site = _building_site(part)
    progress("Booting it")
    (host,) = hosts.ensure(site, 1, (bare,))
    progress("Running playbooks/bootstrap.yml on it")
    _play(host.inventory, part, progress)
    hosts.halt(site)
    upper = host.directory / "upper"
    for leftover in (*hosts.seeded(upper), *(upper / "var/cache/apt/archives").glob("*.deb")):
        leftover.unlink(missing_ok=True)
    for state in ("tmp", "root/.ansible", "var/log/journal"):
        shutil.rmtree(upper / state, ignore_errors=True)
    upper.rename(part / "root")
    hosts.remove(site)
    (part / "ansible.cfg").unlink()
    shutil.rmtree(part / "ansible", ignore_errors=True)


def _play(inventory: Path, part: Path, progress: Progress) -> None:
    play = Path(sys.executable).parent / "ansible-playbook"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_CONFIG": str(part / "ansible.cfg"),
        "ANSIBLE_HOME": str(part / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    (part / "ansible.cfg").touch()
    said: list[str] = []
    with subprocess.Popen(
        [*DIE_WITH_PARENT, play, "-i", inventory, PLAYBOOKS / "bootstrap.yml"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    ) as playing:
        for line in playing.stdout or ():
            said.append(line)
            if line.startswith("TASK ["):
                progress(f"  {line[6:].partition(']')[0]}")
    if playing.returncode:
        raise LabFailed(f"playbooks/bootstrap.yml failed:\n{''.join(said)[-6000:]}")


def _directory() -> Path:
    """Where images are kept: $GHOSTCP_CACHE/images."""
    place = Path(os.environ.get("GHOSTCP_CACHE", "/var/cache/ghostcp")) / "images"
    place.mkdir(parents=True, exist_ok=True)
    return place


def _lock(place: Path) -> Path:
    return place.with_name(f".{place.name}.lock")


def _bare_inputs() -> Iterable[bytes]:
    yield from (debian.SUITE.encode(), debian.mirror().encode(), " ".join(debian.PACKAGES).encode())
    yield os.uname().machine.encode()


def _bootstrap_inputs() -> Iterable[bytes]:
    for path in [PLAYBOOKS / "bootstrap.yml", *sorted((PLAYBOOKS / "roles").rglob("*"))]:
        with suppress(IsADirectoryError):
            content = path.read_bytes()
            yield from (str(path.relative_to(PLAYBOOKS)).encode(), content)


def _digest(inputs: Iterable[bytes]) -> str:
    total = hashlib.sha256()
    for part in inputs:
        total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:16]
