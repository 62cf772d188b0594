"""What is counted for Prometheus: the requests of this process, and by each scrape how everything is."""

from collections.abc import Iterator
from datetime import datetime
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from state.vitals import Vitals

REGISTRY = CollectorRegistry(auto_describe=True)
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)
IN_FLIGHT = Gauge("ghostcp_http_requests_in_flight", "Requests being answered.", registry=REGISTRY)
RATE_LIMITED = Counter(
    "ghostcp_http_rate_limited", "Requests refused as too many.", ["rate"], registry=REGISTRY
)
DATABASE_ERRORS = Counter(
    "ghostcp_database_errors", "Requests that the database did not serve.", registry=REGISTRY
)
_REQUESTS = Counter(
    "ghostcp_http_requests", "Requests answered.", ["method", "route", "status"], registry=REGISTRY
)
_SECONDS = Histogram(
    "ghostcp_http_request_duration_seconds",
    "Seconds until the answer began.",
    ["method", "route"],
    buckets=_BUCKETS,
    registry=REGISTRY,
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def answered(method: str, route: str, status: int, seconds: float) -> None:
    """Counts a request. A method that is none of HTTP's own is counted as another, or anybody could make up series."""
    requests, histogram = _series(method if method in _METHODS else "OTHER", route, status)
    requests.inc()
    histogram.observe(seconds)


@cache
def _series(method: str, route: str, status: int) -> tuple[Counter, Histogram]:
    return _REQUESTS.labels(method, route, str(status)), _SECONDS.labels(method, route)


def exposition(seen: Vitals | None, now: datetime) -> bytes:
    """Everything in Prometheus' text format; `seen` is none while the database does not answer."""
    own = CollectorRegistry()
    own.register(_State(seen, now))
    return generate_latest(REGISTRY) + generate_latest(own)


class _State(Collector):
    """The vital signs as metrics."""

    def __init__(self, seen: Vitals | None, now: datetime) -> None:
        self._seen, self._now = seen, now

    def collect(self) -> Iterator[Metric]:
        yield _gauge("ghostcp_database_up", "Whether the database answers.", self._seen is not None)
        if self._seen is not None:
            yield from _waiting(self._seen, self._now)
            yield from _counts(self._seen)
            yield from _hosts(self._seen)
            yield from _loops(self._seen, self._now)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=float(value))


def _waiting(seen: Vitals, now: datetime) -> Iterator[Metric]:
    waiting = seen.waiting
    yield _gauge("ghostcp_documents_pending", "Documents that wait for a pass.", waiting.documents)
    yield _gauge("ghostcp_plans_pending", "Dry runs that wait for a worker.", waiting.plans)
    yield _gauge(
        "ghostcp_plans_oldest_seconds", "How long the oldest of them has.", _age(waiting.oldest_plan, now)
    )
    yield _gauge("ghostcp_deliveries_due", "Deliveries whose time has come.", waiting.deliveries)
    late = _age(waiting.oldest_delivery, now)
    yield _gauge("ghostcp_deliveries_late_seconds", "How late the oldest of them is.", late)
    yield _gauge("ghostcp_events_lag", "Events that no delivery was made of yet.", waiting.events)


def _counts(seen: Vitals) -> Iterator[Metric]:
    documents = GaugeMetricFamily("ghostcp_documents", "Living documents.", labels=["kind", "ready"])
    for (kind, ready), count in sorted(seen.documents.items()):
        documents.add_metric([kind, str(ready).lower()], count)
    yield documents
    for name, text, counts in (
        ("ghostcp_jobs", "Jobs: open ones, and those of the last day that have ended.", seen.jobs),
        ("ghostcp_deliveries", "Deliveries: the same.", seen.deliveries),
    ):
        family = GaugeMetricFamily(name, text, labels=["status"])
        for (status,), count in sorted(counts.items()):
            family.add_metric([status], count)
        yield family


def _hosts(seen: Vitals) -> Iterator[Metric]:
    reachable = GaugeMetricFamily("ghostcp_host_reachable", "Whether the host answers.", labels=["host"])
    drifted = GaugeMetricFamily(
        "ghostcp_host_drifted_documents", "Documents found drifted by the last sweep.", labels=["host"]
    )
    unmanaged = GaugeMetricFamily(
        "ghostcp_host_unmanaged_resources", "What was found there and is not ours.", labels=["host"]
    )
    for host, values in sorted(seen.hosts.items()):
        for family, value in zip((reachable, drifted, unmanaged), values, strict=True):
            family.add_metric([host], float(value))
    yield from (reachable, drifted, unmanaged)


def _loops(seen: Vitals, now: datetime) -> Iterator[Metric]:
    labels = ["loop", "host"]
    rounds = SummaryMetricFamily(
        "ghostcp_loop_duration_seconds", "Rounds of workers that had something to do.", labels=labels
    )
    failures = CounterMetricFamily("ghostcp_loop_failures", "Those that could not be done.", labels=labels)
    silence = GaugeMetricFamily(
        "ghostcp_loop_silence_seconds", "Since when nothing was heard of the loop.", labels=labels
    )
    for loop in seen.loops:
        values = [loop.loop, loop.target]
        rounds.add_metric(values, count_value=loop.rounds, sum_value=loop.seconds)
        failures.add_metric(values, loop.failures)
        silence.add_metric(values, _age(loop.at, now))
    yield from (rounds, failures, silence)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
