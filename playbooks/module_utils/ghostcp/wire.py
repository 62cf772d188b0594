"""What travels between controller and host: values, their digest, and their packing into one string."""

import base64
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Attributes = Mapping[str, Any]
Observed = dict[str, Attributes | None]

VERSION = 1

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class WireError(ValueError):
    """What came over the wire is not what both sides agreed upon."""


@dataclass(frozen=True, slots=True)
class Change:
    """One planned difference, with the digest of the observation it was planned against (None: absent)."""

    action: str
    key: str
    expect: str | None = None
    attributes: Attributes | None = None
    content: str | None = None
    data: bool = False
    once: bool = False
    document: str = ""
    requires: tuple[str, ...] = ()
    stamp: str = ""

    @property
    def type(self) -> str:
        return self.key.partition(":")[0]

    @property
    def name(self) -> str:
        return self.key.partition(":")[2]

    @property
    def deletes(self) -> bool:
        return self.action == "delete"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change: applied, accepted, stale, skipped, refused or failed, and why."""

    status: str
    message: str = ""

    @property
    def good(self) -> bool:
        return self.status in ("applied", "accepted")

    def as_dict(self) -> dict[str, str]:
        return {"status": self.status, "message": self.message}


APPLIED = Outcome("applied")
ACCEPTED = Outcome("accepted")
STALE = Outcome("stale", "it changed since it was looked at: observe and plan again")


def failed(message: str) -> Outcome:
    return Outcome("failed", message)


@dataclass(frozen=True, slots=True)
class Handler:
    """How one type of resource is observed, listed and changed; `apply` is None where changes are staged.

    What is `late` can only be had when the daemons have loaded what is staged.
    """

    observe: Callable[[Any, Sequence[str]], Observed]
    apply: Callable[[Any, Sequence[Change]], dict[str, Outcome]] | None = None
    listing: Callable[[Any], Sequence[str]] | None = None
    late: bool = False


def digest(attributes: Attributes) -> str:
    """The first 128 bits of the SHA-256 of the canonical JSON of `attributes`, in hex."""
    return hashlib.sha256(_canonical(attributes).encode()).hexdigest()[:32]


def digest_or_none(attributes: Attributes | None) -> str | None:
    return None if attributes is None else digest(attributes)


def encode(value: object) -> str:
    """`value` as JSON, compressed, in ASCII."""
    return base64.b64encode(zlib.compress(json.dumps(value, separators=(",", ":")).encode(), 1)).decode()


def decode(payload: str) -> dict[str, Any]:
    """The object that `encode` packed; WireError when it is none, or of another version."""
    try:
        value = json.loads(zlib.decompress(base64.b64decode(payload, validate=True)))
    except (ValueError, zlib.error) as error:
        raise WireError("the payload is damaged: send it again") from error
    if not isinstance(value, dict) or value.get("version") != VERSION:
        raise WireError(f"the payload is not of version {VERSION}: use the same release on both sides")
    return value


def changes(request: Mapping[str, Any]) -> list[Change]:
    """The changes of an apply request, in its order."""
    stamp = str(request.get("stamp", ""))
    return [_change(item, stamp) for item in request.get("changes", ())]


def _change(item: Mapping[str, Any], stamp: str) -> Change:
    if item["action"] not in ("create", "update", "replace", "delete"):
        raise WireError(f"unknown action {item['action']!r} for {item['key']!r}")
    return Change(
        action=item["action"],
        key=item["key"],
        expect=item.get("expect"),
        attributes=item.get("attributes"),
        content=item.get("content"),
        data=bool(item.get("data")),
        once=bool(item.get("once")),
        document=item.get("document") or "",
        requires=tuple(item.get("requires") or ()),
        stamp=stamp,
    )
