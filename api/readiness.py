"""Whether the whole is ready, judged by its vital signs: what is wrong is said in words that name nobody's secrets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from state.loops import PASS, PLANS, SWEEP, Loop
from state.vitals import Waiting

LATE = timedelta(seconds=60)
LATE_DELIVERY = timedelta(minutes=5)
LONGEST_ROUND = timedelta(minutes=30)
_START = "start one with 'ghostcp worker'"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what is wrong with it: nothing when it is well."""

    name: str
    fault: str = ""
    age: float | None = None


def judge(
    waiting: Waiting, loops: Sequence[Loop], hosts: Collection[str], sweep_seconds: float, now: datetime
) -> tuple[Check, ...]:
    """The queue, the loop and the sweep; that the database answers is known by whoever asks this."""
    return (
        Check("database"),
        _queue(waiting, now),
        _loop(loops, hosts, now),
        _sweep(loops, hosts, timedelta(seconds=3 * sweep_seconds) + LONGEST_ROUND, now),
    )


def _queue(waiting: Waiting, now: datetime) -> Check:
    plan, delivery = _age(waiting.oldest_plan, now), _age(waiting.oldest_delivery, now)
    age = max(plan, delivery).total_seconds()
    if plan > LATE:
        return Check("queue", f"a plan has waited for {_seconds(plan)}: {_START}", age)
    if delivery > LATE_DELIVERY:
        return Check("queue", f"a delivery is late by {_seconds(delivery)}: {_START}", age)
    return Check("queue", age=age)


def _loop(loops: Sequence[Loop], hosts: Collection[str], now: datetime) -> Check:
    """Every host has its passes, and somebody answers plans."""
    heard = {loop.target: loop for loop in loops if loop.loop == PASS}
    plans = [loop for loop in loops if loop.loop == PLANS]
    if not heard and not plans:
        return Check("loop", f"no worker has ever been here: {_START}")
    wanted: list[Loop | None] = [*(heard.get(host) for host in hosts), plans[0] if plans else None]
    ages = [_age(loop.at, now) for loop in wanted if loop]
    age = max(ages).total_seconds() if ages else None
    silent = sum(loop is None or _age(loop.at, now) > LATE for loop in wanted)
    if silent:
        return Check("loop", f"{silent} of {len(wanted)} loops have not been heard of: {_START}", age)
    stuck = sum(_age(loop.busy_since, now) > LONGEST_ROUND for loop in wanted if loop)
    if stuck:
        fault = f"{stuck} of {len(wanted)} loops are stuck in a round: restart the worker"
        return Check("loop", fault, age)
    return Check("loop", age=age)


def _sweep(loops: Sequence[Loop], hosts: Collection[str], patience: timedelta, now: datetime) -> Check:
    """Every host was looked at."""
    swept = {loop.target: loop for loop in loops if loop.loop == SWEEP}
    ages = [_age(swept[host].at, now) for host in hosts if host in swept]
    age = max(ages).total_seconds() if ages else None
    late = sum(age > patience for age in ages)
    fault = f"{late} of {len(hosts)} hosts were not looked at in time: see 'ghostcp hosts'" if late else ""
    return Check("sweep", fault, age)


def _age(since: datetime | None, now: datetime) -> timedelta:
    """How long ago it was; nothing if it never was, or if clocks differ."""
    return max(timedelta(), now - since) if since else timedelta()


def _seconds(age: timedelta) -> str:
    return f"{age.total_seconds():.0f} s"
