"""What a folder of YAML means: documents, judged one by one and then together, without asking anyone."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from pydantic import ValidationError

from state.document import Document, Ref
from state.errors import Fault
from state.files.parts import beside, split
from state.files.shapes import FileDocument, shaped
from state.files.yaml_source import LineFault, Source, shortened
from state.kind import Kind
from state.kinds import KINDS
from state.names import ADMINISTRATOR, HOST_SPACES, Claim, parents
from state.spec import Spec
from state.validation import further, handed_apart

_ALWAYS_THERE = frozenset({Ref("User", ADMINISTRATOR), Ref("Package", "default")})


@dataclass(frozen=True, slots=True, order=True)
class FileFault:
    """One thing wrong in a file; `field` is a dotted path, empty for the whole document."""

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (f"{self.file}:{self.line}", self.field, self.message) if part)


@dataclass(frozen=True, slots=True)
class Folder:
    """All that was found: the documents count only when there are no faults."""

    documents: tuple[FileDocument, ...] = ()
    faults: tuple[FileFault, ...] = ()
    warnings: tuple[FileFault, ...] = ()


@dataclass(slots=True)
class _Draft:
    """A document on its way: where it was found, and what is wrong with it so far."""

    document: FileDocument
    source: Source
    faults: list[LineFault]
    whole: Document | None = None

    @property
    def placed(self) -> bool:
        """Whether its name and its owner are right, which a kind's own checks go by, and all of it could be read."""
        return not self.source.faults and not any(f.field.startswith("metadata.") for f in self.faults)

    def fault(self, dotted: str, message: str) -> FileFault:
        return FileFault(self.document.file, self.source.line_of(dotted), dotted, message)


def judge(found: Iterable[tuple[str, Source]]) -> Folder:
    """The documents of all files, with every fault of each, and of all together."""
    drafts, faults = [], []
    for file, source in ((file, part) for file, whole in found for part in split(whole)):
        made = list(source.faults)
        document = shaped(file, source, made)
        if document is None:
            faults += [FileFault(file, each.line, each.field, each.message) for each in made]
        else:
            drafts.append(_Draft(document, source, made))
    _complete_all(drafts)
    for draft in drafts:
        faults += [FileFault(draft.document.file, f.line, f.field, f.message) for f in draft.faults]
    faults += [*_twice(drafts), *_claimed(drafts), *_beside(drafts)]
    documents = tuple(draft.document for draft in drafts)
    return Folder(documents, tuple(sorted(faults)), tuple(sorted(_missing(drafts))))


def _complete_all(drafts: list[_Draft]) -> None:
    """Judges each spec as it would be when completed, in the order in which documents build on each other."""
    there: dict[Ref, Document] = {}
    for draft in sorted(drafts, key=lambda draft: KINDS[draft.document.kind].rank):
        kind, document = KINDS[draft.document.kind], draft.document
        try:
            spec = _spec(kind, document, there)
        except ValidationError as error:
            found = [handed_apart(kind, each, "spec.") for each in _schema_faults(error, document.spec)]
            if draft.placed:
                more = further(kind, document.name, document.owner, document.spec, there.get, None, error)
                found += [Fault(f"spec.{fault.field}", fault.message) for fault in more]
            draft.faults += draft.source.located(found)
            continue
        checked = kind.check(document.name, document.owner, spec) if draft.placed else []
        draft.faults += draft.source.located([Fault(f"spec.{name}", message) for name, message in checked])
        draft.whole = Document("", kind.name, document.name, document.owner, document.host or "", spec)
        there.setdefault(document.ref, draft.whole)


def _spec(kind: Kind, document: FileDocument, there: Mapping[Ref, Document]) -> Spec:
    values = kind.complete(document.spec, document.name, document.owner, there.get, None)
    return kind.schema.model_validate(values)


def _schema_faults(error: ValidationError, given: Mapping[str, Any]) -> list[Fault]:
    faults = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        path = ".".join(str(part) for part in item["loc"])
        missing = item["type"] == "missing" and str(item["loc"][0]) not in given
        message = "is missing" if missing else item["msg"].removeprefix("Value error, ")
        faults.append(Fault(f"spec.{path}", message))
    return faults


def _twice(drafts: list[_Draft]) -> Iterator[FileFault]:
    first: dict[Ref, FileDocument] = {}
    for draft in drafts:
        document = draft.document
        earlier = first.setdefault(document.ref, document)
        if earlier is not document:
            where = f"{earlier.file}:{earlier.line}"
            yield draft.fault(
                "metadata.name", f"{document.kind} {shortened(document.name)!r} is there already: {where}"
            )


def _beside(drafts: list[_Draft]) -> Iterator[FileFault]:
    """Parts that cannot be beside others of their whole."""
    by_whole = {id(draft.whole): draft for draft in drafts if draft.whole}
    for document, name, message in beside(draft.whole for draft in drafts if draft.whole):
        yield by_whole[id(document)].fault(f"spec.{name}", message)


def _claimed(drafts: list[_Draft]) -> Iterator[FileFault]:
    """Shared names that two documents hold, or below another tenant's (as `state.claims` decides)."""
    held: dict[Claim, _Draft] = {}
    pairs = []
    for draft in drafts:
        whole = draft.whole
        for claim in KINDS[whole.kind].claims(whole) if whole else ():
            holder = held.setdefault(claim, draft)
            if holder.document.ref != draft.document.ref:
                yield draft.fault("metadata.name", f"{claim.name!r} is taken by {_place(holder)}")
            pairs.append((draft, claim))
    for draft, claim in pairs:
        if claim.space not in HOST_SPACES:
            continue
        names = (claim.name, *(name for up in parents(claim.name) for name in (up, f"*.{up}")))
        above = {Claim(space, name) for name in names for space in HOST_SPACES} - {claim}
        near = (held.get(each) for each in sorted(above, key=lambda each: -len(each.name)))
        foreign = filter(partial(_is_foreign, draft.document.owner), near)
        for nearest in list(foreign)[:1]:
            yield draft.fault("metadata.name", f"{claim.name!r} belongs to a name of {_place(nearest)}")


def _is_foreign(owner: str, draft: _Draft | None) -> bool:
    return draft is not None and draft.document.owner != owner


def _place(draft: _Draft | None) -> str:
    document = draft.document if draft else None
    return f"{document.ref}, {document.file}:{document.line}" if document else ""


def _missing(drafts: list[_Draft]) -> Iterator[FileFault]:
    there = {draft.document.ref for draft in drafts} | _ALWAYS_THERE
    for draft in drafts:
        whole = draft.whole
        refs = {*KINDS[whole.kind].references(whole), Ref("User", whole.owner)} if whole else set()
        part_of = KINDS[whole.kind].part_of if whole else None
        refs |= {Ref(part_of.kind, part_of.whole(whole.name))} if whole and part_of else set()
        for ref in sorted((ref for ref in refs - there if not ref.weak), key=str):
            yield draft.fault("", f"{ref} is not in this folder: it must exist already")
