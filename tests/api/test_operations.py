"""What operators ask: is it alive, is it ready, and how much of everything there is."""

from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from api.app import create_app
from api.glance import Glance
from state.database import Database
from state.loops import PASS, PLANS, SWEEP, Loop, record
from state.settings import Settings
from tests.api.conftest import BASE, REQUEST, Http, World

ORIGIN = "https://panel.example"


def _beat(world: World) -> None:
    now = datetime.now(UTC)
    with world.database.writing() as connection:
        record(
            connection,
            [Loop(PASS, "web1", now, None, 2, 1, 0.5), Loop(PLANS, "", now), Loop(SWEEP, "web1", now)],
        )


def _samples(text: str) -> dict[tuple[str, tuple[str, ...]], float]:
    families = text_string_to_metric_families(text)
    return {(s.name, tuple(s.labels.values())): s.value for family in families for s in family.samples}


@pytest.mark.parametrize("base", ["", BASE])
def test_it_is_ready_when_workers_are_heard_of(world_on_both: World, base: str) -> None:
    answer = world_on_both.http.get(f"{base}/health/ready")
    assert (answer.status_code, answer.json()["details"]["code"]) == (503, "not_ready")
    checks = answer.json()["details"]["checks"]
    assert {name: check["status"] for name, check in checks.items()} == {
        "database": "ok",
        "queue": "ok",
        "loop": "failed",
        "sweep": "ok",
    }
    assert "ghostcp worker" in checks["loop"]["message"]
    assert "web1" not in answer.text
    assert answer.headers["Retry-After"]
    _beat(world_on_both)
    answer = world_on_both.http.get(f"{base}/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")


@pytest.fixture
def lost(world: World, tmp_path: Path) -> Http:
    """The API of a database that is not there."""
    database = Database(f"postgresql://ghost:hunter2@/nothing?host={tmp_path}")
    return Http(create_app(database, Settings(var=tmp_path)), world._loop)


def test_without_its_database_it_is_alive_and_not_ready(lost: Http) -> None:
    assert lost.get("/health").json()["status"] == "healthy"
    answer = lost.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["details"]["checks"]["database"]["status"] == "failed"
    assert "hunter2" not in answer.text


def test_without_its_database_it_still_tells_its_metrics(lost: Http) -> None:
    with capture_logs() as lines:
        samples = _samples(lost.get("/metrics").text)
    assert samples["ghostcp_database_up", ()] == 0
    assert ("ghostcp_documents_pending", ()) not in samples
    assert "hunter2" not in str(lines)


def test_requests_are_counted_by_route_and_status(world: World) -> None:
    def counted() -> dict[tuple[str, tuple[str, ...]], float]:
        return _samples(world.http.get("/metrics").text)

    route = f"{BASE}/users/{{id}}"
    before = counted()
    world.call("admin", "GET", f"/users/{world.uids['anna']}")
    world.call("admin", "GET", "/users/nobody")
    world.call("admin", "MAKE-UP", "/users/nobody")
    after = counted()

    def more(name: str, *labels: str) -> float:
        return after.get((name, labels), 0) - before.get((name, labels), 0)

    assert more("ghostcp_http_requests_total", "GET", route, "200") == 1
    assert more("ghostcp_http_requests_total", "GET", route, "404") == 1
    assert more("ghostcp_http_requests_total", "OTHER", route, "405") == 1
    assert more("ghostcp_http_request_duration_seconds_count", "GET", route) == 2
    assert after["ghostcp_http_requests_in_flight", ()] == 1
    assert not [labels for _, labels in after if "MAKE-UP" in labels]


def test_refusals_are_counted(own_world: World) -> None:
    own_world.open(rate_users=1)
    before = _samples(own_world.http.get("/metrics").text).get(
        ("ghostcp_http_rate_limited_total", ("users",)), 0
    )
    for _ in range(3):
        own_world.call("admin", "GET", "/users")
    after = _samples(own_world.http.get("/metrics").text)["ghostcp_http_rate_limited_total", ("users",)]
    assert after - before == 2


