"""What is known to be ours on a target, and for whom: without what was to be made and is not found so."""

from collections.abc import Mapping
from dataclasses import dataclass

from reconciler.compile import Catalog
from state.document import PROMISE, Status
from state.resource import Attributes, Resource, digest


@dataclass(frozen=True, slots=True)
class Holding:
    """For which document (uid) a thing was applied, and its digest then, behind `PROMISE` if none proved it."""

    document: str
    digest: str

    @property
    def proved(self) -> bool:
        return not self.digest.startswith(PROMISE)


def holdings(
    statuses: Mapping[str, Status], found: Mapping[str, Attributes | None], wanted_by: Mapping[str, str]
) -> tuple[dict[str, Holding], dict[str, str]]:
    """What is ours by key, and the broken promises: what was to be made by key and uid, and is not there so.

    Of two documents that hold one thing, it is that of the one which wants it.
    """
    held: dict[str, Holding] = {}
    broken: dict[str, str] = {}
    for uid, status in statuses.items():
        for key, mark in status.applied.items():
            if mark.startswith(PROMISE) and not _is(found.get(key), mark.removeprefix(PROMISE)):
                broken[key] = uid
            elif key not in held or wanted_by.get(key) == uid:
                held[key] = Holding(uid, mark)
    return held, broken


def other_account(resource: Resource, before: Attributes, holding: Holding | None, uid: str) -> bool:
    """An account of this name that belonged to an earlier document: another person's, not ours to hand on."""
    other = holding is not None and holding.document != uid
    return resource.type == "account" and other and before.get("uid") != resource.attributes["uid"]


def replaced_homes(
    catalog: Catalog, found: Mapping[str, Attributes | None], inventory: Mapping[str, Holding]
) -> tuple[str, ...]:
    """The homes that go into quarantine with the accounts of other persons."""
    homes = []
    for key, resource in catalog.resources.items():
        before = found.get(key) if key.startswith("account:") else None
        if before and other_account(resource, before, inventory.get(key), catalog.wanted_by[key]):
            homes.append(str(before["home"]))
    return tuple(homes)


def below(key: str, homes: tuple[str, ...]) -> bool:
    """Whether a directory or file is one of these homes or inside."""
    if not homes:
        return False
    kind, _, name = key.partition(":")
    return kind in {"directory", "file"} and any(name == h or name.startswith(h + "/") for h in homes)


def _is(attributes: Attributes | None, known: str) -> bool:
    return attributes is not None and digest(attributes) == known
