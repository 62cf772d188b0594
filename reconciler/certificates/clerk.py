"""The clerk of one target: has certificates issued, many at a time, each as a job of its own."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from reconciler.certificates.authority import Desk
from reconciler.certificates.decisions import Failed, Issued, needed, settled, troubled, wanted
from reconciler.certificates.proofs import Order, Proof, SiteProof
from reconciler.certificates.zone_proof import UNHOSTED, ZoneProof
from reconciler.lease import Lease, whoami
from reconciler.survey import World
from state.acme_account import account_key, account_url, forget_account, keep_account
from state.authorities import Authority, authorities
from state.certificate_jobs import TYPES
from state.chains import known_chain
from state.challenges import left_behind, withdraw
from state.document import Document
from state.errors import GhostError, NotFound, Superseded
from state.event import FAILED, ISSUED, RENEWED, of_document
from state.events import emit
from state.job_queue import bury_job, postpone_job, take_job
from state.job_types import SSL_ISSUE
from state.jobs import Job, finish_job, log
from state.keeping import keep, put_away
from state.kinds.certificate import KEY, Certificate
from state.queue import ring
from state.reading import get, related
from state.recording import touch

AT_ONCE = 50
PROOFS: Mapping[str, Callable[[Order], Proof]] = {"http01": SiteProof, "dns01": ZoneProof}
"""How names are shown to be ours, by what certificates call it."""
_log = structlog.get_logger()


class Clerk:
    """Takes the jobs of a target that are due. What could not be concluded is at the next turn."""

    def __init__(self, world: World, target: str, stop: threading.Event) -> None:
        self._world, self._target, self._stop = world, target, stop
        self._free = threading.Semaphore(AT_ONCE)
        self._lost: list[Job] = []
        self._at: set[str] = set()

    def turn(self, lease: Lease) -> int:
        """Begins as many as there is room for; how many. Raises Superseded."""
        begun = 0
        self._bury_lost(lease)
        self._clear_up(lease)
        while self._free.acquire(blocking=False):
            job = self._taken(lease)
            if job is None:
                self._free.release()
                return begun
            self._at.add(job.id)
            threading.Thread(target=self._carried_out, args=(lease, job), daemon=True).start()
            begun += 1
        return begun

    def _bury_lost(self, lease: Lease) -> None:
        while self._lost:
            with self._world.database.writing() as connection:
                lease.check(connection)
                withdraw(connection, [self._lost[0].id])
                bury_job(
                    connection, self._lost[0].id, self._lost[0].job_type, "the worker could not conclude it"
                )
            self._lost.pop(0)

    def _clear_up(self, lease: Lease) -> None:
        """What zones answer for jobs that nobody is at, since their worker died, is taken away."""
        with self._world.database.reading() as connection:
            left = left_behind(connection, self._target, self._at)
        if left:
            with self._world.database.writing() as connection:
                lease.check(connection)
                withdraw(connection, left)

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
            self._at.discard(job.id)
            self._free.release()

    def _issue(self, lease: Lease, job: Job) -> None:
        now = datetime.now(UTC)
        try:
            with self._world.database.reading() as connection:
                document = _certificate(connection, job, now)
            issued = self._asked(lease, job, document, now)
            news = settled(document, issued, now)
        except Failed as failed:
            with self._concluding(lease, job) as connection:
                _refused(connection, job, failed, now)
        except (GhostError, OSError) as error:
            with self._concluding(lease, job) as connection:
                _refused(connection, job, Failed(type(error).__name__, str(error)), now)
        else:
            with self._concluding(lease, job) as connection:
                self._kept(connection, job, issued, news)
        ring(self._world.settings, self._target)

    @contextmanager
    def _concluding(self, lease: Lease, job: Job) -> Iterator[Connection]:
        """The transaction in which a job ends, and with it all that is answered for it."""
        with self._world.database.writing() as connection:
            lease.check(connection)
            withdraw(connection, [job.id])
            yield connection

    def _asked(self, lease: Lease, job: Job, document: Document, now: datetime) -> Issued:
        spec, settings = document.spec, self._world.settings
        assert isinstance(spec, Certificate)
        known = authorities(settings.authorities)
        authority = known.get(str(spec.acme_provider))
        if authority is None:
            words = f"there is no authority {spec.acme_provider!r}; there are {', '.join(known)}"
            raise Failed("AuthorityUnknown", words)
        proof = PROOFS[spec.acme_challenge_type](Order(self._world, lease, job.id, document, self._stop))
        with self._world.database.writing() as connection:
            names, foreign = proof.sort_out(connection, wanted(document, now))
            key, account = account_key(connection, settings.var), account_url(connection, authority.directory)
        if document.name in foreign:
            why = foreign[document.name]
            raise Failed(why.code, f"{document.name}: {why.message}")
        issued = self._obtained(authority, key, account, names, proof)
        left_out = {name: why.message for name, why in foreign.items() if why.code != UNHOSTED}
        return replace(issued, left_out={**left_out, **issued.left_out})

    def _obtained(
        self, authority: Authority, key: str, account: str | None, names: Sequence[str], proof: Proof
    ) -> Issued:
        """From an authority, whose account (URL) of ours is remembered; one that it does not know is forgotten."""
        try:
            desk = Desk(authority, key, account, self._stop)
            with self._world.database.writing() as connection:
                keep_account(connection, authority.directory, desk.account)
            return desk.obtain(names, proof)
        except Failed as failed:
            if failed.code == "NoAccount":
                with self._world.database.writing() as connection:
                    forget_account(connection, authority.directory)
            raise

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
    if now and not job.parameters.get("asked") and needed(document, now, related(connection)) is None:
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
    if known_chain(document.kept):  # else it is not ready, which the pass tells that finds it so
        emit(connection, of_document(document, FAILED, reason=failed.code, message=failed.message))
