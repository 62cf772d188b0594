"""Which changes, and what keeps from them, a document is judged by: its own, its whole's, or those of what it is in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reconciler.changes import Change, Plan
from reconciler.compile import Outcome
from state.compiling import Reason


@dataclass(frozen=True, slots=True)
class Fates:
    """Of a plan: changes by document and by key; what blocks documents, all of it, what is `general` (about no single
    resource), and what is about one, by key."""

    changes: Mapping[str, Sequence[Change]]
    change_of: Mapping[str, Change]
    blocked: Mapping[str, tuple[Reason, ...]]
    general: Mapping[str, tuple[Reason, ...]]
    about: Mapping[str, tuple[Reason, ...]]

    def changes_for(self, uid: str, outcome: Outcome) -> Sequence[Change]:
        """The changes made for a document, or for the whole that it is a part of."""
        if outcome.own:
            return [self.change_of[outcome.own]] if outcome.own in self.change_of else []
        return self.changes.get(outcome.whole or uid, ())

    def blocked_for(self, uid: str, outcome: Outcome) -> tuple[Reason, ...]:
        """What keeps from these changes."""
        if outcome.own:
            return (*self.general.get(outcome.whole, ()), *self.about.get(outcome.own, ()))
        return self.blocked.get(outcome.whole or uid, ())


def fates_of(plan: Plan) -> Fates:
    """All of a plan, put in such an order that each document's share is found at once."""
    changes: dict[str, list[Change]] = {}
    for change in plan.changes:
        changes.setdefault(change.document, []).append(change)
    about: dict[str, tuple[Reason, ...]] = {}
    for reason in (each for reasons in plan.blocked.values() for each in reasons if each.about):
        about[reason.about] = (*about.get(reason.about, ()), reason)
    general = {
        uid: tuple(each for each in reasons if not each.about) for uid, reasons in plan.blocked.items()
    }
    return Fates(changes, {each.key: each for each in plan.changes}, plan.blocked, general, about)
