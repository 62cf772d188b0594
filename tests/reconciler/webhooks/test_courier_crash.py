"""Senders that are killed, doubled or late: what was not recorded is sent again, with its id, and nothing else is."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from sqlalchemy import func, select, update

from reconciler.webhooks import outbox
from reconciler.webhooks.courier import LEASE
from reconciler.webhooks.fan_out import fan_out
from state.cursors import PRUNED, position
from state.errors import Superseded
from state.journal.tables import cursors, deliveries, events
from state.tables import leases
from tests.conftest import Stage
from tests.reconciler.webhooks.offices import Office, numbers, until
from tests.reconciler.webhooks.receivers import Received, Receiver, listening


def test_a_sender_killed_before_it_recorded_is_followed_by_one_that_sends_again(
    office_on_both: Office,
) -> None:
    office = office_on_both
    argv = [
        sys.executable,
        "-m",
        "tests.reconciler.webhooks.lone_courier",
        office.database.url,
        str(office.settings.var),
    ]

    def answer(_: Received) -> int:
        if len(receiver.got) == 3:
            doomed.kill()
            doomed.wait()
        return 200

    with listening(Receiver(answer)) as receiver:
        hook = office.hook("anna", receiver)
        office.happen("anna", *range(5))
        with subprocess.Popen(argv) as doomed:
            doomed.wait(60)
        with office.courier():
            until(lambda: len(office.rows(hook, "delivered")) == 5)
    assert numbers(receiver) == [0, 1, 2, 2, 3, 4]
    assert receiver.ids[2] == receiver.ids[3]
    assert len(set(receiver.ids)) == 5


def test_two_senders_at_once_send_each_delivery_once(office_on_both: Office) -> None:
    office = office_on_both
    with listening(Receiver()) as receiver, office.courier(), office.courier():
        hook = office.hook("anna", receiver)
        office.happen("anna", *range(60))
        until(lambda: len(office.rows(hook, "delivered")) == 60)
    assert numbers(receiver) == list(range(60))


def test_a_sender_that_stops_gives_way_at_once(office: Office) -> None:
    with listening(Receiver()) as receiver:
        office.hook("anna", receiver)
        for number in range(3):
            office.happen("anna", number)
            with office.courier():
                until(lambda: len(receiver.got) == number + 1)  # noqa: B023
    assert numbers(receiver) == [0, 1, 2]


def test_a_sender_that_lost_its_lease_records_nothing(office: Office) -> None:
    def answer(_: Received) -> int:
        with office.database.writing() as connection:
            connection.execute(
                update(leases).where(leases.c.target == LEASE).values(token=100, holder="other")
            )
        return 200

    with listening(Receiver(answer)) as receiver:
        hook = office.hook("anna", receiver)
        office.happen("anna", 1, 2)
        with office.courier():
            until(lambda: receiver.got)
    assert [row.status for row in office.rows(hook)] == ["pending", "pending"]
    assert numbers(receiver) == [1]


def test_events_are_fanned_out_once_by_two_who_try_at_the_same_time(
    postgresql_stage: Stage, tmp_path: Path
) -> None:
    postgresql_stage.reset("migrated")
    office = Office(postgresql_stage.database, tmp_path)
    hook = office.hook("anna", Receiver(), url="https://example.com/")
    office.happen("anna", 1, 2)
    results: list[object] = []

    def attempt() -> None:
        try:
            with office.database.writing() as connection:
                results.append(fan_out(connection))
        except Superseded as error:
            results.append(error)

    threads = [Thread(target=attempt), Thread(target=attempt)]
    with office.database.writing() as connection:
        connection.execute(update(cursors).values(last=cursors.c.last))
        for thread in threads:
            thread.start()
        until(lambda: _waiting_for_locks(office) >= 2)
    for thread in threads:
        thread.join()
    assert sorted(type(result).__name__ for result in results) == ["Superseded", "int"]
    assert len(office.rows(hook)) == 2


def _waiting_for_locks(office: Office) -> int:
    with office.database.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted").scalar_one())


def test_old_events_and_deliveries_go_in_batches_unless_they_were_not_told(office_on_both: Office) -> None:
    office = office_on_both
    hook = office.hook("anna", Receiver(), url="https://example.com/")
    office.happen("anna", *range(4))
    later = datetime.now(UTC) + timedelta(days=1)
    with office.database.writing() as connection:
        assert not outbox.prune(connection, later)
        kept = connection.execute(select(func.count()).select_from(events)).scalar_one()
        fan_out(connection)
    assert (kept > 0, len(office.rows(hook))) == (True, 4)
    with office.database.writing() as connection:
        last = connection.execute(select(func.max(events.c.id))).scalar_one()
        outbox.prune(connection, later)
        assert connection.execute(select(func.count()).select_from(events)).scalar_one() == 0
        assert connection.execute(select(func.count()).select_from(deliveries)).scalar_one() == 0
        assert position(connection, PRUNED) == last
