"""Whether the API is alive, and whether the whole is ready."""

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.access import public
from api.call import Call, Reply
from api.door import Route
from api.errors import NotReady
from api.openapi.describe import Answer, Docs
from api.openapi.schemas import TEXT, nullable, one_of, shape, told
from api.rates import Rate
from api.readiness import Check, judge
from state.loops import list_loops
from state.vitals import listed_hosts, waiting

_SERVICE = "ghostcp-api"


def _version() -> str:
    try:
        return version("ghostcp")
    except PackageNotFoundError:
        return "0.1.0"


VERSION = _version()


async def _live(_: Call) -> Reply:
    return Reply(content={"status": "healthy", "service": _SERVICE, "version": VERSION})


async def _ready(call: Call) -> Reply:
    checks = await run_in_threadpool(_checks, call)
    shown = {check.name: _view(check) for check in checks}
    faults = [check.fault for check in checks if check.fault]
    if faults:
        raise NotReady("; ".join(faults), checks=shown)
    return Reply(content={"status": "ready", "checks": shown})


def _checks(call: Call) -> Sequence[Check]:
    house, now = call.house, call.house.clock()
    try:
        with house.database.reading() as connection:
            queue, loops, hosts = waiting(connection, now), list_loops(connection), listed_hosts(connection)
    except SQLAlchemyError:
        return (Check("database", "the database does not answer, or has an older schema"),)
    return judge(queue, loops, hosts, house.settings.sweep_seconds, now)


def _view(check: Check) -> dict[str, Any]:
    age = None if check.age is None else round(check.age, 1)
    return {"status": "failed" if check.fault else "ok", "message": check.fault, "age_seconds": age}


_SHAPE = shape("Health", {"status": one_of("healthy"), "service": TEXT, "version": TEXT})
_EXAMPLE = {"status": "healthy", "service": _SERVICE, "version": VERSION}
_CHECK = shape(
    "Check",
    {
        "status": one_of("ok", "failed"),
        "message": told(TEXT, "What is wrong and what to do; empty when nothing is."),
        "age_seconds": nullable(
            told({"type": "number"}, "How long ago the oldest of it was, or has waited.")
        ),
    },
)
_CHECKS = dict.fromkeys(("database", "queue", "loop", "sweep"), _CHECK)
_READY = shape("Readiness", {"status": one_of("ready"), "checks": shape("Checks", _CHECKS)})
_FINE = {name: {"status": "ok", "message": "", "age_seconds": 0.8} for name in _CHECKS}
ROUTES = (
    Route(
        "GET",
        "/health",
        "Whether the service is alive",
        public(),
        Docs("health", (Answer(200, "It is.", _SHAPE, _EXAMPLE),)),
        alone=_live,
        rate=Rate.PROBES,
    ),
    Route(
        "GET",
        "/health/ready",
        "Whether everything is ready",
        public(),
        Docs(
            "health",
            (Answer(200, "It is.", _READY, {"status": "ready", "checks": _FINE}),),
            description=(
                "The database answers, dry runs and deliveries do not wait long, and workers are heard of. "
                "Otherwise 503 with what is wrong."
            ),
        ),
        alone=_ready,
        rate=Rate.PROBES,
    ),
)
