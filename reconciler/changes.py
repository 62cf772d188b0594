"""What a plan is made of: what was found on a target, the differences, and the plan itself; values only."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from state.compiling import Reason
from state.resource import Attributes, Effect, Resource


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"


class Cause(StrEnum):
    """`intended`: the document changed; `corrective`: the target drifted."""

    INTENDED = "intended"
    CORRECTIVE = "corrective"


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found: attributes by key (None: absent), texts of differing files, and what nobody asked for."""

    found: Mapping[str, Attributes | None]
    texts: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Attributes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `document` is the uid it is made for, empty for the host's own services."""

    action: Action
    key: str
    document: str
    cause: Cause
    before: Attributes | None
    after: Attributes | None
    resource: Resource | None = None
    text_before: str | None = None

    @property
    def type(self) -> str:
        return self.key.partition(":")[0]

    @property
    def service(self) -> str | None:
        """The daemon that has to take notice."""
        if self.type == "config":
            return self.key.split(":", 1)[1].split("/", 1)[0]
        return self.key.split(":", 1)[1] if self.type in {"service", "placeholder"} else None

    @property
    def effect(self) -> Effect:
        return Effect.RELOAD if self.service and self.type != "placeholder" else Effect.NONE

    @property
    def fields(self) -> list[tuple[str, Any, Any]]:
        """The fields that differ, as (name, before, after)."""
        before, after = self.before or {}, self.after or {}
        names = sorted({*before, *after})
        return [(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)]

    @property
    def diff(self) -> str | None:
        """The unified diff of a configuration's text; None where there is none to show."""
        new = self.resource.content if self.resource and self.type == "config" else None
        if new is None and self.text_before is None:
            return None
        old = self.text_before or ""
        return "".join(difflib.unified_diff(_lines(old), _lines(new or ""), "before", "after", n=2))


def _lines(text: str) -> list[str]:
    """The lines of a text, with diff(1)'s remark when the last one has no end."""
    *lines, rest = text.split("\n")
    whole = [f"{line}\n" for line in lines]
    return [*whole, f"{rest}\n\\ No newline at end of file\n"] if rest else whole


@dataclass(frozen=True, slots=True)
class Plan:
    """The ordered changes, and all that is not changed and why."""

    changes: tuple[Change, ...] = ()
    adopted: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    unchanged: int = 0
    blocked: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)
    unmanaged: tuple[str, ...] = ()
