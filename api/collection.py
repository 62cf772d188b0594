"""A list of rows as REST objects, its doors written once: it says where its rows are, whose, and how they look."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, Connection, FromClause, Row, Select

from api.access import Access, Rule
from api.body import Object
from api.call import Call, Deed, Reply
from api.door import Route
from api.merge import merge_patch
from api.openapi.collection import Described
from api.openapi.describe import Schema
from api.options import expect
from api.paging import page_reply
from api.performing import perform
from api.rates import Rate
from api.views import digest, etag
from state.errors import Invalid, NotFound
from state.list_query import parse, read
from state.listing import Listing, fetch
from state.validation import faults_of

Rows = Sequence[Row[Any]]
View = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Writing:
    """How objects are made, changed and removed. Each is done in the transaction that it is given.

    `create` answers with the new id and what only its maker is shown, once. `change` is given the values as they
    shall be; `current` tells those that there are. `accepted` is the schema of what one may say, `once` that of what
    its maker is answered, where that is more than others see. `check` is what takes its time, before any transaction.
    `fixed` are the fields that cannot be changed.
    """

    accepted: type[BaseModel]
    current: Callable[[Row[Any]], Mapping[str, Any]]
    create: Callable[[Call, Connection, Any], tuple[str, Mapping[str, Any]]]
    change: Callable[[Call, Connection, Row[Any], Any], None]
    remove: Callable[[Call, Connection, Row[Any]], None]
    example: Mapping[str, Any] = field(default_factory=dict)
    once: Schema | None = None
    check: Callable[[Call, Object], None] = lambda _, __: None
    fixed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """Objects of one sort.

    `path` is where they are, `key` their list's key, `noun` what one is called; `counted` the table whose rows
    `query` selects; `visible` says which of them the caller may know of; `shape` is the schema of a view.
    `whose` is a row's owner, for the audit. `observed` are fields that change without a write, after which `If-Match`
    still matches.
    """

    path: str
    key: str
    noun: str
    scope: str
    query: Select[Any]
    counted: FromClause
    listing: Listing
    visible: Callable[[Call, Connection], ColumnElement[bool]]
    views: Callable[[Call, Connection, Rows], list[dict[str, Any]]]
    shape: Schema
    access: Access = Access.SIGNED_IN
    writing: Writing | None = None
    rate: Rate = Rate.GENERAL
    whose: Callable[[Row[Any]], str] = lambda _: ""
    observed: frozenset[str] = frozenset()

    def find(self, call: Call, connection: Connection, uid: str) -> Row[Any]:
        """The row, if the caller may know of it. Raises NotFound."""
        row = self.seek(call, connection, uid)
        if row is None:
            raise NotFound("Resource not found", resource=self.noun, id=uid)
        return row

    def seek(self, call: Call, connection: Connection, uid: str) -> Row[Any] | None:
        """The row, if there is one that the caller may know of."""
        identifier = self.listing.fields[self.listing.tie]
        try:
            same = identifier.column == identifier.literal(parse(identifier, uid))
        except ValueError:
            return None
        query = self.query.where(same, self.visible(call, connection))
        return None if "\0" in uid else connection.execute(query).one_or_none()

    def view(self, call: Call, connection: Connection, row: Row[Any]) -> dict[str, Any]:
        return self.views(call, connection, [row])[0]

    def tag(self, view: View) -> str:
        """The entity tag."""
        return etag(self.state(view), view)

    def state(self, view: View) -> str:
        """The first part of the entity tag: it changes with whatever was written."""
        return digest({name: value for name, value in view.items() if name not in self.observed})


def routes(of: Collection) -> tuple[Route, ...]:
    """The doors of a collection: to list and get, and to create, change and delete where that is possible."""
    one = f"{of.path}/{{id}}"
    docs, answer = _described(of).get(), partial(_get, of)
    get = Route("GET", one, f"Get a {of.noun}", _reading(of), docs, reads=answer, rate=of.rate)
    return (list_route(of), get, *(_write_routes(of, of.writing, one) if of.writing else ()))


def list_route(of: Collection) -> Route:
    """The door to the list alone."""
    docs, answer = _described(of).list(), partial(_list, of)
    return Route("GET", of.path, f"List {of.key}", _reading(of), docs, reads=answer, rate=of.rate)


def _described(of: Collection) -> Described:
    if of.writing is None:
        return Described(of.path, of.key, of.noun, of.shape, of.listing)
    fields, sent = of.writing.accepted.model_fields.items(), of.writing.example
    made = {name: each.default for name, each in fields if isinstance(each.default, bool)} | {**sent}
    return Described(of.path, of.key, of.noun, of.shape, of.listing, sent, made if sent else {})


def _reading(of: Collection) -> Rule:
    return Rule(of.access, f"{of.scope}:read" if of.scope else "")


def _write_routes(of: Collection, writing: Writing, one: str) -> tuple[Route, ...]:
    docs = _described(of)
    rule, base = Rule(of.access, f"{of.scope}:write" if of.scope else ""), of.path
    create, change = partial(_create, of, writing), partial(_change, of, writing)
    model, rate, delete = writing.accepted, of.rate, partial(_delete, of, writing)
    created = docs.create(model, writing.once)
    put, patch = (docs.change(model, writing.fixed, merge=merge) for merge in (False, True))
    return (
        Route("POST", base, f"Create a {of.noun}", rule, created, writes=create, rate=rate),
        Route("PUT", one, "Change some fields", rule, put, writes=partial(change, _put), rate=rate),
        Route("PATCH", one, "Merge a patch (RFC 7396)", rule, patch, writes=partial(change, merge_patch), rate=rate),
        Route("DELETE", one, f"Delete a {of.noun}", rule, docs.delete(), writes=delete, rate=rate),
    )  # fmt: skip


def understand(model: type[BaseModel], body: Mapping[str, Any]) -> Any:
    """What the body says. Raises Invalid with every fault."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise Invalid(faults_of(error)) from None


