"""The clerk of one target: has certificates issued, many at a time, each as a job of its own."""

import threading
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from reconciler.certificates.authority import Desk
from reconciler.certificates.decisions import Failed, Issued, needed, settled, troubled, wanted
from reconciler.lease import Lease, whoami
from reconciler.survey import World
from state.acme_account import account_key, account_url, forget_account, keep_account
from state.authorities import authorities
from state.certificate_jobs import TYPES
from state.document import Document
from state.errors import GhostError, NotFound, Superseded
from state.event import FAILED, ISSUED, RENEWED, of_document
from state.events import emit
from state.job_queue import bury_job, postpone_job, take_job
from state.job_types import SSL_ISSUE
from state.jobs import Job, finish_job, log
from state.keeping import keep, put_away
from state.kinds.certificate import KEY, Certificate
from state.names import parents
from state.queue import ring
from state.reading import get
from state.recording import touch
from state.tables import claims

AT_ONCE = 50
CHALLENGES = {"http01": "http-01"}
"""How a challenge is called by the standard, of those that can be answered: every site answers http-01 by itself."""
_log = structlog.get_logger()


class Clerk:
    """Takes the jobs of a target that are due. What could not be concluded is at the next turn."""

    def __init__(self, world: World, target: str, stop: threading.Event) -> None:
        self._world, self._target, self._stop = world, target, stop
        self._free = threading.Semaphore(AT_ONCE)
        self._lost: list[Job] = []

    def turn(self, lease: Lease) -> int:
        """Begins as many as there is room for; how many. Raises Superseded."""
        begun = 0
        self._bury_lost(lease)
        while self._free.acquire(blocking=False):
            job = self._taken(lease)
            if job is None:
                self._free.release()
                return begun
            threading.Thread(target=self._carried_out, args=(lease, job), daemon=True).start()
            begun += 1
        return begun

    def _bury_lost(self, lease: Lease) -> None:
        while self._lost:
            with self._world.database.writing() as connection:
                lease.check(connection)
                bury_job(
                    connection, self._lost[0].id, self._lost[0].job_type, "the worker could not conclude it"
                )
            self._lost.pop(0)

    def _taken(self, lease: Lease) -> Job | None:
        with self._world.database.writing() as connection:
            lease.check(connection)
            return take_job(connection, self._target, TYPES, whoami())

    def _carried_out(self, lease: Lease, job: Job) -> None:
        try:
            self._issue(lease, job)
        except (Superseded, SQLAlchemyError) as error:
            _log.warning("a certificate could not be concluded", job=job.id, error=type(error).__name__)
            self._lost.append(job)
        except Exception:
            _log.exception("a certificate failed by a fault of ours", job=job.id)
            self._lost.append(job)
        finally:
            self._free.release()

    def _issue(self, lease: Lease, job: Job) -> None:
        database, now = self._world.database, datetime.now(UTC)
        try:
            with database.reading() as connection:
                document = _certificate(connection, job, now)
            issued = self._asked(document, now)
            news = settled(document, issued, now)
        except Failed as failed:
            with database.writing() as connection:
                lease.check(connection)
                _refused(connection, job, failed, now)
        except (GhostError, OSError) as error:
            with database.writing() as connection:
                lease.check(connection)
                _refused(connection, job, Failed(type(error).__name__, str(error)), now)
        else:
            with database.writing() as connection:
                lease.check(connection)
                self._kept(connection, job, issued, news)
        ring(self._world.settings, self._target)

    def _asked(self, document: Document, now: datetime) -> Issued:
        spec, settings = document.spec, self._world.settings
        assert isinstance(spec, Certificate)
        authority = authorities(settings.authorities).get(str(spec.acme_provider))
        if authority is None:
            there = ", ".join(authorities(settings.authorities))
            raise Failed(
                "AuthorityUnknown", f"there is no authority {spec.acme_provider!r}; there are {there}"
            )
        challenge = CHALLENGES.get(spec.acme_challenge_type)
        if challenge is None:
            raise Failed(
                "ChallengeUnavailable", f"{spec.acme_challenge_type} cannot be answered yet: use http01"
            )
        with self._world.database.writing() as connection:
            names, foreign = _sorted_out(connection, document, wanted(document, now))
            key, known = account_key(connection, settings.var), account_url(connection, authority.directory)
        if document.name in foreign:
            raise Failed("NotServedHere", f"{document.name}: {foreign[document.name]}")
        try:
            desk = Desk(authority, key, known, self._stop)
            with self._world.database.writing() as connection:
                keep_account(connection, authority.directory, desk.account)
            issued = desk.obtain(names, challenge)
        except Failed as failed:
            if failed.code == "NoAccount":
                with self._world.database.writing() as connection:
                    forget_account(connection, authority.directory)
            raise
        return Issued(issued.chain, issued.key, {**foreign, **issued.left_out}, issued.renew_at)

    def _kept(self, connection: Connection, job: Job, issued: Issued, news: dict[str, object]) -> None:
        document = _certificate(connection, job)
        keep(connection, document.uid, news)
        put_away(connection, self._world.settings.var, document.uid, {KEY: issued.key})
        touch(connection, document)
        log(connection, job.id, *(f"left out {name}: {why}" for name, why in issued.left_out.items()))
        verb = ISSUED if job.job_type == SSL_ISSUE else RENEWED
        emit(connection, of_document(document, verb, valid_until=news["valid_until"]))
        line = (
            f"{news['issuer']} vouches for {', '.join(map(str, news['names']))} until {news['valid_until']}"  # type: ignore[call-overload]
        )
        finish_job(connection, job.id, "completed", {}, line)


def _certificate(connection: Connection, job: Job, now: datetime | None = None) -> Document:
    """The certificate that a job is about. Raises Failed when it is gone, or needs nothing now and nobody asked."""
    try:
        document = get(connection, str(job.parameters["uid"]))
    except NotFound:
        raise Failed("Gone", "the certificate was deleted") from None
    if document.deleted:
        raise Failed("Gone", "the certificate was deleted")
    if now and not job.parameters.get("asked") and needed(document, now) is None:
        raise Failed("Settled", "there is one already")
    return document


def _refused(connection: Connection, job: Job, failed: Failed, now: datetime) -> None:
    if failed.code == "Stopped":
        postpone_job(connection, job.id, now, failed.message)
        return
    status = "completed" if failed.code == "Settled" else "failed"
    finish_job(connection, job.id, status, {}, f"{failed.code}: {failed.message}")
    if failed.code in {"Gone", "Settled"}:
        return
    document = get(connection, str(job.parameters["uid"]))
    keep(connection, document.uid, troubled(document, failed, now))
    touch(connection, document)
    emit(connection, of_document(document, FAILED, reason=failed.code, message=failed.message))


def _sorted_out(
    connection: Connection, document: Document, names: tuple[str, ...]
) -> tuple[tuple[str, ...], dict[str, str]]:
    """The names that a site of the same owner answers for here, and why the others are not asked for.

    Every name that is served here would be found to be ours: whose it is must be known beforehand.
    """
    mine, foreign = [], {}
    for name in names:
        above = [name, *(f"*.{parent}" for parent in list(parents(name))[:1])]
        held = (claims.c.space == "hosts") & claims.c.name.in_(above) & (claims.c.owner == document.owner)
        if connection.execute(select(claims.c.uid).where(held)).first():
            mine.append(name)
        else:
            foreign[name] = f"no site of {document.owner} has this name"
    return tuple(mine), foreign
