"""A document's spec with what a body names: as PUT means it, and as a merge patch does."""

from api.body import Object
from api.merge import merge_patch
from state.document import Document
from state.kind import Kind
from state.kinds import KINDS
from state.validation import dump


def named(document: Document, body: Object) -> Object:
    """PUT changes the fields it names and keeps the others."""
    return {**_kept(document, body), **body}


def patched(document: Document, body: Object) -> Object:
    """A merge patch; null brings a field back to nothing where there can be nothing, else to its default."""
    old, kind = dump(document.spec), KINDS[document.kind]
    merged = merge_patch(_kept(document, body), body)
    nulls = {n for n, v in body.items() if v is None}
    nothing = {n: None for n in nulls if n not in old or _nullable(kind, n)}
    return {**merged, **nothing}


def _kept(document: Document, body: Object) -> Object:
    """The spec without what another value of a field takes the sense of."""
    old = dump(document.spec)
    unkept = KINDS[document.kind].unkept(old, body)
    return {name: value for name, value in old.items() if name not in unkept}


def _nullable(kind: Kind, name: str) -> bool:
    return type(None) in getattr(kind.schema.model_fields[name].annotation, "__args__", ())
