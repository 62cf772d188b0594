"""Answer an apply request: the changes of a plan, each in its turn, each failing for itself."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import converge, fence, generations, loading, placeholder, resources, shown
from .converge import Converged
from .host import Host, explain
from .paths import INVALID
from .resources import HANDLERS, RANK
from .timing import Clock
from .wire import APPLIED, STALE, VERSION, Attributes, Change, Outcome, changes, digest_or_none, failed

WEB_SERVER = "nginx"
Outcomes = dict[str, Outcome]


def apply(host: Host, request: Mapping[str, Any]) -> dict[str, Any]:
    """The response to a request of changes; nothing at all is touched when the token is too old."""
    clock = Clock()
    plan = changes(request)
    only = bool(request.get("validate_only"))
    with fence.exclusive(host):
        try:
            fence.pass_fence(host, int(request["token"]))
        except fence.FencedError as error:
            return {"version": VERSION, "fenced": True, "highest": error.highest}
        outcomes: Outcomes = {}
        asked = frozenset(request.get("services") or ())
        converged = (
            _validate(host, plan, outcomes, clock) if only else _apply(host, plan, asked, outcomes, clock)
        )
        with clock("observe"):
            keys = [change.key for change in plan if change.key in outcomes]
            units = asked | converged.services.keys()
            observed = resources.observe(
                host, dict.fromkeys([*keys, *(f"service:{name}" for name in sorted(units))])
            )
        number = generations.live_number(host)
    return {
        "version": VERSION,
        "fenced": False,
        "results": {it.key: outcomes[it.key].as_dict() for it in plan if it.key in outcomes},
        "observed": observed,
        "services": {name: report.as_dict() for name, report in converged.services.items()},
        "suspects": sorted(f"config:{name}" for name in converged.suspects),
        "generation": number,
        "elapsed": clock.elapsed,
        "timings": clock.phases,
    }


def _validate(host: Host, plan: Sequence[Change], outcomes: Outcomes, clock: Clock) -> Converged:
    """Only let the validators judge the configurations."""
    ready = _ready(host, _of(plan, "config"), outcomes)
    converged = converge.check(host, ready, clock)
    outcomes.update(converged.outcomes)
    return converged


def _apply(
    host: Host, plan: Sequence[Change], asked: frozenset[str], outcomes: Outcomes, clock: Clock
) -> Converged:
    plain = [it for it in plan if HANDLERS[it.type].apply and not HANDLERS[it.type].late]
    with clock("make"):
        _carry_out(host, sorted((it for it in plain if not it.deletes), key=_rank), outcomes)
    with clock("check"):
        if WEB_SERVER in asked:
            placeholder.keep(host)
        ready = _ready(host, _of(plan, "config"), outcomes)
    daemons = [change for change in _of(plan, "service") if not change.deletes]
    converged = converge.converge(host, ready, asked | {change.name for change in daemons}, clock)
    outcomes.update(converged.outcomes)
    for change in _of(plan, "service"):
        report = converged.services.get(change.name)
        outcomes[change.key] = APPLIED if report is None or report.ok else failed(report.message)
    with clock("show"):
        _show(host, _of(plan, "shown"), outcomes, converged)
    with clock("late"):
        _carry_out_late(host, [change for change in plan if HANDLERS[change.type].late], outcomes)
    with clock("remove"):
        _carry_out(host, sorted((it for it in plain if it.deletes), key=_rank, reverse=True), outcomes)
    return converged


def _show(host: Host, plan: Sequence[Change], outcomes: Outcomes, converged: Converged) -> None:
    """What is shown follows from what is loaded; where it does not, the web server is told once more to load it.

    Whether that was of use, the look afterwards says. One that does not load is not to blame for what it shows.
    """
    shown.forget(host, [change.name for change in plan])
    for change in plan:
        outcomes[change.key] = _missing(change, outcomes) or APPLIED
    wanted = {it.name: it.attributes for it in plan if outcomes[it.key].good}
    report = converged.services.get(WEB_SERVER)
    if (report is None or report.action == "none") and shown.observe(host, list(wanted)) != wanted:
        converged.add(loading.load(host, [WEB_SERVER]))
    report = converged.services.get(WEB_SERVER)
    if report is not None and not report.ok:
        reason = Outcome("skipped", f"it needs service:{WEB_SERVER}, which failed")
        outcomes.update(dict.fromkeys((f"shown:{name}" for name in wanted), reason))


def _of(plan: Iterable[Change], kind: str) -> list[Change]:
    return [change for change in plan if change.type == kind]


def _rank(change: Change) -> int:
    return RANK[change.type]


def batches(plan: Iterable[Change]) -> Iterator[list[Change]]:
    """Runs of changes of one type of which none requires another of the same run."""
    batch: dict[str, Change] = {}
    kind = ""
    for change in plan:
        if batch and (change.type != kind or any(key in batch for key in change.requires)):
            yield list(batch.values())
            batch = {}
        batch[change.key], kind = change, change.type
    if batch:
        yield list(batch.values())


def _carry_out(host: Host, plan: Iterable[Change], outcomes: Outcomes) -> None:
    for batch in batches(plan):
        handler = HANDLERS[batch[0].type]
        ready = _ready(host, batch, outcomes)
        if ready and handler.apply:
            try:
                outcomes.update(handler.apply(host, ready))
            except OSError as error:
                outcomes.update({change.key: failed(explain(error)) for change in ready})


def _carry_out_late(host: Host, plan: Sequence[Change], outcomes: Outcomes) -> None:
    """What only comes about by what was done before; there is nothing that one could have planned against."""
    by_type: dict[str, list[Change]] = {}
    for change in plan:
        reason = _missing(change, outcomes)
        if reason is None:
            by_type.setdefault(change.type, []).append(change)
        else:
            outcomes[change.key] = reason
    for kind, several in by_type.items():
        handler = HANDLERS[kind]
        if handler.apply:
            outcomes.update(handler.apply(host, several))


def _missing(change: Change, outcomes: Outcomes) -> Outcome | None:
    """Why a change cannot be made yet: something that it requires was not."""
    missing = next((key for key in change.requires if key in outcomes and not outcomes[key].good), None)
    if missing is None:
        return None
    return Outcome("skipped", f"it needs {missing}, which is {outcomes[missing].status}")


def _ready(host: Host, batch: Sequence[Change], outcomes: Outcomes) -> list[Change]:
    """The changes of a batch that are still to be made; the outcome of the others is known already."""
    observed = resources.observe(host, [change.key for change in batch])
    ready = []
    for change in batch:
        outcome = _settled(change, observed[change.key], outcomes)
        if outcome is None:
            ready.append(change)
        else:
            outcomes[change.key] = outcome
    return ready


def _settled(change: Change, current: Attributes | None, outcomes: Outcomes) -> Outcome | None:
    """What is known of a change before it is made: it cannot be, it is true already, or its plan is old."""
    missing = _missing(change, outcomes)
    if missing is not None:
        return missing
    if current is not None and current.get("obstructed") == INVALID:
        return failed("its name is not valid: choose another")
    found, wanted = digest_or_none(current), None if change.deletes else digest_or_none(change.attributes)
    if found == wanted or (change.once and not change.deletes and current is not None):
        return APPLIED
    return None if found == change.expect else STALE
