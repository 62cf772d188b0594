"""The desired state of one object, and what is known about how true it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from state.spec import Spec

PROMISE = "~"
OF = "of"
"""Under which name a companion remembers the uid of whom it came with."""


@dataclass(frozen=True, slots=True)
class Ref:
    """Which document: its kind and its name. A `weak` one need not exist, and may go before who refers to it."""

    kind: str
    name: str
    weak: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Document:
    """One desired object. `number` is a serial given once (a User's becomes its uid); times are UTC.

    `whole` is the uid of the document that it is a part of, empty for what is no part of another.
    `request_id` is the request that wrote it last. `wanted` counts everything that makes another look necessary:
    own changes and those of what it refers to. `kept` is what the control plane made for it and remembers (a zone's
    serial, a certificate), which is nobody's wish and makes no generation; `sealed` are secrets that belong to it.
    """

    uid: str
    kind: str
    name: str
    owner: str
    target: str
    spec: Spec
    generation: int = 1
    wanted: int = 1
    number: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    confirmed: bool = True
    request_id: str = ""
    kept: Mapping[str, Any] = field(default_factory=dict)
    sealed: str | None = None
    whole: str = ""

    @property
    def ref(self) -> Ref:
        return Ref(self.kind, self.name)

    @property
    def deleted(self) -> bool:
        return self.deleted_at is not None


@dataclass(frozen=True, slots=True)
class Condition:
    """One thing known of a document, as in the Kubernetes API conventions."""

    type: str
    status: bool
    reason: str
    message: str
    observed_generation: int
    last_transition: datetime


@dataclass(frozen=True, slots=True)
class Refusal:
    """A resource's digest that its validator refused, and why: not tried again until it changes."""

    digest: str
    message: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of a document: its conditions and what was applied for it (key → digest).

    A digest behind `PROMISE` is of what was about to be made: it is ours if it is found just so.
    """

    uid: str
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    applied: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    repairs: Mapping[str, int] = field(default_factory=dict)

    def having(self, condition: Condition) -> "Status":
        """The status with this condition set; `last_transition` moves only when the condition's status does."""
        old = next((c for c in self.conditions if c.type == condition.type), None)
        if old and old.status == condition.status:
            condition = replace(condition, last_transition=old.last_transition)
        others = (c for c in self.conditions if c.type != condition.type)
        return replace(self, conditions=(*others, condition))
