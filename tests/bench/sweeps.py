"""A sweep that finds nothing to do: everything on the host looked at, and compared with what is wanted."""

import threading
import time
from statistics import median

from reconciler import ansible
from reconciler.garbage import collect_seldom
from reconciler.survey import World
from reconciler.sweep import sweep
from state.templates import load_templates
from tests.bench import ordinary
from tests.bench.figures import Line, Run, timed
from tests.bench.plant import Plant, fresh_host, plant

TITLE = "A sweep that finds nothing to do"
_TARGETS = {100: None, 1_000: 2.5, 10_000: 8.0}
_ROUNDS = 3


def measure(run: Run) -> list[Line]:
    """The same host, ever fuller."""
    sizes = [100, 300] if run.quick else list(_TARGETS)
    with fresh_host(run.say) as host:
        same = ordinary.measure(host, run.say, sites_each=10).same
    lines = []
    with fresh_host(run.say) as host, plant(host, "worker") as made:
        present = 0
        for sites in sizes:
            run.say(f"sweep: bringing {sites:,} sites to life")
            made.fill(sites, present=present)
            made.wait(f"{sites:,} sites are there", made.converged, pause=0.2)
            present = sites
            run.say(f"sweep: looking at {sites:,} sites")
            took, resources = sweeps(made)
            peer = (f"{ordinary.SOURCE}, from {ordinary.SITES} sites linearly", same.of(sites))
            what = f"{sites:,} sites, {resources:,} resources, median of {_ROUNDS}"
            lines.append(timed(what, took, peer=peer, most=_TARGETS.get(sites)))
    return lines


def sweeps(made: Plant) -> tuple[float, int]:
    """Seconds of a sweep over an open connection, and how many resources it looks at; in a process like a worker's."""
    collect_seldom()
    database, settings = made.database, made.settings
    assert settings.inventory is not None
    with ansible.runner(settings.inventory) as carry:
        world = World(database, settings, carry, lambda: load_templates(settings.template_folders))
        took = []
        for _ in range(_ROUNDS + 1):
            began = time.perf_counter()
            found = sweep(world, made.host.name, threading.Lock())
            took.append(time.perf_counter() - began)
            if found.needy:
                raise AssertionError(f"{len(found.needy)} documents need something after they have converged")
    return median(took[1:]), found.resources
