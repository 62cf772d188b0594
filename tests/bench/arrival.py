"""A host that has nothing, and a company that moves in: from the commit to all of it answering."""

import time

from tests.bench import ordinary
from tests.bench.company import company
from tests.bench.figures import Line, Run, timed
from tests.bench.plant import Plant, fresh_host, plant

TITLE = "First convergence"
_TENANTS, _QUICK, _TARGET = 1_000, 50, 30.0


def measure(run: Run) -> list[Line]:
    """Tenants with one site each."""
    size = _QUICK if run.quick else _TENANTS
    with fresh_host(run.say) as host:
        new = ordinary.measure(host, run.say, sites_each=1).new
    with fresh_host(run.say) as host, plant(host, "worker") as made:
        run.say(f"first convergence of {size:,} tenants with one site each")
        took = arrive(made, size)
        _check(made, size)
    peer = (f"{ordinary.SOURCE}, from {ordinary.SITES} sites linearly", new.of(size))
    return [timed(f"{size:,} tenants with one site each", took, peer=peer, most=_TARGET)]


def arrive(made: Plant, sites: int) -> float:
    """Seconds from the commit of that many tenants with one site each to all of them being Ready."""
    began = time.perf_counter()
    made.fill(sites, sites_each=1)
    made.wait(f"{sites:,} tenants are there", made.converged, pause=0.1)
    return time.perf_counter() - began


def _check(made: Plant, sites: int) -> None:
    for site in company(sites, made.host.name, 1):
        if site.kind == "WebDomain" and not getattr(site.spec, "is_suspended", False):
            status = made.answers(site.name)
            if status != 200:
                raise AssertionError(f"{site.name} is Ready, but answers {status}")
