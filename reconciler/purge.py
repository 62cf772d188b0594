"""Purges: what was deleted is destroyed by a job of its own, when its day has come and nobody cancelled it."""

from reconciler.lease import Lease
from reconciler.survey import World
from state.errors import Superseded
from state.job_types import PURGE
from state.jobs import Job


def purge(world: World, lease: Lease, job: Job) -> dict[str, dict[str, str]]:
    """What became of each thing in quarantine. Raises Superseded, Unreachable or Unknown."""
    which = {name: job.parameters[name] for name in ("stamp", "uids")}
    request = {"version": 1, "token": lease.token, **which}
    response = world.run(PURGE, lease.target, request)
    if response["fenced"]:
        raise Superseded(f"a newer worker has been at {lease.target}", highest=response.get("highest"))
    return dict(response["results"])
