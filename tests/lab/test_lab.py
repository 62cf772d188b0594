"""Labs come up, live side by side, survive whatever happens to their controller, and leave nothing."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from inventories import lab
from inventories.lab import Lab, LabFailed, LabHost, LabUnavailable, cgroup, image
from tests.lab.traces import ROOT, controller, output, processes, traces, until

pytestmark = pytest.mark.lab


@pytest.fixture
def place(lab_var: Path, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab that the test may take up; it goes down at the end."""
    mine = Lab(f"lab-{abs(hash(request.node.name)) % 10**6}", lab_var)
    yield mine
    lab.down(mine.name, var=mine.var)
    assert traces(mine) == {}


def boot_id(host: LabHost) -> str:
    return lab.exec(host, ["cat", "/proc/sys/kernel/random/boot_id", "/etc/machine-id"], check=True).stdout


def swept(images: Path) -> list[str]:
    """What a sweep leaves. Who is dying shows no command line any more, and may hold a lock for a moment yet."""
    image.sweep()
    return [path.name for path in images.iterdir()]


def ansible(host: LabHost) -> str:
    """What Ansible says when it looks for all hosts of the inventory that `host` is in."""
    command = [str(Path(sys.executable).parent / "ansible"), "-i", str(host.inventory), "all"]
    done = subprocess.run(
        [*command, "-m", "ansible.builtin.ping"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    return str(done.stdout + done.stderr)


def test_down_leaves_nothing(place: Lab) -> None:
    hosts = lab.up(place.name, 2, var=place.var)
    for host in hosts:
        lab.exec(host, ["true"], check=True)
    assert ansible(hosts[0]).count("SUCCESS") == 2
    assert set(traces(place)) == {"processes", "links", "rules", "groups", "files", "runtime"}

    lab.down(place.name, var=place.var)

    assert traces(place) == {}
    assert lab.status(place.name, var=place.var) == ()


def test_up_again_keeps_what_runs_and_adds_what_is_missing(place: Lab) -> None:
    (first,) = lab.up(place.name, var=place.var)
    booted = boot_id(first)

    again, second = lab.up(place.name, 2, var=place.var)

    assert again == first
    assert boot_id(again) == booted
    assert boot_id(second) != booted
    assert lab.up(place.name, 1, var=place.var) == (first, second)


def test_a_host_that_ended_is_booted_again_with_its_files(place: Lab) -> None:
    (host,) = lab.up(place.name, var=place.var)
    lab.exec(host, ["sh", "-c", "echo kept > /home/kept; sync"], check=True)
    cgroup.remove(place.cgroup(host.index))
    assert lab.status(place.name, var=place.var)[0].pid is None

    (again,) = lab.up(place.name, var=place.var)

    assert (again.ipv4, again.ipv6) == (host.ipv4, host.ipv6)
    assert lab.exec(again, ["cat", "/home/kept"]).stdout == "kept\n"


def test_two_labs_live_side_by_side(place: Lab, lab_host: LabHost) -> None:
    (host,) = lab.up(place.name, var=place.var)
    assert not ip_network(f"{host.ipv4}/24", strict=False).overlaps(
        ip_network(f"{lab_host.ipv4}/24", strict=False)
    )
    assert host.ssh_key.read_text() != lab_host.ssh_key.read_text()

    lab.down(place.name, var=place.var)

    assert lab.exec(lab_host, ["true"]).returncode == 0
    assert lab.exec(lab_host, ["apt-get", "update", "-q"]).returncode == 0, "the other lab lost its way out"


@pytest.mark.parametrize("moment", ["bridge", "group", "cable", "boot"])
def test_up_can_be_repeated_after_its_controller_was_killed(place: Lab, moment: str) -> None:
    moments: dict[str, Callable[[], object]] = {
        "bridge": lambda: place.bridge in output("ip", "-o", "link"),
        "group": lambda: cgroup.populated(place.cgroup(1)),
        "cable": lambda: f"{place.link(1)}@" in output("ip", "-o", "link"),
        "boot": lambda: f"--machine={place.host_name(2)}" in output("ps", "-ewwo", "args"),
    }
    with controller(place, 2) as killed:
        until(moments[moment])
        killed.kill()

    hosts = lab.up(place.name, 2, var=place.var)

    assert [lab.exec(host, ["hostname"]).stdout.strip() for host in hosts] == [host.name for host in hosts]
    assert len([line for line in processes("systemd-nspawn") if str(place.directory) in line]) == 2


@pytest.mark.parametrize("moment", ["bridge", "boot"])
def test_down_works_after_the_controller_was_killed(place: Lab, moment: str) -> None:
    with controller(place, 2) as killed:
        until(
            lambda: (
                place.link(1) in output("ip", "-o", "link") if moment == "boot" else place.directory.exists()
            )
        )
        killed.kill()
    lab.down(place.name, var=place.var)
    assert traces(place) == {}


def test_down_ends_hosts_whose_files_somebody_deleted(place: Lab) -> None:
    lab.up(place.name, 2, var=place.var)
    shutil.rmtree(place.directory)
    lab.down(place.name, var=place.var)
    assert traces(place) == {}


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_build_leaves_nothing(
    place: Lab, tmp_path: Path, sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = tmp_path / "images"
    images.mkdir()
    bare = image.ensure(print)[1].parent
    (images / bare.name).symlink_to(bare)
    with controller(place, 1, GHOSTCP_CACHE=str(tmp_path)) as killed:
        until(
            lambda: (
                processes("ansible-playbook")
                and any(str(tmp_path) in line for line in processes("bootstrap.yml"))
            )
        )
        (part,) = images.glob("*.part")
        killed.send_signal(sent)
        killed.wait(30)

    until(lambda: not any(str(tmp_path) in line for line in processes("ansible-playbook")))
    if sent is signal.SIGKILL:
        monkeypatch.setenv("GHOSTCP_CACHE", str(tmp_path))
        until(lambda: swept(images) == [bare.name])

    assert traces(Lab("image", part)) == {}
    assert [path.name for path in images.iterdir()] == [bare.name]


def test_an_interrupted_debootstrap_leaves_nothing(
    place: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with controller(place, 1, GHOSTCP_CACHE=str(tmp_path)) as killed:
        until(lambda: list(tmp_path.glob("images/*.part/root/usr")))
        killed.kill()
    until(lambda: not processes(str(tmp_path)))
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    monkeypatch.setenv("GHOSTCP_CACHE", str(tmp_path))
    until(lambda: swept(tmp_path / "images") == [])


def test_an_image_wanted_twice_at_once_is_built_once(tmp_path: Path) -> None:
    place = tmp_path / "image"
    built: list[Path] = []
    waiting = threading.Event()

    def build(part: Path) -> None:
        assert waiting.wait(10)
        (part / "root").mkdir()
        built.append(part)

    def want() -> None:
        image._build_once(place, lambda _: waiting.set(), build)

    both = [threading.Thread(target=want) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(built) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["image"]


def test_a_build_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def build(part: Path) -> None:
        (part / "root").mkdir()
        raise LabFailed("no mirror")

    with pytest.raises(LabFailed):
        image._build_once(tmp_path / "image", print, build)
    assert list(tmp_path.iterdir()) == []


def test_a_cut_host_cannot_be_reached_until_its_cable_is_back(place: Lab) -> None:
    (host,) = lab.up(place.name, var=place.var)
    lab.cut(host)
    with pytest.raises(OSError, match=r"timed out|No route"):
        socket.create_connection((host.ipv4, 22), timeout=1).close()
    lab.restore(host)
    for address in (host.ipv4, host.ipv6):
        socket.create_connection((address, 22), timeout=20).close()
    assert lab.exec(host, ["true"]).returncode == 0


def test_a_frozen_host_answers_once_it_is_thawed(place: Lab) -> None:
    (host,) = lab.up(place.name, var=place.var)
    lab.freeze(host)
    with pytest.raises(subprocess.TimeoutExpired):
        lab.exec(host, ["true"], timeout=1)
    lab.thaw(host)
    assert lab.exec(host, ["true"]).returncode == 0


def test_a_host_can_mount_what_tests_need(lab_host: LabHost) -> None:
    script = """
    mount -t tmpfs -o size=1m small /mnt
    ! dd if=/dev/zero of=/mnt/full bs=1M count=2 2>/dev/null
    umount /mnt
    mkdir -p /srv/bound; unshare --mount sh -ec 'mount --bind /etc /srv/bound; test -e /srv/bound/hostname'
    test ! -e /srv/bound/hostname; rmdir /srv/bound
    """
    assert lab.exec(lab_host, ["sh", "-ec", script]).returncode == 0


def test_words_reach_a_host_as_they_are(lab_host: LabHost) -> None:
    words = ["a b", "$HOME", "'", '"', "*", "-n", "x;y", "ü"]
    assert lab.exec(lab_host, ["printf", "%s\\n", *words]).stdout.splitlines() == words
    assert lab.exec(lab_host, ["cat"], stdin="given").stdout == "given"
    assert lab.exec(lab_host, ["false"]).returncode == 1


def test_a_host_with_another_key_is_not_trusted(place: Lab) -> None:
    (host,) = lab.up(place.name, var=place.var)
    address, algorithm, _ = place.known_hosts.read_text().split()
    foreign = output("ssh-keyscan", "-t", "ed25519", host.ipv4).split()[2]
    place.known_hosts.write_text(f"{address} {algorithm} {foreign[:-4]}AAAA\n")
    assert "UNREACHABLE" in ansible(host)


def test_a_machine_that_cannot_run_labs_is_told_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LabUnavailable, match=r"apt-get install mmdebstrap.*Vagrantfile"):
        lab.check()
    monkeypatch.undo()
    script = "from inventories import lab; lab.check()"
    told = subprocess.run(
        ["setpriv", "--reuid=65534", sys.executable, "-c", script],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "need root: run this with sudo. Or use the Vagrant way" in told.stderr


def test_an_image_is_kept_while_it_is_used(
    lab_host: LabHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GHOSTCP_CACHE", str(tmp_path))
    images = tmp_path / "images"
    for name in ("host-old", "host-new", "host-old.part"):
        (images / name).mkdir(parents=True)
    for name in ("host-old", "host-old.part"):
        os.utime(images / name, (0, 0))
    image._prune()
    assert {path.name for path in images.iterdir()} == {"host-new", "host-old.part"}
    assert all(
        image._mounted(Path(layer).parent) for layer in (lab_host.directory / "layers").read_text().split()
    )
