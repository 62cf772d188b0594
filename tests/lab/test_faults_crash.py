"""Workers that die, stall or meet each other: the host ends up as if nothing had happened."""

import itertools
import signal
from collections.abc import Iterator

import pytest

from inventories import lab
from reconciler import ansible
from reconciler.lease import Contender
from reconciler.loop import reconcile
from reconciler.survey import World
from state.templates import load_templates
from tests.lab.control import Control, control_plane, drop_in, until
from tests.lab.doomed import doomed

pytestmark = pytest.mark.lab
STAGES = ["before-observe", "after-observe", "before-apply", "after-apply", "in-apply"]


@pytest.fixture(scope="module")
def control(own_lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    with control_plane(own_lab_host, tmp_path_factory.mktemp("control"), sweep_seconds=1.0) as plane:
        with plane.together():
            ann = plane.tenant("ann")
            sites = [
                plane.site(f"{when}-{stage}.test", "ann") for when in ("old", "gone") for stage in STAGES
            ]
        plane.ready(ann, *sites)
        plane.stop()
        yield plane


@pytest.fixture(autouse=True)
def still(control: Control) -> Iterator[None]:
    """No worker of an earlier test goes on."""
    yield
    control.stop()


def proved(control: Control) -> None:
    """Nothing differs, nothing foreign is left, and no job goes on for ever."""
    looked, drift = control.target().observed_at, len(control.jobs("sweep"))
    until("the host was swept", lambda: control.target().observed_at != looked)
    looked = control.target().observed_at
    until("the host was swept again", lambda: control.target().observed_at != looked)
    assert len(control.jobs("sweep")) == drift
    assert control.target().unmanaged == ()
    assert {job.status for job in control.jobs()} <= {"completed", "failed"}


@pytest.mark.parametrize("stage", STAGES)
def test_a_worker_killed_at_any_stage_leaves_no_trace(control: Control, stage: str) -> None:
    old, gone = (control.find("WebDomain", f"{when}-{stage}.test") for when in ("old", "gone"))
    assert old
    assert gone
    with control.together():
        old = control.change(old, aliases=[f"alias-{stage}.test"])
        control.remove(gone)
        tenant = control.tenant(f"t-{stage}")
        site = control.site(f"new-{stage}.test", tenant.name, backend_template="PHP-8.4")

    if stage == "in-apply":
        with drop_in(control, "php8.4-fpm", "ExecReload=/bin/sleep 3"), doomed(control) as worker:
            made = f"test -e /etc/ghostcp/live/nginx/{site.name}.conf && echo made"
            until("the apply is under way", lambda: control.run("sh", "-c", made, check=False), 120)
            worker.process.kill()
    else:
        with doomed(control, stage.replace("-", " ")) as worker:
            worker.died()

    control.start()
    control.ready(old, tenant, site)
    control.gone(gone)
    proved(control)
    for name in (f"alias-{stage}.test", site.name):
        assert control.fetch(name)[0] == 200
    assert control.fetch(gone.name)[0] == 421
    assert "uid=" in control.run("id", tenant.name)


def test_what_a_stalled_worker_still_wants_is_not_done_after_another_took_over(control: Control) -> None:
    with control.together():
        tenant = control.tenant("ivy")
        site = control.site("ivy.test", "ivy")
    with doomed(control, "before apply", signal.SIGSTOP) as worker:
        worker.stopped()
        control.remove(tenant)
        take_over(control)
        control.gone(tenant)
        control.gone(site)
        worker.go_on()
        until("the stalled worker has gone on", lambda: "after apply" in worker.words(), 120)
        assert "after apply fenced" in worker.words()
    assert control.run("id", "ivy", check=False) == ""
    assert control.run("ls", "/home").split().count("ivy") == 0
    control.start()
    proved(control)


def take_over(control: Control) -> None:
    """What another worker does that has no patience: it takes the lease of the stalled one and works."""
    contender = Contender(control.database, patience=0.3, holder="another")
    lease = until("the lease is taken over", lambda: contender.take(control.host.name))
    with ansible.runner(control.host.inventory) as run, lease:
        templates = load_templates(control.settings.template_folders)
        world = World(control.database, control.settings, run, lambda: templates)
        until("all is done", lambda: reconcile(world, lease).documents == 0)


def test_two_workers_never_work_at_once_and_one_goes_on_when_the_other_ends(control: Control) -> None:
    earlier = len(control.jobs())
    control.start()
    with doomed(control) as other:
        sites = [control.site(f"s{i}.test", "ann") for i in range(4)]
        control.ready(*sites)
        control.stop()
        last = control.site("last.test", "ann")
        control.ready(last)
        assert other.process.poll() is None
    jobs = control.jobs()[earlier:]
    assert len({job.holder for job in jobs}) == 2
    assert {job.status for job in jobs} == {"completed"}
    spans = sorted((job.started_at, job.completed_at) for job in jobs if job.started_at and job.completed_at)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    assert control.fetch("last.test")[0] == 200
