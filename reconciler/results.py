"""What became of changes: results proved by the second look, and what was applied, refused and repaired; pure."""

from collections.abc import Mapping, Sequence

from reconciler.apply import Applied, Result
from reconciler.changes import Action, Cause, Change
from reconciler.compile import Outcome
from reconciler.subject import Survey
from state.document import Document, Refusal, Status
from state.resource import digest

UNDONE = "undone"
DONE = frozenset({"applied"})
MADE = DONE | {UNDONE}

Results = Mapping[str, Result]


def result_of(change: Change, applied: Applied) -> Result:
    """What became of a change, proved by the second look: what was reported done but is not so is undone."""
    result = applied.results.get(change.key, Result("failed", "the host did not say what became of it"))
    if result.status not in DONE or change.key not in applied.observed:
        return result
    found = applied.observed[change.key]
    once = change.resource is not None and change.resource.once
    if (found is None) != (change.after is None) or (
        not once and found is not None and found != change.after
    ):
        return Result(UNDONE, "was done, but a second look finds it otherwise")
    return result


def _half_made(change: Change, results: Results, applied: Applied) -> bool:
    """Whether we began to make something that was not there, and it is there now, but not as it should be."""
    begun = change.action is Action.CREATE and results[change.key].status == "failed"
    return begun and applied.observed.get(change.key) is not None


def inventory_of(
    survey: Survey,
    document: Document,
    old: Status,
    changes: Sequence[Change],
    results: Results,
    applied: Applied,
) -> dict[str, str]:
    """What was applied for the document, without what another one has taken over by now."""
    wanted, adopted = survey.catalog.wanted_by, frozenset(survey.plan.adopted)
    taken = {
        key
        for key in old.applied
        if wanted.get(key, document.uid) != document.uid
        and (key in adopted or (key in results and results[key].status in MADE))
    }
    inventory = {k: d for k, d in old.applied.items() if k not in taken and k not in survey.plan.gone}
    for key in adopted:
        if wanted[key] == document.uid:
            inventory[key] = survey.catalog.resources[key].digest
    for change in changes:
        status = results[change.key].status
        if change.action is Action.DELETE and status in DONE:
            inventory.pop(change.key, None)
        elif change.after is not None and (status in MADE or _half_made(change, results, applied)):
            inventory[change.key] = digest(change.after)
    return inventory


def refusals(old: Status, outcome: Outcome, failed: list[tuple[Change, Result]]) -> dict[str, Refusal]:
    """What validators refused, and of that what is still wanted."""
    kept = {key: refusal for key, refusal in old.refused.items() if key in outcome.keys}
    new = {
        change.key: Refusal(digest(change.after), result.message)
        for change, result in failed
        if result.status == "refused" and change.after is not None
    }
    return {**kept, **new}


def repairs(old: Status, changes: Sequence[Change], results: Results) -> dict[str, int]:
    """How often each thing was made anew since anybody wanted it otherwise."""
    counted = dict(old.repairs)
    for change in changes:
        if change.cause is Cause.INTENDED:
            counted.pop(change.key, None)
        elif results[change.key].status in MADE:
            counted[change.key] = counted.get(change.key, 0) + 1
    return counted
