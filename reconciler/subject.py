"""What a look at a target is about, and what it found."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.changes import Plan
from reconciler.compile import Catalog
from reconciler.observe import Look
from state.compiling import Reason
from state.document import Document, Ref, Status


@dataclass(frozen=True, slots=True)
class Subject:
    """The documents (by uid) that a look is about, what they refer to, and what is known of them.

    `total`: how many documents the target has, and `doubtful`: of how many nobody confirmed the deletion.
    `parts`: the living parts of these documents, by the uids of their wholes.
    """

    target: str
    documents: Mapping[str, Document]
    related: Mapping[Ref, Document]
    statuses: Mapping[str, Status]
    total: int = 0
    doubtful: int = 0
    parts: Mapping[str, tuple[Document, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unread:
    """A document that could not be looked at, while others of its target could; of a part, why its whole could not."""

    document: Document
    status: Status
    reason: Reason


@dataclass(frozen=True, slots=True)
class Survey:
    """What is wanted, what was found, and the difference; without what is `unread`."""

    subject: Subject
    catalog: Catalog
    look: Look
    plan: Plan
    unread: tuple[Unread, ...] = ()

    @property
    def held(self) -> dict[str, tuple[Reason, ...]]:
        """Why documents cannot be compiled yet, by uid."""
        outcomes = self.catalog.outcomes.items()
        unread = {each.document.uid: (each.reason,) for each in self.unread if not each.document.whole}
        return unread | {
            uid: (*outcome.blocked, *((outcome.failed,) if outcome.failed else ()), *outcome.waiting)
            for uid, outcome in outcomes
            if outcome.held
        }

    @property
    def warnings(self) -> dict[str, tuple[Reason, ...]]:
        """What documents will be had without, or otherwise than one might think, by uid."""
        outcomes = self.catalog.outcomes.items()
        return {uid: outcome.notes for uid, outcome in outcomes if outcome.notes}


def with_overlay(subject: Subject, overlay: Iterable[Document]) -> Subject:
    """The subject as it would be with these documents in place of the stored ones."""
    mine = {d.uid: d for d in overlay if d.target == subject.target}
    everywhere = {d.ref: d for d in overlay if not d.deleted}
    gone = {d.ref for d in overlay if d.deleted} - everywhere.keys()
    related = {ref: d for ref, d in {**subject.related, **everywhere}.items() if ref not in gone}
    statuses = {uid: subject.statuses.get(uid, Status(uid)) for uid in {**subject.documents, **mine}}
    documents = {**subject.documents, **mine}
    parts = {**subject.parts, **_parts(subject, mine)}
    return replace(subject, documents=documents, related=related, statuses=statuses, parts=parts)


def group_parts(documents: Iterable[Document]) -> dict[str, tuple[Document, ...]]:
    """The living parts among these documents, by the uids of their wholes, in an order of their own."""
    found: dict[str, list[Document]] = {}
    for document in documents:
        if document.whole and not document.deleted:
            found.setdefault(document.whole, []).append(document)
    return {uid: tuple(sorted(parts, key=lambda part: part.uid)) for uid, parts in found.items()}


def _parts(subject: Subject, overlay: Mapping[str, Document]) -> dict[str, tuple[Document, ...]]:
    """The parts, as they would be, of the wholes that the overlay has parts of."""
    wholes = {d.whole for d in overlay.values() if d.whole}
    known = {part.uid: part for uid in wholes for part in subject.parts.get(uid, ())}
    new = {uid: d for uid, d in overlay.items() if d.whole}
    return {**dict.fromkeys(wholes, ()), **group_parts({**known, **new}.values())}
