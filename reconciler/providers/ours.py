"""Whose a zone at a provider is: what is there already, or lies below what is, is nobody's for the asking."""

from collections.abc import Mapping

from reconciler.subject import Subject
from state.document import Document, Ref
from state.zones.providers import Grant


def taken_from(subject: Subject, taken: Mapping[str, str], grants: Mapping[str, Grant]) -> dict[str, str]:
    """By uid, the zone at the provider that keeps a new zone from being made true.

    `taken`: by the names of new zones, the zone there that is the same, or that they would be cut out of. `grants`:
    which zones there may be whose.
    """
    found = {}
    for uid, document in subject.documents.items():
        there = "" if document.whole or document.deleted else taken.get(document.name, "")
        if there and not _granted(grants.get(there), document, subject.related):
            found[uid] = there
    return found


def _granted(grant: Grant | None, document: Document, related: Mapping[Ref, Document]) -> bool:
    """Whether the zone was made for the same person: a namesake who came later is another one."""
    if grant is None or grant.owner != document.owner:
        return False
    owner = related.get(Ref("User", document.owner))
    return owner is None or owner.created_at is None or owner.created_at <= grant.at
