"""Purges: what was deleted is destroyed by a job of its own, when its day has come and nobody cancelled it."""

from datetime import UTC, datetime, timedelta

from reconciler.lease import Lease, whoami
from reconciler.survey import World
from state.errors import GhostError, Superseded, Temporary
from state.jobs import PURGE, Job, finish_job, postpone_job, take_job

AGAIN = timedelta(minutes=10)


def purge_due(world: World, lease: Lease) -> bool:
    """Does one purge of the lease's target that is due; whether there was one. Raises Superseded."""
    with world.database.writing() as connection:
        lease.check(connection)
        job = take_job(connection, PURGE, lease.target, whoami())
    if job is None:
        return False
    try:
        results = _purge(world, lease, job)
    except Temporary as error:
        with world.database.writing() as connection:
            postpone_job(connection, job.id, datetime.now(UTC) + AGAIN, f"{type(error).__name__}: {error}")
        return True
    except GhostError as error:
        with world.database.writing() as connection:
            finish_job(connection, job.id, "failed", {}, f"{type(error).__name__}: {error}")
        return True
    failed = [name for name, result in results.items() if result["status"] != "applied"]
    with world.database.writing() as connection:
        line = f"{len(results) - len(failed)} of {len(results)} removed from quarantine"
        finish_job(connection, job.id, "failed" if failed else "completed", results, line)
    return True


def _purge(world: World, lease: Lease, job: Job) -> dict[str, dict[str, str]]:
    which = {name: job.parameters[name] for name in ("stamp", "uids")}
    request = {"version": 1, "token": lease.token, **which}
    response = world.run(PURGE, lease.target, request)
    if response["fenced"]:
        raise Superseded(f"a newer worker has been at {lease.target}", highest=response.get("highest"))
    return dict(response["results"])
