"""The objects of every kind: list, create, get, change and delete, written once."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, and_

from api import access, writes
from api.access import signed_in
from api.body import Object
from api.call import Call, Reply
from api.door import Route
from api.fields import find_owner, take_handed, take_password, take_text
from api.openapi.kinds import object_docs
from api.options import expect
from api.paging import page_reply
from api.places import identifier, path_of, scope_of
from api.rates import Rate
from api.spec_merge import named, patched
from api.views import document_view, etag
from api.visibility import visible
from api.waiting import perform_held
from api.writes import New, Written, missing, visible_document
from state.access.secrets import keep_verifier, verifier
from state.certificates.companions import decided_elsewhere
from state.document import Document
from state.errors import Fault
from state.filters import listing
from state.keeping import keep, put_away
from state.kind import Handed, Kind
from state.kinds import KINDS, whole_kind
from state.list_query import read
from state.reading import get
from state.recording import touch
from state.shown import Shown, list_shown, show
from state.tables import IS_PART, documents

_HIDDEN = ("password",)
_FIXED = "cannot be changed after creation"


def routes(kind: Kind) -> tuple[Route, ...]:
    """The doors to the objects of a kind."""
    base, scope = path_of(kind), scope_of(kind)
    one = f"{base}/{{id}}"
    docs, rate = partial(object_docs, kind), Rate.USERS if kind.owns else Rate.GENERAL
    read, write = signed_in(f"{scope}:read"), signed_in(f"{scope}:write")
    create, delete = partial(_create, kind), partial(_delete, kind)
    put, patch = partial(_change, kind, named), partial(_change, kind, patched)
    noun = kind.noun
    return (
        Route(
            "GET", base, f"List {kind.list_key}", read, docs("list"), reads=partial(_list, kind), rate=rate
        ),
        Route("POST", base, f"Create a {noun}", write, docs("create"), writes=create, rate=rate),
        Route("GET", one, f"Get a {noun}", read, docs("get"), reads=partial(_get, kind), rate=rate),
        Route("PUT", one, "Change some fields", write, docs("put"), writes=put, rate=rate),
        Route("PATCH", one, "Merge a patch (RFC 7396)", write, docs("patch"), writes=patch, rate=rate),
        Route("DELETE", one, f"Delete a {noun}", write, docs("delete"), writes=delete, rate=rate),
    )


def _list(kind: Kind, call: Call, connection: Connection) -> Reply:
    whole = _whole(kind, call, connection)
    seen = visible(call.principal, kind)
    if whole is not None:
        seen = and_(documents.c.whole == whole.uid, IS_PART, seen)
    wanted = read(listing(kind), call.request.query_params.multi_items())
    shown, page = list_shown(connection, kind, wanted, seen)
    return page_reply(call, kind.list_key, [document_view(each) for each in shown], page)


def _get(kind: Kind, call: Call, connection: Connection) -> Reply:
    uid, whole = identifier(kind, call), _whole(kind, call, connection)
    shown = show(connection, uid, visible(call.principal, kind))
    if shown is None or shown.kind != kind or (whole is not None and shown.whole != whole.uid):
        raise missing(kind, uid)
    return _shown(shown)


def _whole(kind: Kind, call: Call, connection: Connection) -> Document | None:
    """The document whose parts the path is about. Raises NotFound."""
    wholes = whole_kind(kind)
    if wholes is None or kind.part_of is None:
        return None
    return visible_document(connection, call.principal, wholes, identifier(wholes, call, kind.part_of.field))


def _object(kind: Kind, call: Call, connection: Connection, uid: str) -> Document:
    """The document that the path names. Raises NotFound."""
    whole = _whole(kind, call, connection)
    document = visible_document(connection, call.principal, kind, uid)
    if whole is not None and document.whole != whole.uid:
        raise missing(kind, uid)
    return document


def _create(kind: Kind, call: Call) -> Reply:
    body = dict(call.object())
    faults: list[Fault] = []
    named = kind.part_of is None
    name = take_text(body, kind.name_field, faults, required=True) if named else ""
    user_id, host = (take_text(body, each, faults) if named else None for each in ("user_id", "host"))
    password = take_password(kind, body, faults, required=True)
    handed = take_handed(kind, name or "", body, faults)
    made = verifier(password) if password and not faults else None

    def work(connection: Connection) -> Written:
        owner, whole = (
            find_owner(connection, call.principal, kind, user_id, faults),
            _whole(kind, call, connection),
        )
        given = whole.owner if whole else owner.name if owner else None
        owner_name = access.owner_of_new(call.principal, kind, given)
        new = New(kind, name or "", owner_name, body, host, faults, whole)
        written = writes.create(connection, call.principal, new)
        if made:
            keep_verifier(connection, written.after.uid, made)
        return _with(call, connection, written, handed, made)

    return perform_held(call, work, _shown)


Merge = Callable[[Document, Object], Object]


def _change(kind: Kind, merge: Merge, call: Call) -> Reply:
    uid, body = identifier(kind, call), dict(call.object())
    faults: list[Fault] = []
    password = take_password(kind, body, faults, required=False)
    made = verifier(password) if password and not faults else None

    def work(connection: Connection) -> Written:
        document = _object(kind, call, connection, uid)
        insisted = expect(call.request, document.generation)
        given = dict(body)
        more = list(faults)
        decided = decided_elsewhere(connection, document) if kind.handing else ()
        handed = take_handed(kind, document.name, given, more, decided)
        if given.get(kind.name_field) == document.name:
            del given[kind.name_field]
        fixed = [n for n in (kind.name_field, "user_id", "host") if n in given]
        found = [*more, *(Fault(n, _FIXED) for n in fixed)]
        values = merge(document, {n: v for n, v in given.items() if n not in fixed})
        written = writes.change(
            connection, call.principal, document, values,
            merge=False, generation=document.generation if insisted else None, faults=found, named=given,
        )  # fmt: skip
        if made:
            access.check_password(call.principal, document)
            keep_verifier(connection, uid, made)
        return _with(call, connection, written, handed, made)

    return perform_held(call, work, _shown)


def _with(call: Call, connection: Connection, written: Written, handed: Handed, made: str | None) -> Written:
    """The write together with what was handed over, which is kept with the document and never shown."""
    document = written.after
    if handed.keep:
        keep(connection, document.uid, handed.keep)
        put_away(connection, call.house.settings.var, document.uid, handed.secrets)
        touch(connection, document)
        written = replace(written, after=get(connection, document.uid), handed=True)
    masked = (*(_HIDDEN if made else ()), *handed.secrets)
    return replace(written, masked=masked) if masked else written


def _delete(kind: Kind, call: Call) -> Reply:
    uid = identifier(kind, call)

    def work(connection: Connection) -> Written:
        document = _object(kind, call, connection, uid)
        insisted = expect(call.request, document.generation)
        generation = document.generation if insisted else None
        return writes.remove(connection, call.principal, document, generation=generation)

    return perform_held(call, work, _shown)


def _shown(shown: Shown, status: int = 200) -> Reply:
    content = document_view(shown)
    headers = {"ETag": etag(shown.generation, content)}
    if status == 201:
        headers["Location"] = f"/api/v1{path_of(shown.kind, shown.whole)}/{shown.uid}"
    return Reply(status, content, headers)


ROUTES = tuple(route for kind in KINDS.values() for route in routes(kind))
