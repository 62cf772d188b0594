"""The objects of every kind: list, create, get, change and delete, written once."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from sqlalchemy import Connection

from api import access, writes
from api.body import Object
from api.door import Call, Reply, Route
from api.fields import find_owner, take_password, take_text
from api.merge import merge_patch
from api.openapi import object_docs
from api.options import Options, expected, options
from api.rehearsal import rehearse
from api.views import document_view, etag, page_view
from api.waiting import held
from api.writes import New, Written, missing, visible_document
from state.document import Document
from state.errors import Fault
from state.kind import Kind
from state.kinds import KINDS
from state.listing import read
from state.queue import ring
from state.secrets import keep_verifier, verifier
from state.shown import Shown, list_shown, listing, show
from state.validation import dump

_FIXED = "cannot be changed after creation"


def routes(kind: Kind) -> tuple[Route, ...]:
    """The doors to the objects of a kind."""
    base, one = f"/{kind.plural}", f"/{kind.plural}/{{id}}"
    docs = partial(object_docs, kind)
    return (
        Route("GET", base, f"List {kind.plural}", reads=partial(_list, kind), docs=docs("list")),
        Route(
            "POST", base, f"Create one of {kind.plural}", writes=partial(_create, kind), docs=docs("create")
        ),
        Route("GET", one, f"Get one of {kind.plural}", reads=partial(_get, kind), docs=docs("get")),
        Route("PUT", one, "Change some fields", writes=partial(_change, kind, _put), docs=docs("update")),
        Route(
            "PATCH",
            one,
            "Merge a patch (RFC 7396)",
            writes=partial(_change, kind, _patch),
            docs=docs("update"),
        ),
        Route(
            "DELETE", one, f"Delete one of {kind.plural}", writes=partial(_delete, kind), docs=docs("delete")
        ),
    )


def _list(kind: Kind, call: Call, connection: Connection) -> Reply:
    wanted = read(listing(kind), call.request.query_params.multi_items())
    shown, page = list_shown(connection, kind, wanted, access.visible(call.principal, kind))
    return Reply(content=page_view(kind.plural, [document_view(each) for each in shown], page))


def _get(kind: Kind, call: Call, connection: Connection) -> Reply:
    uid = _identifier(kind, call)
    shown = show(connection, uid, access.visible(call.principal, kind))
    if shown is None or shown.kind != kind:
        raise missing(kind, uid)
    return _shown(shown)


def _create(kind: Kind, call: Call) -> Reply:
    asked, body = options(call.request), dict(call.object())
    faults: list[Fault] = []
    name = take_text(body, kind.name_field, faults, required=True)
    user_id, host = take_text(body, "user_id", faults), take_text(body, "host", faults)
    password = take_password(kind, body, faults, required=True)
    made = verifier(password) if password and not faults else None

    def work(connection: Connection) -> Written:
        owner = find_owner(connection, call.principal, kind, user_id, faults)
        owner_name = access.owner_of_new(call.principal, kind, owner.name if owner else None)
        new = New(kind, name or "", owner_name, body, host, faults)
        written = writes.create(connection, call.principal, new)
        if made:
            keep_verifier(connection, written.after.uid, made)
        return written

    return _perform(call, asked, work)


Merge = Callable[[Kind, Document, Object], Object]


def _change(kind: Kind, merge: Merge, call: Call) -> Reply:
    asked, uid, body = options(call.request), _identifier(kind, call), dict(call.object())
    faults: list[Fault] = []
    password = take_password(kind, body, faults, required=False)
    made = verifier(password) if password and not faults else None

    def work(connection: Connection) -> Written:
        document = visible_document(connection, call.principal, kind, uid)
        generation = expected(call.request, document.generation)
        named = dict(body)
        if named.get(kind.name_field) == document.name:
            del named[kind.name_field]
        fixed = [n for n in (kind.name_field, "user_id", "host") if n in named]
        found = [*faults, *(Fault(n, _FIXED) for n in fixed)]
        values = merge(kind, document, {n: v for n, v in named.items() if n not in fixed})
        written = writes.change(
            connection, call.principal, document, values,
            merge=False, generation=generation, faults=found, named=named,
        )  # fmt: skip
        if made:
            keep_verifier(connection, uid, made)
        return written

    return _perform(call, asked, work)


def _put(_: Kind, document: Document, body: Object) -> Object:
    """PUT changes the fields it names and keeps the others."""
    return {**dump(document.spec), **body}


def _patch(kind: Kind, document: Document, body: Object) -> Object:
    """A merge patch; null brings a field back to nothing where there can be nothing, else to its default."""
    old = dump(document.spec)
    merged = merge_patch(old, body)
    nulls = {n for n, v in body.items() if v is None}
    nothing = {n: None for n in nulls if n not in old or _nullable(kind, n)}
    return {**merged, **nothing}


def _nullable(kind: Kind, name: str) -> bool:
    return type(None) in getattr(kind.schema.model_fields[name].annotation, "__args__", ())


def _delete(kind: Kind, call: Call) -> Reply:
    asked, uid = options(call.request), _identifier(kind, call)

    def work(connection: Connection) -> Written:
        document = visible_document(connection, call.principal, kind, uid)
        generation = expected(call.request, document.generation)
        return writes.remove(connection, call.principal, document, generation=generation)

    return _perform(call, asked, work)


def _perform(call: Call, asked: Options, work: Callable[[Connection], Written]) -> Reply:
    """Does the write and answers at once; or holds the answer, or only rehearses, as it was asked."""
    if asked.dry_run:
        with call.house.database.rehearsing() as connection:
            rehearsed = work(connection)
        return rehearse(call, [rehearsed])
    with call.house.database.writing() as connection:
        written = work(connection)
        shown = show(connection, written.after.uid)
    ring(call.house.settings, written.after.target)
    status = 200 if written.before else 201
    reply = Reply(204) if shown is None else _shown(shown, status)
    if not asked.wait:
        return reply
    return held(call.house, reply, written.after, asked.wait, partial(_shown, status=status))


def _shown(shown: Shown, status: int = 200) -> Reply:
    headers = {"ETag": etag(shown.generation)}
    if status == 201:
        headers["Location"] = f"/api/v1/{shown.kind.plural}/{shown.uid}"
    return Reply(status, document_view(shown), headers)


def _identifier(kind: Kind, call: Call) -> str:
    try:
        return str(UUID(call.argument("id")))
    except ValueError:
        raise missing(kind, call.argument("id")) from None


ROUTES = tuple(route for kind in KINDS.values() for route in routes(kind))
