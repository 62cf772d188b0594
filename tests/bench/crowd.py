"""The same doors with very many sites behind them, and everything that a request goes through switched on."""

from tests.bench.doors import Asked, compare
from tests.bench.figures import Line, Run

TITLE = "The REST API, 100,000 sites stored"
_SITES, _QUICK = 100_000, 1_000


def measure(run: Run) -> list[Line]:
    """One site, a page of twenty of all, and a creation."""
    asked = (Asked("GET", "/domains/{site}"), Asked("GET", "/domains"), Asked("POST", "/domains"))
    return compare(run, _QUICK if run.quick else _SITES, asked)
