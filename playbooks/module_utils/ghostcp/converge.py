"""All configuration changes of a batch made live together, and taken back when a daemon refuses them."""

import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from . import configs, daemons, generations, loading, services, staging
from .generations import ForeignError
from .host import Host, explain, write_atomically
from .services import Report
from .staging import Trial
from .timing import Clock
from .wire import ACCEPTED, APPLIED, Change, Outcome, failed

TOGETHER = "; why is told to operators, since it was loaded together with what others changed"


@dataclass(slots=True)
class Converged:
    """What became of each change, and of each service; live files that break it without us (`suspects`)."""

    outcomes: dict[str, Outcome] = field(default_factory=dict)
    services: dict[str, Report] = field(default_factory=dict)
    suspects: set[str] = field(default_factory=set)

    def add(self, reports: dict[str, Report]) -> None:
        """Keep what was done and what failed, whatever later rounds had nothing to do for."""
        for name, report in reports.items():
            old = self.services.get(name)
            if old is None or (
                old.ok and not (old.action != "none" and report.action == "none" and report.ok)
            ):
                self.services[name] = report


def converge(host: Host, changes: Sequence[Change], wanted: Iterable[str], clock: Clock) -> Converged:
    """Make the changes live, then have the `wanted` services and all touched ones run what is live.

    A service that does not reload takes its changes (and what belongs to the same documents) back; if it loads
    what it had before, they are tried again in halves, so that in the end only those fail that it cannot load.
    """
    result, groups, needed = Converged(), [list(changes)], frozenset(wanted)
    while groups:
        group, *groups = groups
        tenable = _tenable(group, result)
        trial = _judged(host, tenable, result, clock) if tenable else None
        if trial is not None and trial.active:
            groups = [*_go_live(host, trial, needed, result, clock), *groups]
    with clock("reload"):
        result.add(loading.bring_up(host, sorted(needed - set(result.services)), needed))
    with clock("retire"):
        _retire(host)
    return result


def _tenable(group: Sequence[Change], result: Converged) -> list[Change]:
    """The changes of a group for which all is there that an earlier group was to make."""
    bad = {key for key, outcome in result.outcomes.items() if not outcome.good}
    lacking = {change.key: key for change in group for key in change.requires if key in bad}
    reasons = {key: Outcome("skipped", f"it needs {needed}, which failed") for key, needed in lacking.items()}
    result.outcomes |= reasons
    return [change for change in group if change.key not in reasons]


def check(host: Host, changes: Sequence[Change], clock: Clock) -> Converged:
    """Only judge the changes: what is live stays."""
    result = Converged()
    trial = _judged(host, changes, result, clock) if changes else None
    if trial is not None:
        result.outcomes |= dict.fromkeys(trial.active, ACCEPTED)
    _retire(host)
    return result


def _judged(host: Host, changes: Sequence[Change], result: Converged, clock: Clock) -> Trial | None:
    """The changes on a stage, judged; None when there can be no stage."""
    try:
        with clock("stage"):
            trial = staging.begin(host, changes)
        with clock("validate"):
            staging.judge(trial)
    except OSError as error:
        result.outcomes |= {change.key: failed(explain(error)) for change in changes}
        return None
    except ForeignError as error:
        result.outcomes |= {change.key: failed(str(error)) for change in changes}
        return None
    result.outcomes |= trial.outcomes
    result.suspects |= trial.suspects
    return trial


