"""How many requests the API answers, and how slowly at worst, beside a bare handler that does the same query."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from tests.bench.company import company
from tests.bench.figures import Line, Run, percentile, seconds
from tests.bench.plant import Plant, free_port, fresh_host, plant

TITLE = "The REST API"
_SITES, _QUICK, _SHARE = 1_000, 100, 0.6
_SECONDS, _AT_ONCE, _ROUNDS = 4.0, 8, 2


@dataclass(frozen=True, slots=True)
class Asked:
    """One sort of request: its method, and its path, in which ``{site}`` stands for a site that exists."""

    method: str
    path: str


@dataclass(frozen=True, slots=True)
class Load:
    """What a few seconds of requests gave: how many a second, and the slowest of a hundred, in seconds."""

    rate: float
    p99: float


def measure(run: Run) -> list[Line]:
    """Lists and creations, first of the API, then of the bare handler, turn by turn."""
    sites = _QUICK if run.quick else _SITES
    return compare(run, sites, (Asked("GET", "/domains"), Asked("POST", "/domains")))


def compare(run: Run, sites: int, wanted: Sequence[Asked]) -> list[Line]:
    """Each sort of request with so many sites stored, beside the bare handler that does the same query."""
    with fresh_host(run.say) as host, plant(host, "api") as made, _bare(made) as bare:
        run.say(f"storing {sites:,} sites")
        made.fill(sites)
        token = made.token()
        owner = _owner(made.url, token)
        site = next(d.uid for d in company(1, host.name) if d.kind == "WebDomain")
        lines = []
        for each in wanted:
            path = each.path.replace("{site}", site)
            run.say(f"{each.method} {each.path}, {sites:,} sites stored")
            ours, theirs = [], []
            for number in range(_ROUNDS):
                ours.append(_load(each.method, f"{made.url}/api/v1{path}", token, owner, f"ours{number}"))
                theirs.append(_load(each.method, f"{bare}{path}", token, owner, f"bare{number}"))
            what = f"{each.method} {each.path.format(site='ID')}, {sites:,} stored"
            lines += _lines(what, max(ours, key=_rate), max(theirs, key=_rate))
    return lines


def _rate(load: Load) -> float:
    return load.rate


def _lines(asked: str, ours: Load, theirs: Load) -> list[Line]:
    ratio = ours.rate / theirs.rate
    what = f"{asked}; {_AT_ONCE} at a time for {_SECONDS:g} s, best of {_ROUNDS}"
    peer = f"{theirs.rate:,.0f}/s: bare FastAPI and SQLAlchemy, the same query"
    slow = f"{seconds(theirs.p99)}: the same"
    return [
        Line(what, f"{ours.rate:,.0f}/s", peer, ratio, f"≥ {_SHARE} of it", ratio >= _SHARE),
        Line("its p99", seconds(ours.p99), slow, theirs.p99 / ours.p99),
    ]


def _owner(url: str, token: str) -> str:
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(
        f"{url}/api/v1/users", params={"username": "tenant1"}, headers=headers, trust_env=False, timeout=30
    )
    return str(answer.raise_for_status().json()["users"][0]["id"])


def _load(method: str, url: str, token: str, owner: str, mark: str) -> Load:
    """The load, made by a process of its own."""
    asked = {
        "method": method,
        "url": url,
        "token": token,
        "owner": owner,
        "mark": mark,
        "seconds": _SECONDS,
        "at_once": _AT_ONCE,
    }
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    took: list[float] = json.loads(done.stdout)
    return Load(len(took) / _SECONDS, percentile(took, 0.99))


@contextmanager
def _bare(made: Plant) -> Iterator[str]:
    """The address of the bare handler, which works on the same database."""
    port = free_port()
    argv = [sys.executable, "-m", "tests.bench.peer.bare", made.settings.database, str(port)]
    with (
        (made.settings.var / "bare.log").open("wb") as log,
        subprocess.Popen(argv, stdout=log, stderr=log) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            made.wait("the bare handler answers", lambda: _answers(process, url))
            yield url
        finally:
            process.terminate()


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    if process.poll() is not None:
        raise RuntimeError(f"the bare handler ended with exit status {process.returncode}")
    time.sleep(0.05)
    try:
        return httpx.get(f"{url}/domains", trust_env=False, timeout=5).is_success
    except httpx.HTTPError:
        return False
