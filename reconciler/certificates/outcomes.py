"""What a job comes to: kept, told and logged in the one transaction in which it ends."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from reconciler.certificates.answers import Failed, Issued
from reconciler.certificates.decisions import NAME_FAILED, needed, settled_without, troubled, unchanged
from reconciler.certificates.proofs import sites_pending
from reconciler.certificates.terms import CHANGED, GONE, present, still_wanted
from reconciler.certificates.unserved import NOT_SERVED, not_served_still
from state.certificates.chains import known_chain
from state.certificates.giving import KEY
from state.certificates.jobs import ORDERED
from state.certificates.limits import RATE_LIMITED, by_hand
from state.document import Document
from state.job_queue import postpone_job
from state.job_types import SSL_ISSUE
from state.jobs import Job, finish_job, get_job, log
from state.journal.event import FAILED, ISSUED, RENEWED, of_document
from state.journal.events import emit
from state.keeping import keep, put_away
from state.kinds.certificate import asked_of, is_to_be_had
from state.reading import get, related
from state.recording import touch

AGAIN = timedelta(seconds=2)
_LATER, _ENDED = {"Stopped", "NotYet", CHANGED}, {GONE, "Settled", "TooSoon"}


def certificate(connection: Connection, job: Job, now: datetime | None = None) -> Document:
    """The certificate that a job is about.

    Raises Failed when it is gone; at `now`, if that is given, also when nothing is to be done about it.
    """
    document = present(connection, str(job.parameters["uid"]))
    if now and not is_to_be_had(document):
        raise Failed("Settled", "no authority is to be asked for it any more")
    if now and not job.parameters.get("asked"):
        if needed(document, now, related(connection)) is None:
            raise Failed("Settled", settled_without(document, now))
    elif now and (until := by_hand(document.kept, now, asked_of(document))):
        raise Failed("TooSoon", f"it may be asked for again at {until:%Y-%m-%dT%H:%M:%SZ}")
    return document


def kept(
    connection: Connection, var: Path, job: Job, then: Document, issued: Issued, news: Mapping[str, Any]
) -> None:
    """One was had, as it was asked for `then`: `news` is what is remembered of it, if it is still wanted."""
    try:
        document = still_wanted(connection, then, news["names"])
    except Failed as failed:
        _had_in_vain(connection, job, issued, failed)
        return
    keep(connection, document.uid, {**news, "left_out": _still(connection, document, news["left_out"])})
    put_away(connection, var, document.uid, {KEY: issued.key})
    touch(connection, document)
    _tell_left_out(connection, job, document, issued.left_out, news)
    verb = ISSUED if job.job_type == SSL_ISSUE else RENEWED
    emit(connection, of_document(document, verb, valid_until=news["valid_until"]))
    line = f"{news['issuer']} vouches for {', '.join(news['names'])} until {news['valid_until']}"
    finish_job(connection, job.id, "completed", _had(connection, job, issued), line)


def _had_in_vain(connection: Connection, job: Job, issued: Issued, failed: Failed) -> None:
    """It is put away unused; that it was had counts all the same, and what is wanted by now is looked at."""
    line = f"{failed.code}: {failed.message}, and what was given is not used"
    finish_job(connection, job.id, "failed", _had(connection, job, issued), line)
    if failed.code != GONE:
        touch(connection, present(connection, str(job.parameters["uid"])))


def _had(connection: Connection, job: Job, issued: Issued) -> dict[str, Any]:
    failed = sorted(name for name, why in issued.left_out.items() if why.code == NAME_FAILED)
    told: dict[str, Any] = {"failed": failed} if failed else {}
    return _results(connection, job, "issued", names=sorted(issued.names), **told)


def stayed(connection: Connection, job: Job, left_out: Mapping[str, Failed]) -> None:
    """There is no other one to be had than the one that is there."""
    document = certificate(connection, job)
    news = unchanged(document, left_out, datetime.now(UTC))
    keep(connection, document.uid, {**news, "left_out": _still(connection, document, news["left_out"])})
    touch(connection, document)
    _tell_left_out(connection, job, document, left_out, news)
    told = "there is one already for all names that can be had"
    finish_job(connection, job.id, "completed", _results(connection, job, "unchanged"), told)


def refused(connection: Connection, job: Job, failed: Failed) -> None:
    """There is none, and why; it is asked for again later."""
    now = datetime.now(UTC)
    if failed.code in _LATER or (failed.code == NOT_SERVED and _served(connection, job, failed.names)):
        postpone_job(connection, job.id, now + AGAIN, failed.message)
        return
    status = "completed" if failed.code == "Settled" else "failed"
    line = f"{failed.code}: {failed.message}"
    if failed.code in _ENDED:
        finish_job(connection, job.id, status, _results(connection, job, status), line)
        return
    document = get(connection, str(job.parameters["uid"]))
    news = troubled(document, failed, now)
    why = {"reason": failed.code, "retry_at": news["trouble"]["retry_at"]}
    if failed.code == NAME_FAILED and failed.names:
        why["failed"] = sorted(failed.names)
    known = {"authority": asked_of(document)[0], "orders": 0} if failed.code == RATE_LIMITED else {}
    finish_job(connection, job.id, status, _results(connection, job, status, known, **why), line)
    keep(connection, document.uid, news)
    touch(connection, document)
    if known_chain(document.kept):  # else it is not ready, which the pass tells that finds it so
        emit(connection, of_document(document, FAILED, reason=failed.code, message=failed.message))


def _results(
    connection: Connection, job: Job, status: str, known: Mapping[str, Any] | None = None, **values: Any
) -> dict[str, Any]:
    """What came of what a job ordered, if it ordered anything or that much is known."""
    so_far = get_job(connection, job.id).results.get(ORDERED) or known
    return {ORDERED: {**so_far, "status": status, **values}} if so_far else {}


def _tell_left_out(
    connection: Connection,
    job: Job,
    document: Document,
    left_out: Mapping[str, Failed],
    news: Mapping[str, Any],
) -> None:
    """Which names were left out, and why; who hears of it hears it the first time only."""
    known = news["left_out"] or {}
    told = {name: why for name, why in left_out.items() if name in known}
    if any(known[name]["tries"] == 1 for name in told):
        message = "; ".join(f"{name}: {why.message}" for name, why in told.items())
        emit(connection, of_document(document, FAILED, reason="NamesLeftOut", message=message[:4000]))
    log(connection, job.id, *(f"left out {name}: {why.message}" for name, why in told.items()))


def _still(
    connection: Connection, document: Document, left_out: Mapping[str, Any] | None
) -> Mapping[str, Any] | None:
    """What is left out without the names that a site was given meanwhile; a pass to come sees to a pending one's."""
    waiting = [name for name, each in (left_out or {}).items() if each.get("code") == NOT_SERVED]
    return not_served_still(left_out, [name for name in waiting if _live(connection, document.owner, name)])


def _served(connection: Connection, job: Job, names: Iterable[str]) -> bool:
    return all(_live(connection, str(job.owner), name) for name in names)


def _live(connection: Connection, owner: str, name: str) -> bool:
    pending = sites_pending(connection, owner, name)
    return bool(pending) and not any(pending)
