"""Events told to webhooks: from the commit of very many to all of them delivered and recorded."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select

from state.database import Database
from state.journal.event import Event
from state.journal.events import emit
from state.journal.tables import deliveries
from tests.bench.figures import Line, Run
from tests.reconciler.webhooks.offices import Office
from tests.reconciler.webhooks.receivers import Receiver

TITLE = "Webhooks"
_EVENTS, _QUICK, _TENANTS, _EACH = 10_000, 1_000, 20, 2
_DATA = {"id": "8c2f7bd0-6f86-44a5-8a5d-0b7d2f6a0f11", "job_type": "reconcile", "host": "web1"}


def measure(run: Run) -> list[Line]:
    """Each event is told to the webhooks of its tenant; the peer posts the same bodies to the same receiver."""
    events = _QUICK if run.quick else _EVENTS
    with tempfile.TemporaryDirectory(prefix="ghostcp-bench-") as folder, _receiver() as port:
        database = Database(f"sqlite:///{folder}/ghostcp.db")
        database.migrate()
        office = Office(database, Path(folder))
        hooks = _subscribe(office, port)
        with office.database.writing() as connection:
            told = (Event("job.started", f"tenant{n % _TENANTS}", _DATA) for n in range(events))
            emit(connection, *told)
        run.say(f"{events:,} events to {_EACH} of {hooks} webhooks each")
        rate = events * _EACH / _deliver(office, events * _EACH)
        run.say("the same bodies by a loop for each receiver")
        bare = events * _EACH / _post(office)
        database.close()
    peer = f"{bare:,.0f}/s: a loop of httpx for each, nothing kept, signed or checked"
    what = f"{events:,} events, each to {_EACH} of {hooks} webhooks: fanned out, signed, sent and recorded"
    return [Line(what, f"{rate:,.0f}/s", peer, rate / bare)]


def _subscribe(office: Office, port: int) -> int:
    for tenant in range(_TENANTS):
        office.user(f"tenant{tenant}")
        for number in range(_EACH):
            office.hook(f"tenant{tenant}", Receiver(), url=f"http://127.0.0.1:{port}/{tenant}/{number}")
    return _TENANTS * _EACH


def _deliver(office: Office, number: int) -> float:
    """Seconds until all are delivered, by a courier in a process of its own."""
    argv = [
        sys.executable,
        "-m",
        "tests.reconciler.webhooks.lone_courier",
        office.database.url,
        str(office.settings.var),
    ]
    began = time.perf_counter()
    with subprocess.Popen(argv) as courier:
        try:
            while _delivered(office) < number:
                if courier.poll() is not None:
                    raise RuntimeError(f"the courier ended with exit status {courier.returncode}")
                time.sleep(0.1)
            return time.perf_counter() - began
        finally:
            courier.kill()


def _delivered(office: Office) -> int:
    query = select(func.count()).where(deliveries.c.status == "delivered")
    with office.database.reading() as connection:
        return int(connection.execute(query).scalar_one())


def _post(office: Office) -> float:
    """Seconds that the peer needs for the bodies that were delivered."""
    with office.database.reading() as connection:
        rows = connection.execute(select(deliveries.c.webhook, deliveries.c.body)).all()
    bodies: dict[str, list[str]] = {}
    for row in rows:
        bodies.setdefault(office.webhook(row.webhook).url, []).append(row.body)
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.peer.posts"],
        input=json.dumps(bodies),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(json.loads(done.stdout))


@contextmanager
def _receiver() -> Iterator[int]:
    """The port of a receiver in a process of its own."""
    argv = [sys.executable, "-m", "tests.bench.peer.receiver"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()
