"""What the audit is told of a request: each deed in the transaction that did it, and what was refused."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from api.auth import Principal
from api.call import Call, Deed
from state.errors import GhostError, Temporary
from state.journal import audit
from state.tracing import current_request


def done(connection: Connection, call: Call) -> None:
    """Appends an entry for each deed; the last thing before the transaction ends."""
    audit.append(connection, call.house.settings.var, *(_entry(call, deed, "done") for deed in call.deeds))


def refused(call: Call, error: GhostError) -> None:
    """Appends an entry for what somebody known tried and was not allowed to do, or asked for wrongly.

    A dry run stores nothing, whatever comes of it.
    """
    if call.principal.uid and not isinstance(error, Temporary) and not _only_tried(call):
        _append(call, Deed("", _object_id(call)), error.code)


def unproved(call: Call, name: str, error: GhostError) -> None:
    """Appends an entry for a login that failed, under the name that was tried."""
    tried = replace(call, principal=Principal(name=name[:64]))
    if not isinstance(error, Temporary):
        _append(tried, Deed("session", ""), error.code)


def _append(call: Call, deed: Deed, result: str) -> None:
    with call.house.database.writing() as connection:
        audit.append(connection, call.house.settings.var, _entry(call, deed, result))


def _entry(call: Call, deed: Deed, result: str) -> audit.Entry:
    who = call.principal
    named: dict[str, Any] = {"name": deed.name} if deed.name else {}
    return audit.Entry(
        actor=who.name,
        actor_id=who.uid,
        role=who.role,
        token=who.token,
        address=call.address[:45],
        request_id=current_request()[:64],
        action=call.action,
        object_type=deed.object_type,
        object_id=deed.object_id[:255],
        owner=deed.owner,
        before=None if deed.before is None else {**named, **deed.before},
        after=None if deed.after is None else {**named, **deed.after},
        result=result[:64],
    )


def _only_tried(call: Call) -> bool:
    return call.request.query_params.get("dry_run", "").lower() == "true"


def _object_id(call: Call) -> str:
    return "/".join(str(value) for value in call.request.path_params.values()).replace("\0", "")
