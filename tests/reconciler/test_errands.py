"""Errands: each is carried out under the lease, ends whatever happens, and says how."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from reconciler import errands
from reconciler.errands import CARRIED_OUT, Errands, Means
from reconciler.lease import Contender, Lease
from reconciler.survey import World
from reconciler.sweep import Sweep
from state import reading
from state.certificates.jobs import TYPES
from state.database import Database
from state.document import Condition, Document, Status
from state.errors import Invalid, Superseded, Unreachable
from state.job_queue import bury_jobs
from state.job_types import JOB_TYPES, PURGE, RECONCILE, SWEEP
from state.jobs import Job, add_job, get_job, read_log
from state.settings import Settings
from state.statuses import save_statuses, settle
from state.tables import documents, leases
from state.templates import load_templates
from tests.state.conftest import Company

SWEPT = Sweep(7, frozenset({"a", "b"}), frozenset({"a"}), ("file:/x",), {"config:a": {"status": "drifted"}})


class Host:
    """What a worker of one target works with; `refused` are names of documents that never become ready."""

    def __init__(self, database: Database, var: Path) -> None:
        self.database, self.errands = database, Errands()
        self.refused: set[str] = set()
        self.looked: list[set[str]] = []
        self.purged: list[dict[str, Any]] = []
        self.answer: Callable[[], dict[str, Any]] = lambda: {
            "fenced": False,
            "results": {"u": {"status": "applied"}},
        }
        self.swept: Callable[[str], Sweep] = lambda _: SWEPT
        self.world = World(database, Settings(var=var), self._run, lambda: load_templates(()))
        lease = Contender(database).take("web1")
        assert lease is not None
        self.lease: Lease = lease

    def next(self) -> bool:
        return self.errands.next(Means(self.world, self.lease, self._look, self.swept))

    def _run(self, _verb: str, _target: str, request: dict[str, Any]) -> dict[str, Any]:
        self.purged.append(request)
        return self.answer()

    def _look(self) -> None:
        """A pass: what is pending has been looked at, and is ready or refused."""
        with self.database.writing() as connection:
            found = reading.pending(connection, "web1")
            self.looked.append({str(each.ref) for each in found})
            save_statuses(connection, [self._status(each) for each in found])
            settle(connection, found)

    def _status(self, document: Document) -> Status:
        bad = document.name in self.refused
        reason, message = ("Refused", "line 3") if bad else ("Converged", "")
        ready = Condition("Ready", not bad, reason, message, document.generation, datetime.now(UTC))
        return Status(document.uid, document.generation, (ready,))

    def add(self, job_type: str, **values: Any) -> str:
        with self.database.writing() as connection:
            return add_job(connection, job_type, **{"target": "web1", **values})

    def job(self, job: str) -> tuple[Job, str]:
        with self.database.reading() as connection:
            return get_job(connection, job), "\n".join(line for _, line in read_log(connection, job))


@pytest.fixture
def host(database: Database, tmp_path: Path) -> Host:
    company = Company(database)
    company.user("anna")
    company.user("bert")
    for name in ("anna", "bert"):
        company.site(f"{name}.example", name)
    with database.writing() as connection:
        connection.execute(update(documents).where(documents.c.kind != "Package").values(target="web1"))
    made = Host(database, tmp_path)
    made._look()
    made.looked.clear()
    return made


def test_every_sort_of_job_has_somebody_who_carries_it_out() -> None:
    assert {*CARRIED_OUT, *TYPES} == JOB_TYPES.keys()


def test_nothing_due_is_nothing_done(host: Host) -> None:
    assert not host.next()
    assert host.looked == []


def test_a_users_documents_are_looked_at_and_told_to_be_ready(host: Host) -> None:
    job = host.add(RECONCILE, owner="anna")
    assert host.next()
    assert host.looked == [{"User/anna", "WebDomain/anna.example"}]
    ended, log = host.job(job)
    assert (ended.status, ended.results) == ("completed", {})
    assert log == "2 documents of web1 are looked at\n2 of 2 documents are ready"


def test_all_of_a_host_are_looked_at(host: Host) -> None:
    host.add(RECONCILE)
    host.next()
    assert host.looked == [{"User/anna", "User/bert", "WebDomain/anna.example", "WebDomain/bert.example"}]


def test_only_those_named_are_looked_at(host: Host) -> None:
    host.add(
        RECONCILE,
        owner="anna",
        parameters={"documents": ["WebDomain/anna.example", "WebDomain/bert.example"]},
    )
    host.next()
    assert host.looked == [{"WebDomain/anna.example"}]


def test_a_recorded_run_that_failed_is_done_again_for_its_documents(host: Host) -> None:
    recorded = {"target": "web1", "documents": ["User/bert"], "changes": 1, "requests": []}
    host.add(RECONCILE, owner="bert", parameters=recorded)
    host.next()
    assert host.looked == [{"User/bert"}]


def test_a_job_fails_where_a_document_is_not_ready_and_says_why(host: Host) -> None:
    host.refused.add("anna.example")
    job = host.add(RECONCILE, owner="anna")
    host.next()
    ended, log = host.job(job)
    assert (ended.status, ended.results) == (
        "failed",
        {"WebDomain/anna.example": {"status": "Refused", "message": "line 3"}},
    )
    assert log.endswith("1 of 2 documents are ready")


def test_a_sweep_says_what_it_found(host: Host) -> None:
    job = host.add(SWEEP, parameters={"host": "web1"})
    host.next()
    ended, log = host.job(job)
    assert (ended.status, ended.results) == ("completed", {"config:a": {"status": "drifted"}})
    assert log == "7 resources looked at: 1 documents have drifted, 2 need a pass, 1 things are not ours"


def test_a_purge_is_asked_for_under_the_leases_token(host: Host) -> None:
    job = host.add(PURGE, parameters={"stamp": "s", "uids": ["u"], "documents": []})
    host.next()
    assert host.purged == [{"version": 1, "token": host.lease.token, "stamp": "s", "uids": ["u"]}]
    assert host.job(job)[0].status == "completed"


def _raise(error: Exception) -> Any:
    def fail(*_: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [Unreachable("no route"), Invalid([]), ValueError("token=hunter2"), MemoryError()]
)
def test_a_job_that_fails_says_so_and_stays_nowhere(host: Host, error: Exception) -> None:
    host.swept = _raise(error)
    job = host.add(SWEEP)
    assert host.next()
    ended, log = host.job(job)
    assert ended.status == "failed"
    assert type(error).__name__ in log
    assert "hunter2" not in log
    assert not host.next()


def test_a_purge_waits_for_a_host_that_does_not_answer(host: Host) -> None:
    host.answer = _raise(Unreachable("no route"))
    job = host.add(PURGE, parameters={"stamp": "s", "uids": ["u"]})
    assert host.next()
    ended, log = host.job(job)
    assert (ended.status, "no route" in log) == ("pending", True)
    assert ended.scheduled_for
    assert ended.scheduled_for > datetime.now(UTC)


def test_a_purge_that_the_host_refuses_to_a_late_worker_is_put_off(host: Host) -> None:
    host.answer = lambda: {"fenced": True, "highest": 99}
    job = host.add(PURGE, parameters={"stamp": "s", "uids": ["u"]})
    assert host.next()
    assert host.job(job)[0].status == "pending"


def test_who_has_lost_the_lease_takes_and_concludes_nothing(host: Host) -> None:
    waiting = host.add(RECONCILE)

    def lose(job: str) -> Sweep:
        with host.database.writing() as connection:
            connection.execute(update(leases).values(token=leases.c.token + 1))
            bury_jobs(connection, "web1")
        return SWEPT

    host.swept = lose
    sweep = host.add(SWEEP, priority=1)
    with pytest.raises(Superseded):
        host.next()
    assert host.job(sweep)[0].status == "failed"
    assert "worker died" in host.job(sweep)[1]
    with pytest.raises(Superseded):
        host.next()
    assert host.job(waiting)[0].status == "pending"


@pytest.mark.parametrize(("job_type", "status"), [(SWEEP, "failed"), (PURGE, "completed")])
def test_a_job_that_could_not_be_concluded_is_ended_at_the_next_turn(
    host: Host, monkeypatch: pytest.MonkeyPatch, job_type: str, status: str
) -> None:
    job = host.add(job_type, parameters={"stamp": "s", "uids": ["u"]})
    with monkeypatch.context() as patched:
        patched.setattr(errands, "finish_job", _raise(OperationalError("", {}, Exception("disk full"))))
        with pytest.raises(OperationalError):
            host.next()
    assert host.job(job)[0].status == "running"
    host.next()
    ended, log = host.job(job)
    assert ended.status == status
    assert "could not conclude" in log
