"""The fields of a body that are no part of a spec: names, owners, places and passwords."""

from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection

from api import access
from api.auth import Principal
from api.body import Object
from api.writes import visible_document
from state.document import Document
from state.errors import Fault, Forbidden, NotFound
from state.kind import Handed, Kind
from state.kinds import KINDS

REQUIRED = "Field required"
SHORTEST, LONGEST = 8, 1024
OWNERS = next(kind for kind in KINDS.values() if kind.owns)


def take_text(body: Object, name: str, faults: list[Fault], *, required: bool = False) -> str | None:
    """Takes a text out of the body; none when it is not there."""
    value: object = body.pop(name, None)
    if value is None and required:
        faults.append(Fault(name, REQUIRED))
    elif value is not None and not isinstance(value, str):
        faults.append(Fault(name, "Input should be a valid string"))
    return value if isinstance(value, str) else None


def take_password(kind: Kind, body: Object, faults: list[Fault], *, required: bool) -> str | None:
    """Takes the password out of the body; none when there is none, or an empty one, which changes nothing."""
    if not kind.password:
        return None
    password = take_text(body, "password", faults, required=required)
    if password is None or (password == "" and not required):
        return None
    if not SHORTEST <= len(password) <= LONGEST:
        faults.append(Fault("password", f"must have {SHORTEST} to {LONGEST} characters"))
    return password


def take_handed(
    kind: Kind, name: str, body: Object, faults: list[Fault], decided: Collection[str] = ()
) -> Handed:
    """Takes out of the body what is handed over with a document; what that means for its spec is put into it, except
    for fields that are `decided` elsewhere."""
    if kind.handing is None:
        return Handed()
    wrong: list[Fault] = []
    given = {each: take_text(body, each, wrong) for each in kind.handing.fields}
    faults += wrong
    if wrong or not any(value is not None for value in given.values()):
        return Handed()
    judged = kind.handing.take(name, given, body, datetime.now(UTC))
    if not isinstance(judged, Handed):
        faults += [Fault(field, message) for field, message in judged]
        return Handed()
    body |= {field: value for field, value in judged.spec.items() if field not in decided}
    return judged


def find_owner(
    connection: Connection, principal: Principal, kind: Kind, user_id: str | None, faults: list[Fault]
) -> Document | None:
    """Whom a new document is made for, when the body says so. Raises Forbidden."""
    if user_id is None:
        return None
    try:
        owner = visible_document(connection, principal, OWNERS, str(UUID(user_id)))
    except (ValueError, NotFound):
        faults.append(Fault("user_id", "there is no such user"))
        return None
    try:
        access.check_owner(principal, kind, owner)
    except (Forbidden, NotFound) as error:
        faults.append(Fault("user_id", error.message))
        return None
    return owner
