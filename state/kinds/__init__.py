"""The table of contents: every kind there is, in the order in which they build on each other."""

from state.document import Document
from state.kind import Kind
from state.kinds.certificate import CERTIFICATE
from state.kinds.dns_record import DNS_RECORD
from state.kinds.dns_zone import DNS_ZONE
from state.kinds.package import PACKAGE
from state.kinds.user import USER
from state.kinds.web_domain import WEB_DOMAIN
from state.kinds.zone_copy import ZONE_COPY

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (PACKAGE, USER, DNS_ZONE, CERTIFICATE, WEB_DOMAIN, DNS_RECORD)
}
"""Those that one can write; the doors know no others."""
EVERY: dict[str, Kind] = {**KINDS, ZONE_COPY.name: ZONE_COPY}
"""Also those whose documents only the control plane makes."""


def whole_kind(kind: Kind) -> Kind | None:
    """The kind whose parts documents of this kind are."""
    return KINDS[kind.part_of.kind] if kind.part_of else None


def parts_of_kind(kind: Kind) -> tuple[Kind, ...]:
    """The kinds of its parts."""
    return tuple(each for each in KINDS.values() if each.part_of and each.part_of.kind == kind.name)


def has_copies(document: Document) -> bool:
    """Whether the secondaries of its host are to have copies of it."""
    copied = EVERY[document.kind].copied
    return copied is not None and not document.deleted and copied(document.spec)


def tenant_of(document: Document) -> str:
    """Whose the document is: its owner's, or its own where it is itself a tenant."""
    return document.name if EVERY[document.kind].owns else document.owner
