"""Whether the API is alive."""

from importlib.metadata import PackageNotFoundError, version

from sqlalchemy import Connection

from api.access import public
from api.call import Call, Reply
from api.describe import Answer, Docs
from api.door import Route
from api.rates import Rate
from api.schemas import TEXT, one_of, shape

_SERVICE = "ghostcp-api"


def _version() -> str:
    try:
        return version("ghostcp")
    except PackageNotFoundError:
        return "0.1.0"


VERSION = _version()


def _health(_: Call, __: Connection) -> Reply:
    return Reply(content={"status": "healthy", "service": _SERVICE, "version": VERSION})


_SHAPE = shape("Health", {"status": one_of("healthy"), "service": TEXT, "version": TEXT})
_EXAMPLE = {"status": "healthy", "service": _SERVICE, "version": VERSION}
ROUTE = Route(
    "GET",
    "/health",
    "Whether the service is alive",
    public(),
    Docs("health", (Answer(200, "It is.", _SHAPE, _EXAMPLE),)),
    reads=_health,
    rate=Rate.PROBES,
)
