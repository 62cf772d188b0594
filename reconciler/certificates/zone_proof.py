"""dns-01 (RFC 8555, section 8.4): names are shown to be ours by records in their zones, wherever these are served."""

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from reconciler.certificates.answers import Failed
from reconciler.certificates.proofs import Order, Sorted
from reconciler.certificates.unserved import UNHOSTED
from state.certificates.challenges import behind, problem, publish
from state.certificates.zones import zone_of
from state.compiling import Reason
from state.dns.challenges import challenge_name, obstacle
from state.document import Document
from state.queue import ring
from state.reading import parts_of, related

LONGEST, COPIES, POLL_SECONDS = 180.0, 30.0, 0.25


@dataclass(frozen=True, slots=True)
class ZoneProof:
    """The zone of each name is had to answer, and the authority is told when it does."""

    order: Order
    _zones: dict[str, tuple[Document, str]] = field(default_factory=dict)

    def challenge(self, name: str) -> str:
        return "dns-01"

    def sort_out(self, connection: Connection, names: Sequence[str]) -> Sorted:
        """A name may be asked for if the zone that it is in is one of the same owner here, and can answer for it."""
        owner, look_up, foreign = self.order.document.owner, related(connection), {}
        written: dict[str, list[tuple[str, str, str]]] = {}
        for name in names:
            zone = zone_of(name, owner, look_up)
            if zone is None:
                message = f"no zone of {owner} that is served here has this name"
                foreign[name] = Failed(UNHOSTED, message)
                continue
            if zone.uid not in written:
                written[zone.uid] = list(_records(parts_of(connection, [zone.uid])))
            reason, where = _place(name, zone.name, written[zone.uid])
            if reason:
                foreign[name] = Failed(reason.code, reason.message)
            else:
                self._zones[name] = (zone, where)
        return tuple(name for name in names if name not in foreign), foreign

    def show(self, answers: Mapping[str, str]) -> Mapping[str, str]:
        order, given = self.order, dict[str, list[tuple[str, str]]]()
        zones = {name: self._zones[name] for name in answers}
        for name, (zone, where) in zones.items():
            given.setdefault(zone.uid, []).append((where, answers[name]))
        with order.world.database.writing() as connection:
            order.lease.check(connection)
            publish(connection, order.job, order.lease.target, given)
        for target in {zone.target for zone, _ in zones.values()}:
            ring(order.world.settings, target)
        wrong = self._awaited(given)
        self._copied([uid for uid, why in wrong.items() if not why])
        return {name: wrong[zone.uid] for name, (zone, _) in zones.items() if wrong[zone.uid]}

    def _awaited(self, zones: Collection[str]) -> dict[str, str]:
        """Why these zones do not answer, empty for those that do: each was looked at, or it took too long."""
        known: dict[str, str] = {}
        deadline = time.monotonic() + LONGEST
        while True:
            with self.order.world.database.reading() as connection:
                found = {zone: problem(connection, zone) for zone in zones if zone not in known}
            known |= {zone: why for zone, why in found.items() if why is not None}
            left = [zone for zone in zones if zone not in known]
            if not left or time.monotonic() > deadline:
                return known | dict.fromkeys(left, f"its zone did not answer within {LONGEST:.0f} s")
            self._pause()

    def _copied(self, zones: Collection[str]) -> None:
        """Waits for the secondaries of zones, one of which may be asked; one that is down is not waited for."""
        deadline = time.monotonic() + COPIES
        while time.monotonic() < deadline:
            with self.order.world.database.reading() as connection:
                if not any(behind(connection, zone) for zone in zones):
                    return
            self._pause()

    def _pause(self) -> None:
        if self.order.stop.wait(POLL_SECONDS) or self.order.lease.lost.is_set():
            raise Failed("Stopped", "the worker was told to stop: it is asked again")


def _records(parts: Iterable[Document]) -> Iterable[tuple[str, str, str]]:
    for part in parts:
        values = vars(part.spec)
        name, record_type, value = (values.get(each, "") for each in ("name", "record_type", "value"))
        if name and values.get("is_active", True):
            yield name, record_type, value


def _place(name: str, zone: str, records: Iterable[tuple[str, str, str]]) -> tuple[Reason | None, str]:
    """Where a zone answers for a name; or why it cannot."""
    try:
        where = challenge_name(name, zone)
    except ValueError as error:
        return Reason("NameTooLong", f"no answer can be given for it: {error}"), ""
    return obstacle(where, records), where
