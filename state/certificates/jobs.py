"""Jobs that certificates are had by: one at a time for each; and what authorities said to them and gave by them.

The table of jobs is the history of what was ordered and had: who ever removes old jobs has to leave it a week of these.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from state.certificates.limits import EVERYONE, HOUR, HOURS, RATE_LIMITED, WEEK, Limit, Past, last_third
from state.document import Document
from state.job_types import SSL_ISSUE, SSL_RENEW
from state.jobs import add_job, get_job, note_so_far
from state.stored_json import sound
from state.tables import CERTIFYING, documents, jobs

TYPES = (SSL_ISSUE, SSL_RENEW)
ORDERED = "certificate"
"""Under which name the results of a job tell of what was ordered by it: `authority`, how many `orders`, for which
`names` the last one was, in their order, `status`, and the names that `failed`; of a job that failed the `reason`, and
`retry_at`."""
_ORDER = jobs.c.results[ORDERED]
_AUTHORITY = _ORDER["authority"].as_string()


def ask_for_one(connection: Connection, document: Document, job_type: str, *, asked: bool = False) -> str:
    """A new job, by which the certificate is had; its id. `asked`: somebody wants another one, needed or not."""
    parameters = {"certificate": document.name, "uid": document.uid, **({"asked": True} if asked else {})}
    return add_job(
        connection,
        job_type,
        owner=document.owner,
        target=document.target,
        parameters=parameters,
        request_id="" if asked else document.request_id,
    )


def under_way(connection: Connection, target: str) -> dict[str, str]:
    """The jobs that wait or run on a target, by the uid of the certificate."""
    waiting = jobs.c.status.in_(("pending", "running")) & (jobs.c.target == target)
    found = connection.execute(
        select(jobs.c.id, jobs.c.parameters).where(waiting, jobs.c.job_type.in_(TYPES))
    )
    return {str(parameters.get("uid")): job for job, parameters in found}


def note_order(connection: Connection, job_id: str, authority: str, names: Collection[str]) -> None:
    """One more order is put to the authority by a job."""
    count = int(get_job(connection, job_id).results.get(ORDERED, {}).get("orders", 0)) + 1
    told = {"status": "ordered", "authority": authority, "orders": count, "names": sorted(names)}
    note_so_far(connection, job_id, {ORDERED: told})


def past(
    connection: Connection,
    document: Document,
    called: Sequence[str],
    names: Sequence[str],
    now: datetime,
    but: str = "",
) -> Past:
    """What counts when a certificate is to be ordered for these names. `called` is all that its authority is called, as
    in the document first; `but` the job that it is ordered by, if there is one already."""
    orders = ordered(connection, called, document.owner, now)
    ending = last_third(document.kept, called[0])
    if ending is not None and now >= ending:
        return Past(orders=orders)
    had = had_alike(connection, called, names, now, but)
    return Past(had, orders, failures(connection, called, names, now))


def had_alike(
    connection: Connection, authority: Collection[str], names: Collection[str], now: datetime, but: str = ""
) -> tuple[datetime, ...]:
    """When certificates for just these names were had from an authority within a week, by whomever; those that other
    jobs than `but` are having are had now. `authority` is all that it is called."""
    alike, found = sorted(names), _ORDER["names"]
    since = CERTIFYING & or_(jobs.c.completed_at.is_(None), jobs.c.completed_at > now - WEEK)
    first = jobs.c.results[(ORDERED, "names", 0)].as_string() == alike[0]
    had = _ORDER["status"].as_string().in_(("issued", "ordered")) & (jobs.c.id != but)
    query = select(jobs.c.completed_at, found).where(since, _AUTHORITY.in_(authority), first, had)
    return tuple(at or now for at, names_ in connection.execute(query) if names_ == alike)


def failures(
    connection: Connection, authority: Collection[str], names: Iterable[str], now: datetime
) -> tuple[datetime, ...]:
    """When an authority did not believe one of these names within an hour: of the one that failed most often."""
    recent = CERTIFYING & (jobs.c.completed_at > now - HOUR)
    query = select(jobs.c.completed_at, _ORDER["failed"]).where(recent, _AUTHORITY.in_(authority))
    told = [(at, failed) for at, failed in connection.execute(query) if failed]
    each = (tuple(at for at, failed in told if name in failed) for name in names)
    return max(each, key=len, default=())


def ordered(
    connection: Connection, authority: Collection[str], owner: str, now: datetime
) -> tuple[datetime, ...]:
    """When an owner put orders to an authority within three hours, those of jobs that go on being of now."""
    recent = or_(jobs.c.completed_at.is_(None), jobs.c.completed_at > now - HOURS)
    whose = func.coalesce(jobs.c.owner, "")  # else SQLite goes through all jobs of the owner
    theirs = CERTIFYING & recent & (whose == owner) & _AUTHORITY.in_(authority)
    query = select(jobs.c.completed_at, _ORDER["orders"].as_integer()).where(theirs)
    return tuple(at or now for at, count in connection.execute(query) for _ in range(count))


def troubled_by(connection: Connection, code: str, target: str, owners: Collection[str]) -> list[str]:
    """The certificates (uids) of these owners on a target that have this trouble, or leave a name out for it."""
    kept = sound(documents.c.kept)
    waiting = or_(
        kept["trouble"]["code"].as_string() == code, kept["left_out"].as_string().contains(f'"{code}"')
    )
    mine = (documents.c.kind == "Certificate") & (documents.c.target == target)
    theirs = mine & documents.c.owner.in_(owners) & documents.c.deleted_at.is_(None)
    return (
        list(connection.execute(select(documents.c.uid).where(theirs, waiting)).scalars()) if owners else []
    )


def limits(connection: Connection, authority: Collection[str], now: datetime) -> list[Limit]:
    """When an authority said lately that there were too many requests, whatever became of the certificates since."""
    recent = CERTIFYING & (jobs.c.completed_at > now - EVERYONE)
    theirs = _AUTHORITY.in_(authority) & (_ORDER["reason"].as_string() == RATE_LIMITED)
    query = select(jobs.c.owner, jobs.c.completed_at, _ORDER["retry_at"].as_string()).where(recent, theirs)
    return [Limit(o, at, datetime.fromisoformat(until)) for o, at, until in connection.execute(query)]
