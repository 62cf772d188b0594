"""The record of a run as jobs: one for each owner it concerns, with a log that grows while it runs."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

import structlog
from sqlalchemy import Connection

from reconciler.apply import Applied
from reconciler.changes import Action, Change
from reconciler.lease import whoami
from reconciler.subject import Survey
from state.database import Database
from state.document import Document
from state.job_types import DNS_SYNC, MOST_NAMED, PURGE, RECONCILE
from state.jobs import SYSTEM, add_job, amend_job, drop_job, finish_job, log
from state.kinds import tenant_of
from state.zones.providers import name_of

MOST_OWNERS = 20
_log = structlog.get_logger()
_PUT_ASIDE = frozenset({Action.DELETE, Action.REPLACE})


class Journal:
    """The jobs of one pass. Whatever ends the pass, its jobs end too, and say how."""

    def __init__(self, database: Database, found: Survey, stamp: str, keep_days: int) -> None:
        """`stamp` marks what goes to quarantine, and `keep_days` is how long it stays there."""
        self._database = database
        self._stamp, self._keep_days = stamp, keep_days
        self._target = found.subject.target
        self._changes = found.plan.changes
        self._started = time.monotonic()
        documents = found.subject.documents
        owners = {c.key: self._owner(documents.get(c.document)) for c in self._changes}
        several = len(set(owners.values()) - {SYSTEM}) > MOST_OWNERS
        self._names = {uid: f"{d.kind}/{d.name}" for uid, d in documents.items()}
        self._requests = {uid: d.request_id for uid, d in documents.items() if d.request_id}
        self._by_owner: dict[str, list[Change]] = {}
        for change in self._changes:
            self._by_owner.setdefault(SYSTEM if several else owners[change.key], []).append(change)
        if len(self._by_owner) > 1 and SYSTEM in self._by_owner and not several:
            mine = self._by_owner.pop(SYSTEM)
            for changes in self._by_owner.values():
                changes.extend(mine)
        self._jobs: dict[str, str] = {}
        self._purges: dict[str, str] = {}

    @staticmethod
    def _owner(document: Document | None) -> str:
        return SYSTEM if document is None else tenant_of(document)

    def __enter__(self) -> "Journal":
        with self._database.writing() as connection:
            for owner, changes in self._by_owner.items():
                names = sorted({self._names[c.document] for c in changes if c.document})
                requests = sorted({self._requests.get(c.document, "") for c in changes} - {""})
                parameters = {
                    "target": self._target,
                    "documents": names[:MOST_NAMED],
                    "changes": len(changes),
                    "requests": requests[:MOST_NAMED],
                }
                self._jobs[owner] = add_job(
                    connection,
                    DNS_SYNC if name_of(self._target) else RECONCILE,
                    owner=owner,
                    target=self._target,
                    parameters=parameters,
                    holder=whoami(),
                    request_id=requests[0] if len(requests) == 1 else "",
                )
                lines = [f"{c.action} {c.key} ({c.cause})" for c in changes[:500]]
                log(connection, self._jobs[owner], f"{len(changes)} changes on {self._target}", *lines)
                self._date_purge(connection, owner)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if error is None:
            return
        with self._database.writing() as connection:
            for job in self._jobs.values():
                finish_job(connection, job, "failed", {}, f"{type(error).__name__}: {error}")
                _log.warning("run failed", job=job, target=self._target, error=type(error).__name__)

    def ended(self, connection: Connection, done: Applied) -> None:
        """Ends the jobs with the result of each resource."""
        for name, values in done.services.items():
            if not values.get("ok"):
                _log.warning("service failed", target=self._target, service=name, why=values.get("message"))
        for owner, job in self._jobs.items():
            results = {c.key: self._result(c, done, owner) for c in self._by_owner[owner]}
            bad = {key: r for key, r in results.items() if r["status"] != "applied"}
            lines = [f"{key}: {r['status']}: {r['message']}" for key, r in list(bad.items())[:500]]
            lines += [_service_line(name, values, owner) for name, values in done.services.items()]
            lines += [f"on the host: {_phases(done)}"] if done.timings else []
            lines.append(
                f"{len(results) - len(bad)} of {len(results)} applied and proved in {self._elapsed()}"
            )
            log(connection, job, *lines)
            status = "failed" if bad else "completed"
            finish_job(connection, job, status, results)
            self._settle_purge(connection, owner, done)
            _log.info("run ended", job=job, owner=owner, status=status, changes=len(results), bad=len(bad))

    def _date_purge(self, connection: Connection, owner: str) -> None:
        """What goes to quarantine is purged by a job of its own, on a day that everyone can see and cancel.

        The job is there before anything is put aside, so that a crash leaves nothing that nobody will purge.
        """
        if _aside(self._by_owner[owner]):
            self._purges[owner] = add_job(
                connection,
                PURGE,
                owner=owner,
                target=self._target,
                parameters=self._to_purge(_aside(self._by_owner[owner])),
                scheduled_for=datetime.now(UTC) + timedelta(days=self._keep_days),
            )

    def _settle_purge(self, connection: Connection, owner: str, done: Applied) -> None:
        """Lets the purge be of what was really put aside; there is none where that is nothing."""
        if owner not in self._purges:
            return
        results, changes = done.results, _aside(self._by_owner[owner])
        moved = [c for c in changes if c.key in results and results[c.key].status == "applied"]
        if moved:
            amend_job(connection, self._purges[owner], self._to_purge(moved))
        else:
            drop_job(connection, self._purges[owner])

    def _to_purge(self, changes: Sequence[Change]) -> dict[str, Any]:
        uids = sorted({c.document for c in changes})
        names = sorted(self._names[uid] for uid in uids)
        return {"target": self._target, "stamp": self._stamp, "documents": names[:MOST_NAMED], "uids": uids}

    def _result(self, change: Change, done: Applied, owner: str) -> dict[str, Any]:
        result = done.results.get(change.key)
        service = done.services.get(change.service or "", {}) if change.type == "service" else {}
        status = result.status if result else ("applied" if service.get("ok") else "failed")
        return {
            "document": self._names.get(change.document, ""),
            "action": change.action.value,
            "cause": change.cause.value,
            "status": status,
            "message": result.message if result else _words(service, owner),
        }

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._started:.2f} s"


def _aside(changes: Sequence[Change]) -> list[Change]:
    """Those that put something aside."""
    return [c for c in changes if c.action in _PUT_ASIDE and c.type in {"account", "directory"}]


def _phases(done: Applied) -> str:
    return ", ".join(f"{phase} {seconds:.2f} s" for phase, seconds in done.timings.items())


def _words(service: Mapping[str, Any], owner: str) -> str:
    """What a service says went wrong, which may name what belongs to anybody: tenants are not told."""
    message = str(service.get("message") or "")
    return "operators are told why" if message and owner != SYSTEM else message


def _service_line(name: str, values: Mapping[str, Any], owner: str) -> str:
    words = _words(values, owner)
    message = f": {words}" if words else ""
    return f"{values.get('action', 'none')} {name} {'ok' if values.get('ok') else 'FAILED'}{message}"
