"""Parts that are in one resource of their whole share the fate of that one, and of nothing else."""

from reconciler.changes import Action, Cause, Change, Plan
from reconciler.compile import Outcome
from reconciler.fates import fates_of
from state.compiling import Reason


def _change(key: str, uid: str) -> Change:
    return Change(Action.CREATE, key, uid, Cause.INTENDED, None, {})


def test_each_has_its_share() -> None:
    held, refused = Reason("HeldBack", "all of it"), Reason("Refused", "just this", "rrset:z/b/A")
    again = Reason("Contested", "and that", "rrset:z/b/A")
    changes = (_change("rrset:z/a/A", "z"), _change("rrset:z/c/A", "z"), _change("config:x", "other"))
    fates = fates_of(Plan(changes, (), (), 0, {"z": (held, refused, again)}, ()))
    whole, shared = Outcome(), Outcome(whole="z")
    assert fates.changes_for("z", whole) == fates.changes_for("p", shared) == list(changes[:2])
    assert fates.blocked_for("z", whole) == fates.blocked_for("p", shared) == (held, refused, again)
    own = {name: Outcome(whole="z", own=f"rrset:z/{name}/A") for name in "abc"}
    assert [list(fates.changes_for("p", each)) for each in own.values()] == [[changes[0]], [], [changes[1]]]
    assert [fates.blocked_for("p", each) for each in own.values()] == [
        (held,),
        (held, refused, again),
        (held,),
    ]
    assert not fates.changes_for("none", Outcome())
    assert not fates.blocked_for("none", Outcome())