def _go_live(
    host: Host, trial: Trial, needed: frozenset[str], result: Converged, clock: Clock
) -> list[list[Change]]:
    """Publish what was accepted and reload; the groups of changes to try again if they had to be taken back."""
    touched = {configs.service(change) for change in trial.active.values()}
    before = generations.live_number(host)
    try:
        with clock("swap"):
            number = _publish(host, trial, touched)
    except OSError as error:
        result.outcomes |= {key: failed(explain(error)) for key in trial.active}
        return []
    with clock("reload"):
        reports = loading.bring_up(host, sorted(touched | needed), needed)
    broken = {name for name in touched if not reports[name].ok and reports[name].action != "none"}
    if not broken:
        result.add(reports)
        result.outcomes |= dict.fromkeys(trial.active, APPLIED)
        return []
    with clock("rollback"):
        _take_back(host, before, number)
        loading.bring_up(host, sorted(touched), needed | broken)
        healthy = all(report.ok for report in loading.load(host, sorted(broken)).values())
    refused = _blamed(trial, broken, reports)
    if healthy and refused:
        result.outcomes |= staging.fallout(trial.active, refused)
        return [[change for change in trial.active.values() if change.key not in result.outcomes]]
    groups = _apart(trial, broken)
    if healthy and len(groups) > 1:
        return groups
    result.add(reports)
    return [_without(trial, broken, reports, result)]


def _blamed(trial: Trial, broken: set[str], reports: dict[str, Report]) -> dict[str, Outcome]:
    """The changes that a daemon itself names as what it would not load: they are refused."""
    files = {
        file: reports[name].message
        for name in broken
        if (blame := daemons.of(name).blame)
        for file in blame(reports[name].message)
    }
    active = [change for change in trial.active.values() if not change.deletes]
    return {it.key: Outcome("refused", files[it.name]) for it in active if it.name in files}


def _apart(trial: Trial, broken: set[str]) -> list[list[Change]]:
    """The changes in groups: what the broken services have no part in, and the rest in two halves by document."""
    documents: dict[str, list[Change]] = {}
    for change in trial.active.values():
        documents.setdefault(change.document or change.key, []).append(change)
    suspects = [it for it in documents.values() if any(configs.service(change) in broken for change in it)]
    others = [it for it in documents.values() if it not in suspects]
    middle = len(suspects) // 2
    groups = [others, suspects[:middle], suspects[middle:]]
    return [[change for it in group for change in it] for group in groups if group]


def _without(trial: Trial, broken: set[str], reports: dict[str, Report], result: Converged) -> list[Change]:
    """Fail the changes of the broken services and of their documents; the others are left."""
    documents: dict[str, Outcome] = {}
    alone = len({change.document for change in trial.active.values()}) == 1
    words = {name: f": {reports[name].message}" if alone else TOGETHER for name in broken}
    for change in trial.active.values():
        name = configs.service(change)
        if name in broken:
            outcome = failed(f"{name} did not load it and runs the previous one{words.get(name, '')}")
            result.outcomes[change.key] = outcome
            if change.document:
                documents[change.document] = outcome
    left = []
    for change in trial.active.values():
        if change.key not in result.outcomes and change.document in documents:
            result.outcomes[change.key] = documents[change.document]
        elif change.key not in result.outcomes:
            left.append(change)
    return left


def _publish(host: Host, trial: Trial, touched: Iterable[str]) -> int:
    """Mark the touched services' folders as new, bring all to the disk, and swap."""
    staging.sync(trial)
    marks = f"{trial.stage.tree}/{services.REVISIONS}"
    os.makedirs(marks, mode=0o755, exist_ok=True)
    for name in touched:
        write_atomically(f"{marks}/{name}", secrets.token_hex(8).encode())
    services.remember(host, [name for name in os.listdir(marks) if not name.startswith(".")])
    services.note_swap(host, done=False)
    number = generations.publish(host, trial.stage)
    services.note_swap(host, done=True)
    return number


def _take_back(host: Host, before: int, number: int) -> None:
    services.note_swap(host, done=False)
    generations.swap(host, before)
    services.note_swap(host, done=True)
    generations.discard(host, number)


def _retire(host: Host) -> None:
    """Clear up; what cannot be cleared now is cleared by a later batch."""
    try:
        generations.retire(host)
    except (OSError, ForeignError):
        return
