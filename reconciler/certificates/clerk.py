"""The clerk of one target: has certificates issued, many at a time, each as a job of its own."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import structlog
from sqlalchemy import Connection

from reconciler.certificates.answers import (
    AUTHORITY_MISCONFIGURED,
    AUTHORITY_UNKNOWN,
    MISCONFIGURED,
    Failed,
    Issued,
    Suggestion,
    Unchanged,
)
from reconciler.certificates.authority import Desk
from reconciler.certificates.decisions import enough, held, lost_until, settled, wanted
from reconciler.certificates.either_proof import EitherProof
from reconciler.certificates.losses import indispensable
from reconciler.certificates.outcomes import certificate, kept, refused, stayed
from reconciler.certificates.proofs import Order, Proof, SiteProof
from reconciler.certificates.restraint import check_patience, permit, sated
from reconciler.certificates.suggestions import Suggestions
from reconciler.certificates.terms import Terms, still_wanted
from reconciler.lease import Lease, whoami
from reconciler.survey import World
from state.certificates.account import account_key, account_url, forget_account, keep_account
from state.certificates.authorities import Authority, authorities, names
from state.certificates.chains import covers, known_chain
from state.certificates.challenges import left_behind, withdraw
from state.certificates.jobs import TYPES
from state.certificates.limits import anew
from state.document import Document
from state.errors import GhostError, Superseded, Unreadable
from state.job_queue import postpone_job, take_job
from state.jobs import Job
from state.kinds.certificate import names_of
from state.queue import ring
from state.reading import related

AT_ONCE = 50
OPERATORS = "operators are told what is wrong by 'ghostcp check'"
PROOFS: Mapping[str, Callable[[Order], Proof]] = {"http01": SiteProof, "dns01": EitherProof}
"""How names are shown to be ours, by what certificates call it."""
_log = structlog.get_logger()


class Clerk:
    """Takes the jobs of a target that are due. What could not be concluded is at the next turn."""

    def __init__(self, world: World, target: str, stop: threading.Event) -> None:
        self._world, self._target, self._stop = world, target, stop
        self._free = threading.Semaphore(AT_ONCE)
        self._lost: list[Job] = []
        self._at: dict[str, str] = {}
        self._suggestions = Suggestions(world, target, self._suggestion)

    def turn(self, lease: Lease) -> int:
        """Begins as many as there is room for; how many. Raises Superseded."""
        begun = 0
        self._bury_lost(lease)
        self._clear_up(lease)
        self._suggestions.turn(lease)
        while self._free.acquire(blocking=False):
            job = self._taken(lease)
            if job is None:
                self._free.release()
                return begun
            self._at[job.id] = job.owner
            threading.Thread(target=self._carried_out, args=(lease, job), daemon=True).start()
            begun += 1
        return begun

    def _bury_lost(self, lease: Lease) -> None:
        while self._lost:
            job, now = self._lost[0], datetime.now(UTC)
            with self._world.database.writing() as connection:
                lease.check(connection)
                withdraw(connection, [job.id])
                again = lost_until(job.created_at, now)
                words = f"the worker could not conclude it: it begins again at {again:%Y-%m-%dT%H:%M:%SZ}"
                postpone_job(connection, job.id, again, words)
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
            return take_job(connection, self._target, TYPES, whoami(), sated(self._at.values(), AT_ONCE))

    def _carried_out(self, lease: Lease, job: Job) -> None:
        try:
            self._issue(lease, job)
        except Superseded:
            self._lost.append(job)
        except Exception:
            _log.exception("a certificate failed by a fault of ours", job=job.id)
            self._give_up(lease, job)
        finally:
            self._at.pop(job.id, None)
            self._free.release()

    def _give_up(self, lease: Lease, job: Job) -> None:
        """A fault of ours waits as long as one of the authority's; what cannot even be recorded is at the next turn."""
        try:
            with self._concluding(lease, job) as connection:
                refused(connection, job, Failed("Fault", "a fault on our side, which was logged"))
        except Exception as error:
            _log.warning("a certificate could not be concluded", job=job.id, error=type(error).__name__)
            self._lost.append(job)
        ring(self._world.settings, self._target)

    def _issue(self, lease: Lease, job: Job) -> None:
        try:
            with self._world.database.reading() as connection:
                document = certificate(connection, job, datetime.now(UTC))
            found = self._asked(lease, job, document)
            news = None if isinstance(found, Unchanged) else settled(document, found, datetime.now(UTC))
        except Failed as failed:
            with self._concluding(lease, job) as connection:
                refused(connection, job, failed)
        except Superseded:
            raise
        except (Unreadable, OSError) as error:
            _log.warning("a certificate cannot be had here", job=job.id, error=str(error))
            with self._concluding(lease, job) as connection:
                refused(connection, job, Failed(MISCONFIGURED, f"something is wrong here: {OPERATORS}"))
        except GhostError as error:
            with self._concluding(lease, job) as connection:
                refused(connection, job, Failed(type(error).__name__, str(error)))
        else:
            with self._concluding(lease, job) as connection:
                if isinstance(found, Unchanged) or news is None:
                    stayed(connection, job, found.left_out)
                else:
                    kept(connection, self._world.settings.var, job, document, found, news)
        ring(self._world.settings, self._target)

    @contextmanager
    def _concluding(self, lease: Lease, job: Job) -> Iterator[Connection]:
        """The transaction in which a job ends, and with it all that is answered for it."""
        with self._world.database.writing() as connection:
            lease.check(connection)
            withdraw(connection, [job.id])
            yield connection

    def _asked(self, lease: Lease, job: Job, document: Document) -> Issued | Unchanged:
        authority = self._authority(document)
        now, by_hand = datetime.now(UTC), bool(job.parameters.get("asked"))
        there = () if by_hand and anew(document.kept, now) else held(document, now)
        order = Order(self._world, lease, job.id, document, self._stop, job.created_at)
        proof = PROOFS[document.spec.acme_challenge_type](order)  # type: ignore[attr-defined]
        with self._world.database.writing() as connection:
            check_patience(connection, order, now)
            asked = names_of(document) if by_hand else wanted(document, now, related(connection))
            names, foreign = proof.sort_out(connection, asked)
            foreign = {name: why for name, why in foreign.items() if not covers(names, name)}
            key = account_key(connection, self._world.settings.var)
        musts = () if by_hand else indispensable(document, now, job.job_type)
        for name in (document.name, *musts):
            if name in foreign:
                raise Failed(foreign[name].code, f"{name}: {foreign[name].message}", names=(name,))
        if enough(there, names):
            return Unchanged(foreign)
        terms = Terms(tuple(there), musts, partial(permit, order), partial(self._confirmed, document))
        found = self._obtained(authority, key, lambda desk: desk.obtain(names, proof, terms))
        return replace(found, left_out={**foreign, **found.left_out})

    def _confirmed(self, document: Document, names: Sequence[str]) -> None:
        with self._world.database.reading() as connection:
            still_wanted(connection, document, names)

    def _suggestion(self, document: Document) -> Suggestion:
        """When its authority suggests to renew it."""
        authority, chain = self._authority(document), known_chain(document.kept)
        with self._world.database.writing() as connection:
            key = account_key(connection, self._world.settings.var)
            account = account_url(connection, authority.directory)
        if account is None or chain is None:
            raise Failed("NoAccount", "there is no account with it any more")
        return Desk(authority, key, account, self._stop).suggestion(chain.pem)

    def _authority(self, document: Document) -> Authority:
        provider = str(document.spec.acme_provider)  # type: ignore[attr-defined]
        known = authorities(self._world.settings.authorities)
        if provider in known.faults:
            _log.warning("GHOSTCP_AUTHORITIES", authority=provider, wrong=known.faults[provider])
            raise Failed(AUTHORITY_MISCONFIGURED, f"{provider} is not set up properly here: {OPERATORS}")
        if provider not in known.usable:
            words = f"there is no authority {provider!r}; there are {', '.join(names(known.usable))}"
            raise Failed(AUTHORITY_UNKNOWN, words)
        return known.usable[provider]

    def _obtained(
        self, authority: Authority, key: str, obtain: Callable[[Desk], Issued | Unchanged]
    ) -> Issued | Unchanged:
        """From an authority that remembers our account; one that it has forgotten is made anew, once."""
        with self._world.database.reading() as connection:
            account = account_url(connection, authority.directory)
        try:
            return obtain(self._desk(authority, key, account))
        except Failed as failed:
            if failed.code != "NoAccount":
                raise
        with self._world.database.writing() as connection:
            forget_account(connection, authority.directory)
        return obtain(self._desk(authority, key, None))

    def _desk(self, authority: Authority, key: str, account: str | None) -> Desk:
        desk = Desk(authority, key, account, self._stop)
        with self._world.database.writing() as connection:
            keep_account(connection, authority.directory, desk.account)
        return desk
