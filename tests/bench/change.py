"""What a user waits for: from the request that creates a site to the first correct answer of nginx."""

import time

import httpx

from tests.bench import ordinary
from tests.bench.arrival import arrive
from tests.bench.company import company
from tests.bench.figures import Line, Run, percentile, timed
from tests.bench.plant import Plant, fresh_host, plant

TITLE = "One site created through the API"
_TIMES, _P50, _P95 = 30, 1.5, 2.5
_PEER_TIMES = 5


def measure(run: Run) -> list[Line]:
    """With few and with many sites on the host already."""
    lines = []
    times = 5 if run.quick else _TIMES
    for present in (10,) if run.quick else (10, 1_000):
        with fresh_host(run.say) as host, plant(host, "worker", "api") as made:
            run.say(f"create: {present:,} sites first")
            arrive(made, present)
            run.say(f"create: {times} sites, one after the other")
            took = _creations(made, times)
            run.say("create: the same by a plain playbook")
            peer = _ordinary(made, present)
        for share, most in ((0.5, _P50), (0.95, _P95)):
            what = f"p{share * 100:.0f} of {times}, {present:,} sites there already"
            lines.append(
                timed(what, percentile(took, share), peer=("a plain playbook, p50", peer), most=most)
            )
    return lines


def _creations(made: Plant, times: int) -> list[float]:
    took = []
    headers = {"Authorization": f"Bearer {made.token()}"}
    with httpx.Client(base_url=f"{made.url}/api/v1", headers=headers, trust_env=False, timeout=30) as client:
        owner = (
            client.get("/users", params={"username": "tenant1"}).raise_for_status().json()["users"][0]["id"]
        )
        for number in range(times):
            domain = f"new{number}.example"
            body = {"domain": domain, "user_id": owner, "backend_template": "PHP-8.4"}
            began = time.perf_counter()
            client.post("/domains", json=body).raise_for_status()
            took.append(_until_served(made, domain, began))
            made.wait("nothing is pending", made.converged)
    return took


def _ordinary(made: Plant, present: int) -> float:
    """The median of a few sites more, for a tenant that is there already."""
    took = []
    for number in range(_PEER_TIMES):
        index = present + number
        site = next(d for d in company(index + 1, made.host.name, 10**9) if d.name == f"site{index}.example")
        began = time.perf_counter()
        ordinary.play(made.host, [site])
        took.append(_until_served(made, site.name, began))
    return percentile(took, 0.5)


def _until_served(made: Plant, domain: str, began: float) -> float:
    made.wait(f"{domain} answers", lambda: made.answers(domain) == 200, pause=0.005)
    return time.perf_counter() - began
