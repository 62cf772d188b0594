"""The table of contents: every kind there is, in the order in which they build on each other."""

from state.document import Document
from state.kind import Kind
from state.kinds.certificate import CERTIFICATE
from state.kinds.package import PACKAGE
from state.kinds.user import USER
from state.kinds.web_domain import WEB_DOMAIN

KINDS: dict[str, Kind] = {kind.name: kind for kind in (PACKAGE, USER, CERTIFICATE, WEB_DOMAIN)}


def tenant_of(document: Document) -> str:
    """Whose the document is: its owner's, or its own where it is itself a tenant."""
    return document.name if KINDS[document.kind].owns else document.owner
