"""What a kind of document is: a value with its schema, what it compiles to, and how the doors show it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, Protocol, Self, cast

from pydantic import BaseModel, ConfigDict

from state.document import Document, Ref
from state.names import Claim
from state.resource import Resource
from state.words import Rendered

LOCAL = "local"


class Spec(BaseModel):
    """The base of every kind's schema: closed, frozen and strict: a number in quotes is none.

    A field may carry the marks below.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_max_length=4096)

    @classmethod
    def stored(cls, values: Any) -> Self:
        """The spec that was stored as these values: it was valid then, and is not validated again.

        A field that did not exist then has its default. What is no object of fields any more, since somebody changed
        it in the database, has none: that is this document's trouble alone. Many are read: they share what they can.
        """
        names = _names(cls)
        if not isinstance(values, dict):
            values = {}
        if len(values) != len(names) or not all(map(values.__contains__, names)):
            return cast("Self", cls.model_construct(**values))
        spec: Self = cls.__new__(cls)
        known = zip(names, map(values.__getitem__, names), strict=True)
        _set(spec, "__dict__", dict(known))
        _set(spec, "__pydantic_fields_set__", _fields(cls))
        _set(spec, "__pydantic_extra__", None)
        _set(spec, "__pydantic_private__", None)
        return spec


_set = object.__setattr__


@cache
def _names(schema: type[Spec]) -> tuple[str, ...]:
    return tuple(schema.model_fields)


@cache
def _fields(schema: type[Spec]) -> set[str]:
    return set(schema.model_fields)


class Immutable:
    """A field's mark: it can be set only when the document is created."""


class Copied:
    """A field's mark: unless given, it is copied from the package once, at creation, and then kept."""


class Completed:
    """A field's mark: unless given, it is derived from what the document belongs to, and then kept."""


class AdminOnly:
    """A field's mark: nobody sets it on themselves; only who manages the document's owner does."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a host has, as it was last seen; of an external DNS provider the types of records that it takes, and whether
    it leaves the name servers of a zone to who writes that."""

    hostname: str = ""
    php: tuple[str, ...] = ()
    nginx: str = ""
    ipv4: tuple[str, ...] = ()
    ipv6: tuple[str, ...] = ()
    shells: tuple[str, ...] = ()
    record_types: tuple[str, ...] = ()
    apex_servers: bool = True


class Templates(Protocol):
    """Renders the texts of configuration files."""

    def names(self, folder: str) -> tuple[str, ...]: ...

    def render(self, folder: str, name: str, values: Mapping[str, object]) -> Rendered: ...


Related = Callable[[Ref], Document | None]


@dataclass(frozen=True, slots=True)
class Plane:
    """What the control plane itself knows: the thumbprint of its ACME account (RFC 7638), the day (UTC), what zones (by
    uid) answer authorities now, as names relative to the zone and texts, and what its hosts have, by name, where
    documents are not on the hosts that they lead to; of the host that is compiled for, its secondaries; and where other
    name servers find each host. `taken`: of zones (by uid), which one at their provider is not theirs. `now`: the
    time, where anybody asks."""

    thumbprint: str = ""
    day: date = date.min
    answers: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    hosts: Mapping[str, Facts] = field(default_factory=dict)
    secondaries: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None


NO_PLANE = Plane()