def _list(of: Collection, call: Call, connection: Connection) -> Reply:
    wanted = read(of.listing, call.request.query_params.multi_items())
    page = fetch(connection, of.query.where(of.visible(call, connection)), of.counted, wanted)
    return page_reply(call, of.key, of.views(call, connection, page.rows), page)


def _get(of: Collection, call: Call, connection: Connection) -> Reply:
    view = of.view(call, connection, of.find(call, connection, call.argument("id")))
    return Reply(content=view, headers={"ETag": of.tag(view)})


def _create(of: Collection, writing: Writing, call: Call) -> Reply:
    asked = understand(writing.accepted, call.object())
    writing.check(call, call.object())

    def work(connection: Connection) -> Reply:
        uid, once = writing.create(call, connection, asked)
        row = of.find(call, connection, uid)
        view = of.view(call, connection, row)
        call.did(Deed(of.noun, uid, owner=of.whose(row), after=view))
        headers = {
            "ETag": of.tag(view),
            "Location": f"/api/v1{call.request.url.path.split('/api/v1', 1)[-1]}/{uid}",
        }
        return Reply(201, view | dict(once), headers)

    return perform(call, work)


Merge = Callable[[Object, Object], Object]


def _put(old: Object, body: Object) -> Object:
    """PUT changes the fields it names and keeps the others."""
    return {**old, **body}


def _change(of: Collection, writing: Writing, merge: Merge, call: Call) -> Reply:
    body = call.object()
    writing.check(call, body)
    unknown = {name: value for name, value in body.items() if name not in writing.accepted.model_fields}

    def work(connection: Connection) -> Reply:
        row = of.find(call, connection, call.argument("id"))
        before = of.view(call, connection, row)
        expect(call.request, of.state(before))
        wanted = {**merge(dict(writing.current(row)), body), **unknown}
        writing.change(call, connection, row, understand(writing.accepted, wanted))
        after = of.view(call, connection, of.find(call, connection, call.argument("id")))
        call.did(Deed(of.noun, call.argument("id"), owner=of.whose(row), before=before, after=after))
        return Reply(content=after, headers={"ETag": of.tag(after)})

    return perform(call, work)


def _delete(of: Collection, writing: Writing, call: Call) -> Reply:
    def work(connection: Connection) -> Reply:
        row = of.find(call, connection, call.argument("id"))
        before = of.view(call, connection, row)
        expect(call.request, of.state(before))
        writing.remove(call, connection, row)
        left = of.seek(call, connection, call.argument("id"))
        after = of.view(call, connection, left) if left else None
        call.did(Deed(of.noun, call.argument("id"), owner=of.whose(row), before=before, after=after))
        return Reply(204)

    return perform(call, work)
