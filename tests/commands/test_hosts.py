"""`hosts`, `drift` and `jobs`."""

from itertools import islice

from commands.client import Client
from commands.hosts import follow_jobs
from tests.commands.conftest import Run
from tests.commands.stub import Api

HOST = {
    "name": "web-1",
    "address": "192.0.2.1",
    "reachable": True,
    "drifted": 0,
    "unmanaged": [],
    "message": "",
}
JOB = {
    "id": "j1",
    "job_type": "reconcile",
    "host": "web-1",
    "status": "completed",
    "created_at": "2026-01-01",
}


def test_hosts_are_listed(ask: Run, api: Api) -> None:
    api.hosts = [HOST, HOST | {"name": "web-2", "reachable": False, "message": "[no route]"}]
    ended = ask("hosts")
    assert (ended.status, ended.err) == (0, "")
    assert "web-1" in ended.out
    assert "[no route]" in ended.out


def test_without_drift_it_ends_with_zero(ask: Run, api: Api) -> None:
    api.hosts = [HOST | {"unmanaged": ["config:nginx/by-hand.conf"]}]
    ended = ask("drift")
    assert (ended.status, "by-hand.conf" in ended.out) == (0, True)


def test_drift_is_told_by_document_and_by_status(ask: Run, api: Api) -> None:
    api.hosts = [HOST | {"drifted": 2}]
    document = {"kind": "WebDomain", "metadata": {"name": "a.example"}, "spec": {}}
    api.documents["WebDomain", "a.example"] = document
    drifted = {"type": "Drifted", "status": True, "reason": "Drifted", "message": "2 files differ"}
    api.conditions["a.example"] = [drifted | {"last_transition": "2026-01-01T00:00:00Z"}]
    ended = ask("drift")
    assert ended.status == 2
    assert "a.example" in ended.out
    assert "2 files differ" in ended.out


def test_jobs_are_listed(ask: Run, api: Api) -> None:
    api.jobs = [JOB]
    ended = ask("jobs")
    assert (ended.status, "reconcile" in ended.out) == (0, True)


def test_jobs_are_followed_once_each(api: Api) -> None:
    api.jobs = [JOB, JOB | {"id": "j2"}]
    events = 'event: line\nid: 1\ndata: "made a.example"\n\nevent: end\nid: 1\ndata: "completed"\n\n'
    api.answers["GET", "/jobs/j2/log"] = [(200, events, {"Content-Type": "text/event-stream"})]
    with Client(api.url, "token-1") as client:
        lines = list(islice(follow_jobs(client, {"j1"}, lambda: None), 3))
    assert lines == ["2026-01-01 reconcile web-1 j2", "  made a.example", "  end: completed"]
