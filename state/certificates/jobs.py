"""Jobs that certificates are had by: one at a time for each; and what authorities said to them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, or_, select

from state.certificates.limits import RATE_LIMITED, Limit
from state.document import Document
from state.job_types import SSL_ISSUE, SSL_RENEW
from state.jobs import add_job
from state.tables import documents, jobs

TYPES = (SSL_ISSUE, SSL_RENEW)


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


def troubled_by(connection: Connection, code: str, target: str, owners: Collection[str]) -> list[str]:
    """The certificates (uids) of these owners on a target that have this trouble, or leave a name out for it."""
    kept = documents.c.kept
    waiting = or_(
        kept["trouble"]["code"].as_string() == code, kept["left_out"].as_string().contains(f'"{code}"')
    )
    mine = (documents.c.kind == "Certificate") & (documents.c.target == target)
    theirs = mine & documents.c.owner.in_(owners) & documents.c.deleted_at.is_(None)
    return (
        list(connection.execute(select(documents.c.uid).where(theirs, waiting)).scalars()) if owners else []
    )


def limits(connection: Connection, provider: str) -> list[Limit]:
    """What this authority said of all certificates that it is to give."""
    code = documents.c.kept["trouble"]["code"].as_string()
    found = select(documents.c.owner, documents.c.kept).where(
        documents.c.kind == "Certificate",
        documents.c.deleted_at.is_(None),
        documents.c.spec["acme_provider"].as_string() == provider,
        code == RATE_LIMITED,
    )
    troubles = [(owner, kept["trouble"]) for owner, kept in connection.execute(found)]
    return [
        Limit(o, datetime.fromisoformat(t["at"]), datetime.fromisoformat(t["retry_at"]))
        for o, t in troubles
        if "at" in t
    ]
