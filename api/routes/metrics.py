"""Metrics for Prometheus, for scrapers nearby and for who is let in."""

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.access import scrapers
from api.call import Call, Reply
from api.door import Route
from api.metrics import exposition
from api.openapi.describe import Answer, Docs
from api.openapi.schemas import TEXT

_TYPE = "text/plain; version=0.0.4; charset=utf-8"


async def _metrics(call: Call) -> Reply:
    return await run_in_threadpool(_exposed, call)


def _exposed(call: Call) -> Reply:
    house, now = call.house, call.house.clock()
    return Reply(response=Response(exposition(house.glance.look(house.database, now), now), media_type=_TYPE))


ROUTE = Route(
    "GET",
    "/metrics",
    "Get metrics for Prometheus",
    scrapers(),
    Docs(
        "metrics",
        (Answer(200, "In the text format of Prometheus.", TEXT, media=("text/plain",)),),
        description="From the networks of `GHOSTCP_METRICS_NETWORKS` (this machine) no token is needed.",
        operation_id="getMetrics",
    ),
    alone=_metrics,
)