def test_the_state_of_everything_is_told(world_on_both: World) -> None:
    world_on_both.open()
    world_on_both.site("bert.example", "bert")
    _beat(world_on_both)
    samples = _samples(world_on_both.http.get("/metrics").text)
    assert samples["ghostcp_database_up", ()] == 1
    assert samples["ghostcp_documents", ("WebDomain", "false")] == 1
    assert samples["ghostcp_documents_pending", ()] > 0
    assert samples["ghostcp_host_reachable", ("web1",)] == 1
    assert samples["ghostcp_loop_duration_seconds_count", ("web1", "pass")] == 2
    assert samples["ghostcp_loop_duration_seconds_sum", ("web1", "pass")] == 0.5
    assert samples["ghostcp_loop_failures_total", ("web1", "pass")] == 1
    assert 0 <= samples["ghostcp_loop_silence_seconds", ("web1", "pass")] < 60


def test_many_scrapers_look_at_the_database_once(world: World) -> None:
    clock = [0.0]
    glance = Glance(10, lambda: clock[0])
    now = datetime.now(UTC)
    first = glance.look(world.database, now)
    world.site("bert.example", "bert")
    assert glance.look(world.database, now) is first
    clock[0] = 10
    again = glance.look(world.database, now)
    assert again is not None
    assert ("WebDomain", False) in again.documents


@pytest.mark.parametrize(
    ("networks", "headers", "status"),
    [
        ("127.0.0.0/8", {}, 200),
        ("127.0.0.0/8", {"X-Forwarded-For": "127.0.0.1"}, 401),
        ("127.0.0.0/8", {"Via": "1.1 somebody"}, 401),
        ("192.0.2.0/24", {}, 401),
        ("192.0.2.0/24", {"X-Forwarded-For": "192.0.2.7"}, 401),
    ],
)
def test_metrics_are_for_who_is_surely_near(
    own_world: World, networks: str, headers: dict[str, str], status: int
) -> None:
    own_world.open(metrics_networks=(ip_network(networks),))
    assert own_world.http.get("/metrics", headers=headers).status_code == status


def test_a_known_proxy_says_who_scrapes(own_world: World) -> None:
    near = {"metrics_networks": (ip_network("192.0.2.0/24"),)}
    own_world.open(trusted_proxies=(ip_network("127.0.0.0/8"),), **near)
    assert own_world.http.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 200
    assert own_world.http.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401


def test_from_afar_one_needs_a_token_with_the_scope(own_world: World) -> None:
    own_world.open(metrics_networks=())

    def scrape(token: str) -> int:
        return own_world.http.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code

    def token(who: str, scope: str) -> str:
        wish = {"name": f"{who} {scope}", "scopes": [scope]}
        return str(own_world.call(who, "POST", "/tokens", json=wish).json()["token"])

    assert scrape(token("admin", "metrics:read")) == 200
    assert scrape(token("admin", "users:read")) == 403
    assert scrape(token("anna", "metrics:read")) == 403
    assert scrape(own_world.token("admin")) == 200


def _ask(world: World, method: str = "GET", origin: str = ORIGIN, **headers: str) -> Any:
    return world.http.request(method, f"{BASE}/users", headers={"Origin": origin, **headers})


def test_pages_of_other_origins_are_told_nothing(world: World) -> None:
    for answer in (_ask(world), _ask(world, "OPTIONS", **{"Access-Control-Request-Method": "GET"})):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_an_origin_that_was_named_may_ask(own_world: World) -> None:
    own_world.open(cors_origins=(ORIGIN,))
    asked = _ask(own_world)
    assert asked.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert "X-RateLimit-Remaining" in asked.headers["Access-Control-Expose-Headers"]
    wanted = {
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "authorization, if-match",
    }
    preflight = _ask(own_world, "OPTIONS", **wanted)
    assert preflight.status_code == 200
    assert "PATCH" in preflight.headers["Access-Control-Allow-Methods"]
    assert preflight.headers["X-Request-ID"] == REQUEST
    assert int(preflight.headers["X-RateLimit-Remaining"]) > 0
    for answer in (asked, preflight):
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://panel.example.evil.test", "http://panel.example", "null"])
def test_an_origin_is_the_whole_of_it(own_world: World, origin: str) -> None:
    own_world.open(cors_origins=(ORIGIN,))
    assert "Access-Control-Allow-Origin" not in _ask(own_world, origin=origin).headers


def test_a_page_is_told_that_it_asks_too_often(own_world: World) -> None:
    own_world.open(cors_origins=(ORIGIN,), rate_general=1)
    answers = [own_world.http.get(f"{BASE}/nowhere", headers={"Origin": ORIGIN}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 429]
    assert answers[1].headers["Access-Control-Allow-Origin"] == ORIGIN
