"""From documents to the catalog: all resources that a target should have, and what cannot be had yet."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from state.compiling import NO_EFFECT, NO_PLANE, Compiled, Context, Facts, Plane, Reason, Templates
from state.document import Document, Ref
from state.kinds import EVERY
from state.resource import Resource, placeholder, service, thumbprint
from state.spec import Spec


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one document: the keys it compiled to, or why it did not; what to remember once they are true,
    and `ahead`, before anything is done.

    A part shares the outcome of its `whole` (uid); `left_out`: why some parts (by uid) are not in it. `own` is the one
    resource whose fate a part shares, where the parts of its whole are `apart`.
    """

    keys: tuple[str, ...] = ()
    blocked: tuple[Reason, ...] = ()
    failed: Reason | None = None
    notes: tuple[Reason, ...] = ()
    keep: Mapping[str, Any] = field(default_factory=dict)
    waiting: tuple[Reason, ...] = ()
    secured: Reason | None = None
    ahead: Mapping[str, Any] = field(default_factory=dict)
    whole: str = ""
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    apart: bool = False
    own: str = ""

    @property
    def held(self) -> bool:
        """Nothing is known of what it should be: what was applied for it stays as it is."""
        return bool(self.blocked or self.waiting) or self.failed is not None

    @property
    def insecure(self) -> tuple[Reason, ...]:
        """Why it is not secured as it should be: its notes, without what takes nothing from that."""
        if not self.notes or self.secured is None:
            return self.notes
        return tuple(note for note in self.notes if note.code != NO_EFFECT)


_NOTHING = Outcome()


@dataclass(frozen=True, slots=True)
class Catalog:
    """Desired resources by key in the order of making, who wants each (uid; empty for the host), outcomes by uid."""

    resources: Mapping[str, Resource]
    wanted_by: Mapping[str, str]
    outcomes: Mapping[str, Outcome]


Parts = Mapping[str, tuple[Document, ...]]


def compile_documents(
    documents: Iterable[Document],
    related: Mapping[Ref, Document],
    facts: Facts,
    templates: Templates,
    plane: Plane = NO_PLANE,
    parts: Parts = MappingProxyType({}),
) -> Catalog:
    """The catalog; a document that cannot be compiled is told of in its outcome and harms no other.

    `parts` are the living parts by the uids of their wholes.
    """
    resources: dict[str, Resource] = {}
    wanted_by: dict[str, str] = {}
    outcomes: dict[str, Outcome] = {}
    known = list(documents)
    for document in sorted((d for d in known if not d.whole), key=_order):
        context = Context(document, facts, templates, related.get, plane, parts.get(document.uid, ()))
        outcome, made = _compile_one(context)
        there = () if resources.keys().isdisjoint(outcome.keys) else made
        clash = next((r.key for r in there if resources.get(r.key, r) != r), None)
        if clash is not None:
            other = Reason("Conflict", f"{clash} is wanted differently by another document")
            outcome, made = Outcome(blocked=(other,)), ()
        outcomes[document.uid] = outcome
        for resource in made:
            resources.setdefault(resource.key, resource)
            wanted_by.setdefault(resource.key, document.uid)
    outcomes |= _outcomes_of_parts((d for d in known if d.whole), outcomes)
    for resource in _own({r.service for r in resources.values() if r.service}, plane):
        resources[resource.key] = resource
        wanted_by[resource.key] = ""
    return Catalog(resources, wanted_by, outcomes)


def _own(services: Iterable[str], plane: Plane) -> Iterator[Resource]:
    """What is the host's own, and no document's: what all of its sites answer authorities, what those show that have
    no certificate yet, and the daemons."""
    names = sorted(services)
    if "nginx" in names:
        yield placeholder()
        if plane.thumbprint:
            yield thumbprint(plane.thumbprint)
    yield from map(service, names)


def _order(document: Document) -> tuple[int, str, str]:
    return (EVERY[document.kind].rank, document.name, document.uid)


def _outcomes_of_parts(parts: Iterable[Document], outcomes: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """Those of their wholes: very many have the same value, but for what was left out of its whole, or is apart."""
    shared: dict[str, Outcome] = {}
    found: dict[str, Outcome] = {}
    for part in parts:
        whole = outcomes.get(part.whole, _NOTHING)
        mine = shared.get(part.whole)
        if mine is None:
            mine = shared[part.whole] = _for_parts(whole, part.whole)
        alike = not (whole.apart or whole.left_out)
        found[part.uid] = mine if alike else _outcome_of_part(part, whole, mine)
    return found


def _outcome_of_part(part: Document, whole: Outcome, shared: Outcome) -> Outcome:
    part_of = EVERY[part.kind].part_of
    found = shared
    if whole.apart and part_of is not None:
        found = replace(found, keys=(), own=part_of.resource(part))
    if not part.deleted and (reason := whole.left_out.get(part.uid)):
        found = replace(found, blocked=(*whole.blocked, reason))
    return found


def _for_parts(outcome: Outcome, whole: str) -> Outcome:
    """What keeps a whole from being true keeps its parts."""
    return Outcome(outcome.keys, outcome.blocked, outcome.failed, waiting=outcome.waiting, whole=whole)


def _damaged(spec: Spec) -> Reason | None:
    """Why a document is none: somebody took fields of it in the database. What it means by the others is unknown."""
    fields, there = type(spec).model_fields, vars(spec)
    if len(there) == len(fields):
        return None
    missing = ", ".join(name for name in fields if name not in there)
    return Reason("Invalid", f"it has no {missing} any more: write it again as a whole")


def _compile_one(context: Context) -> tuple[Outcome, tuple[Resource, ...]]:
    kind = EVERY[context.document.kind]
    if context.document.deleted:
        return Outcome(notes=kind.parting(context.document)), ()
    if damaged := _damaged(context.document.spec):
        return Outcome(failed=damaged), ()
    try:
        compiled: Compiled = kind.compile(context)
    except Exception as error:  # whatever a template or a value does: it is this document's fault alone
        return Outcome(failed=Reason("CompileFailed", f"{type(error).__name__}: {error}")), ()
    keys = tuple(resource.key for resource in compiled.resources)
    outcome = Outcome(
        keys,
        compiled.blocked,
        notes=compiled.notes,
        keep=compiled.keep,
        waiting=compiled.waiting,
        secured=compiled.secured,
        ahead=compiled.ahead,
        left_out=compiled.left_out,
        apart=compiled.apart,
    )
    return outcome, compiled.resources
