"""Performing a write: once for each key, audited in its own transaction, told to the workers; or only rehearsed."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from api import journal, kept_answers
from api.besides import with_besides
from api.call import Call, Deed, Reply
from api.options import Options, options
from api.rehearsal import rehearse
from api.views import difference
from api.wholes import refuse_lacks
from api.writes import Written
from state.document import Document
from state.errors import Conflict
from state.journal.audit import MASKED
from state.kinds import tenant_of
from state.queue import ring
from state.validation import dump

Work = Callable[[Connection], Reply]


def perform(call: Call, work: Work) -> Reply:
    """Does the work in one transaction and answers with its reply; or, when that was asked for, with the plan of it."""
    asked = options(call.request)
    kept_answers.key_of(call)
    if asked.dry_run:
        return _rehearsed(call, work)
    with call.house.database.writing() as connection:
        again = kept_answers.recall(connection, call)
        if again is not None:
            return again
        reply = work(connection)
        _refuse_guarded(reply)
        refuse_lacks(connection, call.house.settings, reply.written)
        call.did(*(deed for one in reply.written for deed in _deeds(one)))
        journal.done(connection, call)
        kept_answers.keep(connection, call, reply)
    for target in sorted(call.woken | {d.target for one in reply.written for d in one.all if d.target}):
        ring(call.house.settings, target)
    return _timed(reply, asked)


def _refuse_guarded(reply: Reply) -> None:
    if reply.guard and not reply.guard["allowed"]:
        raise Conflict(f"the guard blocks this: {reply.guard['message']}", code="plan_blocked")


def _timed(reply: Reply, asked: Options) -> Reply:
    """The reply, held as long as was asked for; not at all when that was not."""
    return replace(reply, seconds=asked.wait) if asked.wait else replace(reply, later=None)


def _rehearsed(call: Call, work: Work) -> Reply:
    with call.house.database.rehearsing() as connection:
        reply = work(connection)
        refuse_lacks(connection, call.house.settings, reply.written)
        written = with_besides(call.house.database, connection, call.principal, reply.written)
    if written:
        return rehearse(call, written, reply.besides, reply.guard)
    return Reply(content=_plan_of(call.deeds) | dict(reply.besides))


def _deeds(one: Written) -> Iterator[Deed]:
    """What was done to each document; nothing where nothing changed."""
    for also in one.also:
        yield _deed(also, also, ())
    told = one.after.deleted or one.before is None or one.before.generation != one.after.generation
    if told or one.masked:
        yield _deed(one.before, one.after, one.masked)


def _deed(old: Document | None, new: Document, masked: Collection[str]) -> Deed:
    """The fields that differ, as they were and as they are, and all of what is gone; of a secret, that it is there."""
    fields = difference(old, new)["fields"]
    before = {each["field"]: each["before"] for each in fields} | dict.fromkeys(masked, MASKED)
    after = {each["field"]: each["after"] for each in fields} | dict.fromkeys(masked, MASKED)
    gone = dump(old.spec) if old and new.deleted else before
    return Deed(
        new.kind, new.uid, new.name, tenant_of(new), gone if old else None, None if new.deleted else after
    )


def _plan_of(deeds: list[Deed]) -> dict[str, Any]:
    """The plan of a write that no host has to do with."""
    totals = dict.fromkeys(("create", "update", "replace", "delete", "blocked", "unmanaged", "adopted"), 0)
    report = {
        "version": 1,
        "documents": [_difference(deed) for deed in deeds],
        "targets": [],
        "guard": {"allowed": True, "message": ""},
        "totals": totals | {"unchanged": 0, "documents": len(deeds), "resources": 0},
    }
    return {"id": None, "status": "ready", "created_at": None, "report": report}


def _difference(deed: Deed) -> dict[str, Any]:
    before, after = deed.before or {}, deed.after or {}
    action = "create" if deed.before is None else "delete" if deed.after is None else "update"
    fields = [
        {"field": name, "before": before.get(name), "after": after.get(name)}
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]
    shown = [] if action == "delete" else fields
    return {
        "action": action,
        "kind": deed.object_type,
        "name": deed.name,
        "owner": deed.owner,
        "fields": shown,
    }
