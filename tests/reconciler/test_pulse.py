"""How the loops of a worker go, noted and written down."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.pulse import Pulse
from state.database import Database
from state.errors import Temporary
from state.loops import PASS, PLANS, SWEEP, Loop, list_loops, record


def _round(pulse: Pulse, loop: str, target: str = "", *, idle: bool = False) -> None:
    with pulse.turn(loop, target) as turn:
        turn.idle = idle


def test_rounds_with_something_to_do_are_counted() -> None:
    pulse = Pulse()
    _round(pulse, PASS, "web1")
    _round(pulse, PASS, "web1", idle=True)
    _round(pulse, PASS, "web1")
    _round(pulse, SWEEP, "web1", idle=True)
    passes, sweeps = pulse.take()
    assert (passes.loop, passes.target, passes.rounds, passes.failures) == (PASS, "web1", 2, 0)
    assert (sweeps.loop, sweeps.rounds, sweeps.seconds) == (SWEEP, 0, 0)
    assert passes.busy_since is None
    assert pulse.take() == []


def test_a_round_that_raises_has_failed() -> None:
    pulse = Pulse()

    def fail() -> None:
        with pulse.turn(SWEEP, "web1") as turn:
            turn.idle = True
            raise Temporary("no")

    with pytest.raises(Temporary):
        fail()
    assert [(loop.rounds, loop.failures) for loop in pulse.take()] == [(1, 1)]


def test_a_round_under_way_is_heard_of_as_long_as_it_lasts() -> None:
    pulse = Pulse()
    with pulse.turn(PASS, "web1"):
        first, second = pulse.take()[0], pulse.take()[0]
        assert first.busy_since == second.busy_since is not None
        assert second.at >= first.at
        assert first.rounds == 0
    assert pulse.take()[0].busy_since is None


def test_what_is_written_down_adds_up_and_is_written_at_the_end(database: Database) -> None:
    stop, now = threading.Event(), datetime.now(UTC)
    with database.writing() as connection:
        record(connection, [Loop(PASS, "web1", now - timedelta(days=1), None, 4, 1, 2.5)])
    pulse = Pulse()
    _round(pulse, PASS, "web1")
    _round(pulse, PLANS, idle=True)
    stop.set()
    pulse.keep(database, stop)
    with database.reading() as connection:
        passes, plans = list_loops(connection)
    assert (passes.target, passes.rounds, passes.failures) == ("web1", 5, 1)
    assert passes.seconds >= 2.5
    assert passes.at >= now
    assert (plans.loop, plans.target, plans.rounds) == (PLANS, "", 0)


def test_two_workers_that_write_the_first_time_at_once_agree(database: Database) -> None:
    now, ready = datetime.now(UTC), threading.Barrier(2)

    def write() -> None:
        ready.wait()
        with database.writing() as connection:
            record(connection, [Loop(SWEEP, "web1", now, None, 1, 0, 1.0)])

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as connection:
        assert [loop.rounds for loop in list_loops(connection)] == [2]