@dataclass(frozen=True, slots=True)
class Context:
    """All that a compile may look at: the document, what it refers to, its host's facts, the templates, what the
    control plane itself knows, and its living parts."""

    document: Document
    facts: Facts
    templates: Templates
    related: Related
    plane: Plane = NO_PLANE
    parts: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not right yet: a code for machines and a sentence that says what to do."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a document means on its target, in the order of making; or why it cannot be had there yet.

    `keep` is what is remembered with the document (`Document.kept`) once all of it is true, `ahead` before anything of
    it is done. `waiting`: why it has to wait for the control plane itself, which is at it. `secured` is told where a
    certificate is in order, `notes` where something is not. `left_out`: why some of its parts (by uid) have no part in
    that.
    """

    resources: tuple[Resource, ...] = ()
    blocked: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    keep: Mapping[str, Any] = field(default_factory=dict)
    waiting: tuple[Reason, ...] = ()
    secured: Reason | None = None
    ahead: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, Reason] = field(default_factory=dict)


Values = Mapping[str, Any]


def _no_refs(_: Document) -> tuple[Ref, ...]:
    return ()


def _no_claims(_: Document) -> tuple[Claim, ...]:
    return ()


def _no_companions(_: Document) -> Mapping[Ref, Values]:
    return {}


def _as_given(values: Values, _name: str, _owner: str, _related: Related, _previous: Spec | None) -> Values:
    return values


@dataclass(frozen=True, slots=True)
class PartOf:
    """That documents of a kind are parts of a document of another one, the whole, and have no resources of their own.

    `kind` is the whole's kind, `field` shows its id in the REST API. `whole` tells from a part's name that of its
    whole; `names` are those that a part with these values may be given in a whole of that name, the first one that is
    free. `clashes` are the faults of a part beside others of its whole that have the same values in the fields
    `beside`. `weighs`: whether the whole may lack something by a part that was and is like this (none: not there).
    """

    kind: str
    field: str
    whole: Callable[[str], str]
    names: Callable[[Values, str], Iterator[str]]
    beside: tuple[str, ...]
    clashes: Callable[[Document, Sequence[Document]], Sequence[tuple[str, str]]]
    weighs: Callable[[Spec | None, Spec | None], bool] = lambda _before, _after: False


def _nothing(_: Context) -> Compiled:
    return Compiled()


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of what was handed over: what is kept and sealed with the document, and fields of its spec."""

    keep: Values = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    spec: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handing:
    """What may be handed over with a document and is no part of its spec, since no answer may have all of it.

    `fields` are JSON schemas by name. `take` judges the ones given, beside the document's name and the other fields of
    the body, at a time; the faults are by field.
    """

    fields: Mapping[str, Mapping[str, Any]]
    take: Callable[[str, Values, Values, datetime], "Handed | Sequence[tuple[str, str]]"]


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of document.

    `plural` is its path in the REST API and, unless there is a `key`, that of its lists; `name_field` the body
    field that names it there, `topic` what its events begin with (``domain`` in ``domain.created``). `check_name`
    returns the canonical name or raises ValueError. `complete` fills what was not given, from the related documents
    and the previous spec. `limit` is the field of the owner's spec that bounds how many there may be (0: no bound),
    `counter` the owner's field that shows how many there are. `rank` orders: what a kind refers to has a lower one.
    `measured` are fields that are shown as kept with a document, else as given here. `password`: it has one, which
    is write-only. `naming` is the JSON schema of a name, and `examples` are bodies that one may post (`create`) and
    put (`change`). `remembered` are the fields of what is kept that answers show, with their types. `lacks` is what
    a document cannot be without and does not have, by the part (uid) that needs it, or itself (empty): no write may
    add to that. `companions` come with a document, which refers to them weakly: they are made, changed and deleted
    with it, as the field `companions_by` asks for. `provider_field` names the external DNS provider that carries a
    document in place of a host; it is `LOCAL` where none does. `copied` tells of which documents the secondaries of
    their host have copies. `host_field` is a host name: it is shown with U-labels too, and lists are filtered by
    either form.
    """

    name: str
    plural: str
    topic: str
    schema: type[Spec]
    name_field: str
    check_name: Callable[[str], str]
    rank: int
    compile: Callable[[Context], Compiled] = _nothing
    references: Callable[[Document], tuple[Ref, ...]] = _no_refs
    claims: Callable[[Document], tuple[Claim, ...]] = _no_claims
    companions: Callable[[Document], Mapping[Ref, Values]] = _no_companions
    companions_by: str = ""
    complete: Callable[[Values, str, str, Related, Spec | None], Values] = _as_given
    check: Callable[[str, str, Spec], Sequence[tuple[str, str]]] = field(default=lambda _n, _o, _s: ())
    placed: bool = True
    hosted: Callable[[Spec], bool] = lambda _: True
    provider_field: str = ""
    host_field: str = ""
    line: Callable[[str, Values], str] | None = None
    owns: bool = False
    numbered: bool = False
    password: bool = False
    limit: str | None = None
    counter: str | None = None
    search: tuple[str, ...] = ()
    measured: Mapping[str, int] = field(default_factory=dict)
    naming: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    examples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    key: str = ""
    remembered: Mapping[str, type] = field(default_factory=dict)
    handing: Handing | None = None
    part_of: PartOf | None = None
    lacks: Callable[[Context], Mapping[str, Reason]] | None = None
    copied: Callable[[Spec], bool] | None = None

    @property
    def list_key(self) -> str:
        """The key of its lists in the REST API."""
        return self.key or self.plural

    @property
    def noun(self) -> str:
        """What one of them is called."""
        return self.list_key.removesuffix("s")

    def marked(self, mark: type) -> frozenset[str]:
        """The fields that carry `mark`."""
        fields = self.schema.model_fields.items()
        return frozenset(name for name, info in fields if any(isinstance(m, mark) for m in info.metadata))
