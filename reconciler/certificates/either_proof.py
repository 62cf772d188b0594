"""Names are shown to be ours by dns-01 where their zones are here and can answer, others by their sites: authorities
ask name by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from reconciler.certificates.answers import Failed
from reconciler.certificates.proofs import Order, SiteProof, Sorted
from reconciler.certificates.unserved import NOT_SERVED, UNHOSTED
from reconciler.certificates.zone_proof import ZoneProof


@dataclass(frozen=True, slots=True)
class EitherProof:
    """A wildcard in no zone here cannot be shown to be ours (RFC 8555 has but dns-01 for it)."""

    order: Order
    _by_site: set[str] = field(default_factory=set)
    _zones: ZoneProof = field(init=False)
    _sites: SiteProof = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_zones", ZoneProof(self.order))
        object.__setattr__(self, "_sites", SiteProof(self.order))

    def challenge(self, name: str) -> str:
        return (self._sites if name in self._by_site else self._zones).challenge(name)

    def sort_out(self, connection: Connection, names: Sequence[str]) -> Sorted:
        by_zone, foreign = self._zones.sort_out(connection, names)
        rest = [name for name in foreign if not name.startswith("*.")]
        by_site, neither = self._sites.sort_out(connection, rest)
        self._by_site.update(by_site)
        for name, why in neither.items():
            if foreign[name].code == UNHOSTED:
                foreign[name] = Failed(NOT_SERVED, f"{foreign[name].message}, and {why.message}")
        there = {*by_zone, *by_site}
        asked = tuple(name for name in names if name in there)
        return asked, {name: why for name, why in foreign.items() if name not in there}

    def show(self, answers: Mapping[str, str]) -> Mapping[str, str]:
        return self._zones.show({name: each for name, each in answers.items() if name not in self._by_site})
