"""What a write may not leave behind: a whole that lacks what it had, such as a zone its last name server."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, select

from api.contexts import context_of
from api.writes import Written
from state.compiling import Context, Reason
from state.document import Document
from state.errors import Conflict, Fault, Invalid
from state.kinds import KINDS
from state.reading import by_uid, parts_of
from state.settings import Settings
from state.stored_json import sound
from state.tables import IS_PART, documents


def refuse_lacks(connection: Connection, settings: Settings, written: Iterable[Written]) -> None:
    """Looks at all that was written together. What a whole lacked before is a condition of it, and no fault of this
    write; a new one is allowed to be without what its parts will give it.

    Raises Invalid for parts that need what is not there, Conflict when something was taken away that is needed.
    """
    together = list(written)
    wholes = {one.after.uid: one for one in together if KINDS[one.after.kind].lacks}
    groups: dict[str, list[Written]] = {}
    for one in together:
        if _weighs(one):
            groups.setdefault(one.after.whole or one.after.uid, []).append(one)
    for one in _veiling(connection, settings, [one for one in together if not _weighs(one)]):
        groups.setdefault(one.after.whole, []).append(one)
    for uid in groups.keys() & wholes.keys():
        groups[uid].append(wholes[uid])
    faults = [
        fault
        for whole in by_uid(connection, list(groups))
        if not whole.deleted
        for fault in _faults(connection, settings, whole, groups[whole.uid])
    ]
    if faults:
        raise Invalid(faults)


def _weighs(one: Written) -> bool:
    """Whether a whole may lack something by this."""
    kind, spec, before = KINDS[one.after.kind], one.after.spec, one.before.spec if one.before else None
    if kind.part_of is None:
        return kind.lacks is not None and before is not None and before != spec
    return kind.part_of.weighs(before, None if one.after.deleted else spec)


def _veiling(connection: Connection, settings: Settings, written: Sequence[Written]) -> list[Written]:
    """What is where it was not, in wholes that have wildcards: these no longer answer for that place (RFC 4592)."""
    new = [one for one in written if _appears(one)]
    wild = _having_wildcards(connection, new)
    for whole in by_uid(connection, sorted({one.after.whole for one in new} - wild)):
        if _is_wild(context_of(connection, settings, whole, ())):
            wild.add(whole.uid)
    return [one for one in new if one.after.whole in wild]


def _appears(one: Written) -> bool:
    """Whether by this a part is where it was not."""
    part_of, before = KINDS[one.after.kind].part_of, one.before.spec if one.before else None
    return part_of is not None and part_of.appears(before, None if one.after.deleted else one.after.spec)


def _is_wild(context: Context) -> bool:
    """Whether a whole has a wildcard that is none of its parts."""
    try:
        return KINDS[context.document.kind].wild(context)
    except Exception:  # whatever a template does: its zones say so themselves
        return False


def _having_wildcards(connection: Connection, new: Sequence[Written]) -> set[str]:
    """The wholes of these parts that have a part that stands for those that are not there."""
    wholes: dict[str, set[str]] = {}
    for one in new:
        if part_of := KINDS[one.after.kind].part_of:
            wholes.setdefault(part_of.wild, set()).add(one.after.whole)
    found = set[str]()
    for wild, uids in wholes.items():
        ordered, star = sorted(uids), (IS_PART, sound(documents.c.spec)[wild].as_string().like("*%"))
        for start in range(0, len(ordered), 500):
            theirs = documents.c.whole.in_(ordered[start : start + 500])
            query = select(documents.c.whole).where(theirs, *star, documents.c.deleted_at.is_(None))
            found |= set(connection.execute(query.distinct()).scalars())
    return found


def _faults(
    connection: Connection, settings: Settings, whole: Document, written: Sequence[Written]
) -> list[Fault]:
    """What of it is new that it lacks, for parts that were written. Raises Conflict when others do without it."""
    now = parts_of(connection, [whole.uid])
    firsts = {one.after.uid: one for one in reversed(written)}
    before = _before(connection, settings, whole, now, firsts)
    known = {reason.message for uid, reason in before.items() if uid}
    faults = []
    for uid, reason in _lacks(context_of(connection, settings, whole, now)).items():
        if reason.message in known or (not uid and uid in before):
            continue
        if uid not in firsts:
            raise Conflict(
                f"this would take from {whole.name} what it needs: {reason.message}", code="needed"
            )
        faults.append(Fault(f"{firsts[uid].place}value", reason.message))
    return faults


def _before(
    connection: Connection,
    settings: Settings,
    whole: Document,
    now: Sequence[Document],
    firsts: Mapping[str, Written],
) -> Mapping[str, Reason]:
    """What it lacked before all of this was written; a new one may lack whatever its parts do not need."""
    of_whole = firsts.get(whole.uid)
    if of_whole is not None and of_whole.before is None:
        return {"": Reason("New", "")}
    earlier = [part for part in now if part.uid not in firsts]
    earlier += [one.before for uid, one in firsts.items() if one.before is not None and uid != whole.uid]
    old = of_whole.before if of_whole and of_whole.before else whole
    return _lacks(context_of(connection, settings, old, earlier))


def _lacks(context: Context) -> Mapping[str, Reason]:
    judge = KINDS[context.document.kind].lacks
    try:
        return judge(context) if judge else {}
    except Exception:  # whatever a template does: its zones say so themselves
        return {}
