"""What a document is compiled with, and what it compiles to; plain values."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Protocol

from state.document import Document, Ref
from state.resource import Resource
from state.words import Rendered


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
    name servers find each host. `taken`: of zones (by uid), which one at their provider is not theirs; `out`: the
    serial that they were seen with on their host. `now`: the time, where anybody asks."""

    thumbprint: str = ""
    day: date = date.min
    answers: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    hosts: Mapping[str, Facts] = field(default_factory=dict)
    secondaries: tuple[str, ...] = ()
    addresses: Mapping[str, str] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    out: Mapping[str, int] = field(default_factory=dict)
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


NO_EFFECT = "NoEffect"
"""The code of a note on wishes that change nothing, and take nothing from what is secured."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is not right yet: a code for machines and a sentence that says what to do; `about` is the key of
    the resource that it is about, if it is about just one."""

    code: str
    message: str
    about: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Compiled:
    """What a document means on its target, in the order of making; or why it cannot be had there yet.

    `keep` is what is remembered with the document (`Document.kept`) once all of it is true, `ahead` before anything of
    it is done. `waiting`: why it has to wait for the control plane itself, which is at it. `secured` is told where a
    certificate is in order, `notes` where something is not. `left_out`: why some of its parts (by uid) have no part in
    that. `apart`: each part is in one of the resources (`PartOf.resource`) and is as that one is, whatever the others.
    """

    resources: tuple[Resource, ...] = ()
    blocked: tuple[Reason, ...] = ()
    notes: tuple[Reason, ...] = ()
    keep: Mapping[str, Any] = field(default_factory=dict)
    waiting: tuple[Reason, ...] = ()
    secured: Reason | None = None
    ahead: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, Reason] = field(default_factory=dict)
    apart: bool = False
