"""Is this plan safe? A source that shrank must not take a host's tenants with it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from reconciler.changes import Action, Plan
from state.compiling import Reason
from state.document import Document

SMALL, SHARE = 3, 0.25


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the deletions may be done, and if not, why and what would allow them."""

    allowed: bool = True
    message: str = ""


def judge(plan: Plan, documents: Mapping[str, Document], total: int, doubtful: int = 0) -> Verdict:
    """Deletions nobody confirmed one by one may be a quarter of the target's `total` documents, or three.

    `doubtful`: how many of them the whole target has, of which a plan may hold only some.
    """
    doomed = _doubtful(plan, documents)
    count, budget = max(len(doomed), doubtful), max(SMALL, int(total * SHARE))
    if not doomed or count <= budget:
        return Verdict()
    return Verdict(
        False,
        f"{count} of {total} documents would be deleted because their source no longer has them; "
        f"at most {budget} are without confirmation: restore the source, or confirm the deletion",
    )


def hold_back(plan: Plan, documents: Mapping[str, Document], verdict: Verdict) -> Plan:
    """The plan without the deletions that the guard refused, which say so; all else goes on."""
    doubtful = _doubtful(plan, documents)
    doubtful |= {documents[uid].whole for uid in doubtful} - {""}
    held = {uid: (*plan.blocked.get(uid, ()), Reason("HeldBack", verdict.message)) for uid in doubtful}
    changes = tuple(change for change in plan.changes if change.document not in doubtful)
    return replace(plan, changes=changes, blocked={**plan.blocked, **held})


def _doubtful(plan: Plan, documents: Mapping[str, Document]) -> set[str]:
    """The tombstones that the plan would make true and that nobody confirmed; of parts, by a change of their whole."""
    doomed = {c.document for c in plan.changes if c.action is Action.DELETE and c.document in documents}
    changed = {change.document for change in plan.changes}
    doomed |= {uid for uid, d in documents.items() if d.whole in changed}
    return {uid for uid in doomed if documents[uid].deleted and not documents[uid].confirmed}
