"""Writing documents by kind and name: making one as a file has it, changing it, going back, deleting it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, select

from api import posted, writes
from api.access import signed_in
from api.body import Object
from api.call import Call, Reply
from api.collection import understand
from api.door import Route
from api.openapi.describe import JSON, MERGE_PATCH, Answer, Body, Docs
from api.openapi.kinds import TAG
from api.openapi.parameters import IF_MATCH, path_parameters, write_parameters
from api.openapi.posted import change_examples, posted_examples, posted_one, spec_change
from api.openapi.shapes import STORED
from api.options import expect
from api.posted_set import Posted
from api.routes.documents import named_in_path
from api.spec_merge import named, patched
from api.views import etag, stored_view
from api.waiting import perform_held
from api.writes import Written
from state.document import Document
from state.errors import Fault, Invalid
from state.kind import Kind
from state.kinds import KINDS
from state.shown import Shown
from state.tables import revisions
from state.validation import dump

Merge = Callable[[Document, Object], Object]


class SpecChange(BaseModel):
    """What of a document's spec shall be another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    spec: dict[str, Any]


class Earlier(BaseModel):
    """The revision to go back to."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    generation: int = Field(ge=1, le=2**31 - 1, description="One of the document's revisions.")


def _create(call: Call) -> Reply:
    asked: Posted = understand(Posted, call.object())
    if asked.kind not in KINDS:
        raise Invalid([Fault("kind", f"there is no kind {asked.kind!r}; there are {', '.join(KINDS)}")])

    def work(connection: Connection) -> Written:
        with _placed(KINDS[asked.kind]):
            return posted.create(connection, call.principal, asked)

    return perform_held(call, work, _shown)


def _change(merge: Merge, call: Call) -> Reply:
    asked: SpecChange = understand(SpecChange, call.object())
    return perform_held(call, lambda c: _write(call, c, partial(_merged, merge, asked.spec)), _shown)


def _merged(merge: Merge, spec: Object, _: Connection, document: Document) -> tuple[Object, Object]:
    return merge(document, spec), spec


def _revert(call: Call) -> Reply:
    asked: Earlier = understand(Earlier, call.object())
    return perform_held(call, lambda c: _write(call, c, partial(_earlier, asked.generation)), _shown)


def _earlier(generation: int, connection: Connection, document: Document) -> tuple[Object, Object]:
    """The spec of the revision, and what of it differs from the one there is."""
    mine = (revisions.c.uid == document.uid) & (revisions.c.generation == generation)
    spec: Any = connection.execute(select(revisions.c.spec).where(mine)).scalar()
    if not spec or not isinstance(spec, dict):
        words = "was a deletion" if spec == {} else "is not there"
        raise Invalid([Fault("generation", f"revision {generation} {words}: choose one of its revisions")])
    old = dump(document.spec)
    return spec, {name: value for name, value in spec.items() if name not in old or old[name] != value}


def _write(
    call: Call, connection: Connection, wanted: Callable[[Connection, Document], tuple[Object, Object]]
) -> Written:
    """Changes the document that the path names to the spec that is wanted, where the fields named may be set."""
    document = named_in_path(call, connection)
    insisted = expect(call.request, document.generation)
    values, given = wanted(connection, document)
    with _placed(KINDS[document.kind]):
        return writes.change(
            connection,
            call.principal,
            document,
            values,
            merge=False,
            generation=document.generation if insisted else None,
            named=given,
        )


@contextmanager
def _placed(kind: Kind) -> Iterator[None]:
    """Faults are told with their places in a document."""
    try:
        yield
    except Invalid as error:
        raise Invalid([Fault(posted.place(kind, f.field), f.message) for f in error.faults]) from None


def _delete(call: Call) -> Reply:
    def work(connection: Connection) -> Written:
        document = named_in_path(call, connection)
        insisted = expect(call.request, document.generation)
        generation = document.generation if insisted else None
        return writes.remove(connection, call.principal, document, generation=generation)

    return perform_held(call, work, _shown)


def _shown(shown: Shown, status: int = 200) -> Reply:
    content = stored_view(shown)
    headers = {"ETag": etag(shown.generation, content)}
    if status == 201:
        headers["Location"] = f"/api/v1/documents/{shown.kind.name}/{shown.name}"
    return Reply(status, content, headers)


_ONE, _RULE = "/documents/{kind}/{name}", signed_in("documents:write")
_PATH = (*path_parameters(_ONE), *write_parameters(), IF_MATCH)
_NOW = Answer(200, "The document as it is now.", STORED, headers={"ETag": TAG})
_NEW = Answer(201, "The new document.", STORED, headers={"ETag": TAG, "Location": "Where it is."})
_BODY = Body(spec_change(merge=False), change_examples())
_PATCH = Body(spec_change(merge=True), change_examples(), media=(MERGE_PATCH, JSON))
_BACK = (*path_parameters(_ONE), *write_parameters(creating=True), IF_MATCH)
ROUTES = (
    Route(
        "POST",
        "/documents",
        "Create a document",
        _RULE,
        Docs("documents", (_NEW,), write_parameters(creating=True), Body(posted_one(), posted_examples())),
        writes=_create,
    ),
    Route(
        "PUT",
        _ONE,
        "Change some fields of its spec",
        _RULE,
        Docs("documents", (_NOW,), _PATH, _BODY),
        writes=partial(_change, named),
    ),
    Route(
        "PATCH",
        _ONE,
        "Merge a patch into its spec (RFC 7396)",
        _RULE,
        Docs("documents", (_NOW,), _PATH, _PATCH),
        writes=partial(_change, patched),
    ),
    Route(
        "DELETE",
        _ONE,
        "Delete a document",
        _RULE,
        Docs("documents", (Answer(204, "It is gone, and its name is free again."),), _PATH),
        writes=_delete,
    ),
    Route(
        "POST",
        f"{_ONE}/revert",
        "Go back to what a document was",
        _RULE,
        Docs(
            "documents",
            (_NOW,),
            _BACK,
            Body(Earlier.model_json_schema(), {"the first": {"generation": 1}}),
            "A new generation with the spec of an earlier one, under the rules of any write.",
            operation_id="revertDocument",
        ),
        writes=_revert,
    ),
)
