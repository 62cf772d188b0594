"""Certificates from a real authority (Pebble, its validation on, refusing nonces and waiting as it does by default)."""

import tempfile
import time
from pathlib import Path

from sqlalchemy import func, select

from state.journal.tables import events
from tests.bench.company import secured
from tests.bench.figures import Line, Run, timed
from tests.bench.plant import Plant, fresh_host, plant
from tests.lab.pebble import pebble

TITLE = "Certificates of sites, had by ACME"
_COUNT, _EACH = 100, 2.0


def measure(run: Run) -> list[Line]:
    """All at once, from documents to HTTPS, and what that is for each."""
    count = 10 if run.quick else _COUNT
    with (
        tempfile.TemporaryDirectory(prefix="ghostcp-bench-") as folder,
        fresh_host(run.say) as host,
        pebble(host.ipv4, Path(folder)) as authority,
        plant(host, "worker", GHOSTCP_AUTHORITIES=str(authority.authorities)) as made,
    ):
        run.say(f"certificates: having {count}")
        began = time.perf_counter()
        made.store(secured(count, host.name))
        made.wait(f"{count} are had", lambda: _issued(made) == count, pause=0.1)
        made.wait("all are shown", made.converged, pause=0.1)
        took = time.perf_counter() - began
    what = f"{count} sites and their certificates, until all are shown"
    return [timed(what, took), timed(f"for each of these {count}", took / count, most=_EACH)]


def _issued(made: Plant) -> int:
    with made.database.reading() as connection:
        told = select(func.count()).where(events.c.event == "ssl.certificate.issued")
        return int(connection.execute(told).scalar_one())
