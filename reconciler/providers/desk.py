"""One external provider, zone by zone, with octoDNS: what is there, what is changed, and that it is so."""

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from reconciler.providers.faults import (
    Misled,
    Refused,
    in_full,
    is_general,
    lets_nobody_in,
    reason_of,
    scrubbed,
    translated,
)
from reconciler.providers.patience import bounded
from state.compiling import Reason
from state.errors import GhostError, Unreachable
from state.names import parents
from state.resource import Attributes, digest

if TYPE_CHECKING:
    from reconciler.providers.octo import Account, Found

Answer = dict[str, Any]
Request = Mapping[str, Any]
PATIENCE, PATIENCE_EACH = 20.0, 0.05
_log = structlog.get_logger()


@dataclass
class Seen:
    """What several zones were found to be."""

    sets: dict[str, Attributes] = field(default_factory=dict)
    remember: dict[str, Mapping[str, str]] = field(default_factory=dict)
    unread: dict[str, Reason] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)


class Desk:
    """One provider with its options, which nothing that is said here tells."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        self._name, self._options = name, options

    def observed(self, request: Request) -> Answer:
        account, wanted = self.account(), request.get("wanted", {})
        seen, error = self._seen(account, request["resources"], wanted)
        if error is not None and (is_general(error) or (request["listing"] and lets_nobody_in(error))):
            raise error
        taken = self._taken(account, _by_zone(dict.fromkeys(request.get("new", ()))), seen)
        asked = request["resources"].keys() - seen.unread.keys()
        equal = sorted(key for key in asked if key in wanted and seen.sets.get(key) == wanted[key])
        extra = (
            {key: each for key, each in seen.sets.items() if key not in asked} if request["listing"] else {}
        )
        return {
            "equal": equal,
            "differing": {key: seen.sets.get(key) for key in sorted(asked.difference(equal))},
            "texts": {},
            "extra": extra,
            "facts": {"record_types": account.record_types, "apex_servers": account.apex_servers},
            "unread": seen.unread,
            "taken": taken,
            "remember": seen.remember,
        }

    def applied(self, request: Request, superseded: Callable[[], int | None]) -> Answer:
        rehearse, results = bool(request.get("validate_only")), dict[str, Answer]()
        by_zone = _by_zone({change["key"]: change for change in request["changes"]})
        broken: GhostError | None = None
        for zone, changes in by_zone.items():
            if not rehearse and (highest := superseded()) is not None:
                return {"fenced": True, "highest": highest}
            if broken is None:
                told, broken = self._made(zone, changes, rehearse=rehearse)
                results |= told
            else:
                results |= dict.fromkeys(changes, _result("failed", str(broken)))
        return {
            "fenced": False,
            "results": results,
            "services": {},
            **self._proof(request, results),
        }

    def account(self) -> "Account":
        """A fresh account, which has read nothing yet. Raises Unreachable when it cannot be made."""
        from reconciler.providers.octo import Account, Misfit  # noqa: PLC0415 - slow to import, needed here only

        try:
            return Account(self._name, self._options)
        except Misfit as error:
            words = scrubbed(str(error), self._options)
            raise Unreachable(f"DNS provider {self._name!r} is not set up right: {words}") from None

    def _seen(
        self, account: "Account", keys: Iterable[str], wanted: Mapping[str, Attributes]
    ) -> tuple[Seen, GhostError | None]:
        """All that could be read; when nothing could, what was wrong."""
        seen, read = Seen(), False
        error: GhostError | None = None
        for zone, asked in _by_zone(dict.fromkeys(keys)).items():
            if error is None or not is_general(error):
                found = self._looked(account, zone, {key: wanted[key] for key in asked if key in wanted})
                error = found if isinstance(found, GhostError) else error
            if isinstance(found, GhostError):
                seen.unread |= dict.fromkeys(asked, reason_of(found))
                continue
            read = True
            seen.sets |= found.sets
            if found.zone_id is not None:
                seen.present.add(zone)
                key = min(asked.keys() & wanted.keys() or asked)
                seen.remember[key] = {"provider_zone_id": found.zone_id}
        return seen, None if read else error

    def _taken(self, account: "Account", new: Mapping[str, Iterable[str]], seen: Seen) -> dict[str, str]:
        """Which of these zones are there already, or would be cut out of one that is."""
        if not new:
            return {}
        try:
            names = account.names() | seen.present
        except Exception as error:
            reason = reason_of(self._told(error, min(new)))
            seen.unread |= {key: reason for keys in new.values() for key in keys}
            return {}
        above = {zone: (zone, *parents(zone)) for zone in new}
        there = {zone: [name for name in above[zone] if name in names] for zone in new}
        return {zone: found[0] for zone, found in there.items() if found}

    def _looked(
        self, account: "Account", zone: str, wanted: Mapping[str, Attributes], *, servers: bool = False
    ) -> "Found | GhostError":
        try:
            with bounded(_patience(wanted)):
                return account.look(zone, wanted, servers=servers)
        except Exception as error:
            return self._told(error, zone)

    def _made(
        self, zone: str, changes: Mapping[str, Answer], *, rehearse: bool
    ) -> tuple[dict[str, Answer], GhostError | None]:
        """What became of one zone's changes, and what is wrong with the whole account."""
        account = self.account()
        found = self._looked(account, zone, {}, servers=True)
        if isinstance(found, GhostError):
            told = dict.fromkeys(changes, _result("failed", str(found)))
            return told, found if is_general(found) else None
        stale = {k for k, change in changes.items() if _digest(found.sets.get(k)) != change["expect"]}
        due = {k: change["attributes"] for k, change in changes.items() if k not in stale}
        results = dict.fromkeys(stale, _result("stale", "it is not what it was when this was planned"))
        for key, error in account.unfit(zone, due).items():
            results[key] = _result("refused", str(self._told(error, zone)))
            del due[key]
        told, broken = self._tried(account, zone, due, rehearse=rehearse) if due else ({}, None)
        return {**results, **told}, broken

    def _tried(
        self, account: "Account", zone: str, due: Mapping[str, Attributes | None], *, rehearse: bool
    ) -> tuple[dict[str, Answer], GhostError | None]:
        """All at once; where that is refused, or beyond the package, one after the other: a bad one fails no other."""
        try:
            with bounded(_patience(due)):
                account.change(zone, due, rehearse=rehearse)
        except Exception as caught:
            error = self._told(caught, zone)
            if isinstance(error, Refused | Misled) and len(due) > 1:
                return self._singly(zone, due, rehearse=rehearse)
            status = "refused" if isinstance(error, Refused) else "failed"
            told = {key: {**_result(status, str(error)), "begun": True} for key in due}
            return told, error if is_general(error) else None
        return dict.fromkeys(due, _result("applied")), None

    def _singly(
        self, zone: str, due: Mapping[str, Attributes | None], *, rehearse: bool
    ) -> tuple[dict[str, Answer], GhostError | None]:
        results, broken = dict[str, Answer](), None
        for key in sorted(due, key=lambda key: due[key] is not None):
            if broken is not None:
                results[key] = _result("failed", str(broken))
                continue
            told, broken = self._tried(self.account(), zone, {key: due[key]}, rehearse=rehearse)
            results |= told
        return results, broken

    def _proof(self, request: Request, results: Mapping[str, Answer]) -> Answer:
        """A second look, by an account that has read nothing yet, at what was done or begun.

        What cannot be looked at is found to be something else than it should be.
        """
        done = {c["key"]: c["attributes"] for c in request["changes"] if _begun(results[c["key"]])}
        if not done or request.get("validate_only"):
            return {"observed": {}}
        wanted = {key: attributes for key, attributes in done.items() if attributes is not None}
        seen, _ = self._seen(self.account(), done, wanted)
        unread = {key: {"unread": why.message} for key, why in seen.unread.items()}
        return {
            "observed": {**{key: seen.sets.get(key) for key in done}, **unread},
            "remember": seen.remember,
        }

    def _told(self, error: Exception, zone: str) -> GhostError:
        """The error in our words, without secrets, and without what it hung upon."""
        told = error if isinstance(error, GhostError) else translated(error, self._name, self._options)
        _log.warning("at a DNS provider", provider=self._name, zone=zone, error=in_full(error, self._options))
        return told


def _patience(sets: Sized) -> float:
    """For how many seconds a package may compute over so many sets of records."""
    return PATIENCE + len(sets) * PATIENCE_EACH


def _result(status: str, message: str = "") -> Answer:
    return {"status": status, "message": message}


def _begun(result: Answer) -> bool:
    """Whether there may be something of it at the provider."""
    return result["status"] == "applied" or (result["status"] == "failed" and "begun" in result)


def _digest(attributes: Attributes | None) -> str | None:
    return None if attributes is None else digest(attributes)


def _by_zone(keyed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    zones: dict[str, dict[str, Any]] = {}
    for key in sorted(keyed):
        zone = key.partition(":")[2].partition("/")[0]
        zones.setdefault(zone, {})[key] = keyed[key]
    return zones
