"""What is known of hosts and runs: the managed hosts, their drift, the jobs."""

import time
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from commands.client import Client, Values
from commands.console import CHANGES, end, out, plain, table
from commands.login import connect
from state.kinds import KINDS


def hosts() -> None:
    """Show the managed hosts."""
    with connect() as client:
        found = list(client.all("hosts"))
    columns = ("host", "address", "reachable", "last seen", "drifted", "unmanaged", "message")
    out.print(table("Hosts", columns, map(_host, found)))


def drift() -> None:
    """Show what the last sweep found that is not as it should be.

    Exit status: 0 nothing, 2 something, 1 an error.
    """
    with connect() as client:
        found = list(client.all("hosts"))
        drifted = list(_drifted(client))
        sweeps: list[Values] = client.get("/jobs", job_type="sweep", limit=1)["jobs"]
    foreign = [(host["name"], each) for host in found for each in host.get("unmanaged", [])]
    lost = [(host["name"], host.get("message", "")) for host in found if not host.get("reachable", True)]
    if lost:
        out.print(table("Not reachable", ("host", "why"), lost))
    if drifted:
        out.print(table("Drifted", ("kind", "name", "since", "what"), drifted))
    if foreign:
        out.print(table("Not managed by GhostCP, and left alone", ("host", "what"), foreign))
    total = sum(int(host.get("drifted", 0)) for host in found)
    plain(f"{total} documents had drifted at the last look; {len(foreign)} are not managed.")
    for sweep in sweeps if total else ():
        plain(f"What the sweep of {sweep['created_at']} on {_host_of(sweep)} found:\n{sweep['output_log']}")
    if total or drifted or lost:
        end(CHANGES)


def jobs(
    *,
    follow: Annotated[bool, typer.Option("--follow", help="print the logs of runs as they come")] = False,
    number: Annotated[int, typer.Option("--number", "-n", min=1, max=100, help="how many")] = 20,
) -> None:
    """Show the last runs, the newest last."""
    with connect() as client:
        shown = latest(client, number)
        out.print(table("Jobs", ("id", "type", "host", "status", "created", "took"), map(_job, shown)))
        if follow:
            ended = {str(job["id"]) for job in shown if _ended(job)}
            for line in follow_jobs(client, ended, _second):
                plain(line)


def latest(client: Client, number: int) -> list[Values]:
    """The newest jobs, the oldest of them first."""
    query: dict[str, str | int] = {"limit": number, "sort": "created_at", "order": "desc"}
    found: list[Values] = client.get("/jobs", **query)["jobs"]
    return found[::-1]


def follow_jobs(client: Client, seen: set[str], pause: Callable[[], None]) -> Iterator[str]:
    """The logs of all jobs that are not in `seen`, line by line, for ever, with a `pause` between looks."""
    while True:
        for job in latest(client, 100):
            if job["id"] in seen or job["status"] == "pending":
                continue
            seen.add(str(job["id"]))
            yield f"{job['created_at']} {job['job_type']} {_host_of(job)} {job['id']}"
            for event, data in client.events(f"/jobs/{job['id']}/log"):
                yield f"  {data}" if event == "line" else f"  {event}: {data}"
        pause()


def _host(host: Values) -> tuple[object, ...]:
    unmanaged = host.get("unmanaged", [])
    return (
        host["name"],
        host.get("address", ""),
        "yes" if host.get("reachable") else "no",
        host.get("observed_at") or "never",
        host.get("drifted", 0),
        len(unmanaged) if isinstance(unmanaged, list) else unmanaged,
        host.get("message", ""),
    )


def _drifted(client: Client) -> Iterator[tuple[str, str, str, str]]:
    for kind in KINDS.values():
        for values in client.of_kind(kind) if kind.placed else ():
            for condition in values.get("conditions", []):
                if condition["type"] == "Drifted" and condition["status"]:
                    since, what = condition["last_transition"], condition["message"]
                    yield kind.name, values[kind.name_field], since, what


def _job(job: Values) -> tuple[object, ...]:
    started, completed = job.get("started_at"), job.get("completed_at")
    took = f"{started} … {completed}" if started and completed else started or ""
    return job["id"], job["job_type"], _host_of(job), job["status"], job["created_at"], took


def _host_of(job: Values) -> str:
    return str(job.get("host") or job.get("target") or "")


def _ended(job: Values) -> bool:
    return job["status"] in {"completed", "failed", "cancelled"}


def _second() -> None:
    time.sleep(1)
