"""What a kind of document is: a value with its schema, what it compiles to, and how the doors show it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from state.compiling import Compiled, Context, Reason, Related
from state.document import Document, Ref
from state.names import Claim
from state.spec import Spec

LOCAL = "local"


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
    Parts that have the same values in the fields `sets` are one set, which is written as one. In the field `wild`, a
    part that begins with ``*`` stands for those that are not there. `appears`: whether by this a part is where it was
    not, which may take from the whole what such a one stood for.
    `resource` is the key of what a part is in where its whole is made of several that are each for themselves.
    """

    kind: str
    field: str
    whole: Callable[[str], str]
    names: Callable[[Values, str], Iterator[str]]
    beside: tuple[str, ...]
    clashes: Callable[[Document, Sequence[Document]], Sequence[tuple[str, str]]]
    weighs: Callable[[Spec | None, Spec | None], bool] = lambda _before, _after: False
    sets: tuple[str, ...] = ()
    wild: str = ""
    appears: Callable[[Spec | None, Spec | None], bool] = lambda _before, _after: False
    resource: Callable[[Document], str] = lambda _: ""


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
    add to that. `wild`: whether it has what stands for parts that are not there, besides those that do.
    `companions` come with a document, which refers to them weakly: they are made, changed and deleted with it, as
    the field `companions_by` asks for. `provider_field` names the external DNS provider that carries a document in
    place of a host; it is `LOCAL` where none does. `copied` tells of which documents the secondaries of their host
    have copies. `host_field` is a host name: it is shown with U-labels too, and lists are filtered by either form.
    `parting` is what there is to know before a document goes. `unkept` are the fields of a spec that a change, which
    names some fields, does not keep unless it names them.
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
    wild: Callable[[Context], bool] = lambda _: False
    copied: Callable[[Spec], bool] | None = None
    parting: Callable[[Document], tuple[Reason, ...]] = lambda _: ()
    unkept: Callable[[Values, Values], frozenset[str]] = lambda _before, _given: frozenset()

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
