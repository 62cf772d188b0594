"""octoDNS: an account at a provider, asked for zones and told what to change; alone in importing it, which is slow."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import dns.exception
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from octodns.provider import ProviderException
from octodns.provider.base import BaseProvider
from octodns.record import Record
from octodns.record.exception import RecordException
from octodns.record.rr import Rrset
from octodns.record.txt import TxtRecord
from octodns.zone import Zone

from state.dns.names import APEX
from state.dns.values import rdata
from state.resource import Attributes, record_set_key

PATIENT: Mapping[str, Mapping[str, Any]] = {
    "octodns_cloudflare.CloudflareProvider": {"retry_count": 0, "pagerules": False},
}
"""Options that are ours unless an operator says otherwise: we wait ourselves, and page rules are no records."""
AS_IN_FILES = frozenset({"octodns_cloudflare.CloudflareProvider", "octodns_powerdns.PowerDnsProvider"})
"""Classes that hand texts on as zone files have them; octoDNS itself marks nothing in them but semicolons."""
_ANY_TEXT = ('"any"',)
_UNSAID = (RecordException, ValueError, LookupError, TypeError, AttributeError)
_SHOWN = 200
_PLACES = ("octodns", "Manager", "Zone", "Record", "Plan")


class Misfit(Exception):  # noqa: N818 - what happened
    """The class is none, or cannot be made with these options."""


@dataclass(frozen=True, slots=True)
class Found:
    """A zone as the provider has it: sets of records by key, and what the provider calls it if it is there."""

    sets: Mapping[str, Attributes]
    zone_id: str | None


class Written(TxtRecord):  # type: ignore[misc]
    """Texts that are handed on as zone files have them: octoDNS would mark once more what is marked in them, and goes
    on for ever with one that ends in a backslash."""

    in_files: tuple[str, ...] = ()

    @property
    def chunked_values(self) -> list[str]:
        return [text.replace(";", "\\;") for text in self.in_files]


class Account:
    """One account at a provider. What its class has read it may keep: for another look, make another."""

    def __init__(self, name: str, options: Mapping[str, Any]) -> None:
        """`options` are those of octoDNS; `class` is the class. Raises Misfit."""
        given = {key: value for key, value in options.items() if key != "class"}
        package = str(options.get("class", ""))
        self._as_in_files = package in AS_IN_FILES
        self._provider = _made(name, package, {**PATIENT.get(package, {}), **given})

    @property
    def record_types(self) -> tuple[str, ...]:
        return tuple(sorted(self._provider.SUPPORTS))

    @property
    def apex_servers(self) -> bool:
        """Whether the name servers of a zone itself can be set."""
        return bool(self._provider.SUPPORTS_ROOT_NS)

    def names(self) -> frozenset[str]:
        """The zones that there are, as far as the package can tell."""
        told = getattr(self._provider, "list_zones", list)
        return frozenset(str(name).rstrip(".") for name in told())

    def look(self, zone: str, wanted: Mapping[str, Attributes], *, servers: bool = False) -> Found:
        """The zone. What differs from what is `wanted` in nothing that the provider could change counts as that.

        The name servers of the zone itself, which octoDNS never takes away, are told if they are wanted, or with
        `servers`.
        """
        existing, exists = self._read(zone)
        found = {
            _key(zone, record): self._attributes(record) for record in existing.records if self._ours(record)
        }
        apex = record_set_key(zone, APEX, "NS")
        if not servers and apex not in wanted:
            found.pop(apex, None)
        unlike = {key: each for key, each in wanted.items() if key in found and found[key] != each}
        if unlike:
            found |= {key: unlike[key] for key in unlike.keys() - self._changed(zone, existing, unlike)}
        return Found(found, self._zone_id(existing) if exists else None)

    def unfit(self, zone: str, wanted: Mapping[str, Attributes | None]) -> dict[str, Exception]:
        """Those of the sets that octoDNS has no form for, and why; nobody is asked."""
        found = dict[str, Exception]()
        for key, attributes in wanted.items():
            try:
                if attributes is not None:
                    self._record(Zone(f"{zone}.", []), zone, key, attributes, None).to_rrset()
            except (ProviderException, *_UNSAID) as error:
                found[key] = error
        return found

    def change(self, zone: str, wanted: Mapping[str, Attributes | None], *, rehearse: bool = False) -> None:
        """Makes these sets so (None: not there), all else of the zone stays; with `rehearse` only plans to."""
        plan = self._provider.plan(self._desired(zone, self._read(zone)[0], wanted))
        if plan is not None and not rehearse:
            self._provider.apply(plan)

    def _read(self, zone: str) -> tuple[Zone, bool]:
        """The zone as it is there, and whether it is."""
        found = Zone(f"{zone}.", [])
        exists = self._provider.populate(found, target=True, lenient=True)
        return found, bool(exists or found.records)

    def _changed(self, zone: str, existing: Zone, wanted: Mapping[str, Attributes]) -> set[str]:
        """Those of which octoDNS says that they differ; all, where it refuses to say."""
        try:
            plan = self._provider.plan(self._desired(zone, existing, wanted))
        except ProviderException:
            return set(wanted)
        return {_key(zone, change.record) for change in plan.changes} if plan else set()

    def _desired(self, zone: str, existing: Zone, wanted: Mapping[str, Attributes | None]) -> Zone:
        desired = existing.copy()
        known = {_key(zone, record): record for record in existing.records}
        for record in existing.records:
            if wanted.get(_key(zone, record), ...) is None or not self._ours(record):
                desired.remove_record(record)
        for key, attributes in wanted.items():
            if attributes is not None:
                desired.add_record(self._record(desired, zone, key, attributes, known.get(key)), True, True)
        return desired

    def _record(
        self, desired: Zone, zone: str, key: str, attributes: Attributes, before: Record | None
    ) -> Record:
        """What only this provider knows of the record that was there, such as a proxy before it, stays.

        Raises ProviderException for what octoDNS cannot say.
        """
        name, record_type = _split(key)
        in_files = self._as_in_files and record_type == "TXT"
        values = _ANY_TEXT if in_files else attributes["values"]
        rrset = Rrset(_whole(name, zone), record_type, attributes["ttl"], values)
        try:
            record = Record.from_rrset(desired, rrset, lenient=True, source=self._provider)
        except _UNSAID as error:
            told = "; ".join(values)[:_SHOWN]
            raise ProviderException(f"octoDNS has no form for {record_type} {told} ({error})") from None
        if in_files:
            record.values = [type(record.values[0])(_bare(each)) for each in attributes["values"]]
            record.__class__, record.in_files = Written, tuple(attributes["values"])
        if before is not None:
            record.octodns.update(before.octodns)
        return record

    def _attributes(self, record: Record) -> Attributes:
        try:
            rrset = record.to_rrset()
        except _UNSAID:
            return {"ttl": int(record.ttl), "values": sorted(map(str, record.values))}
        values = (_canonical(rrset._type, text) for text in rrset.rdatas)  # noqa: SLF001 - as octoDNS asks
        if self._as_in_files and rrset._type == "TXT":  # noqa: SLF001
            values = (rdata("TXT", f'"{text}"', 0, "") for text in record.values)
        return {"ttl": int(rrset.ttl), "values": sorted(values)}

    def _ours(self, record: Record) -> bool:
        """Not the provider's own name servers."""
        return self.apex_servers or record.name != "" or record._type != "NS"  # noqa: SLF001 - as octoDNS asks

    def _zone_id(self, zone: Zone) -> str:
        known = getattr(self._provider, "zones", None)
        found = known.get(zone.name) if isinstance(known, Mapping) else None
        told = found.get("id") if isinstance(found, Mapping) else found
        return str(told or zone.name)


def _made(name: str, package: str, options: Mapping[str, Any]) -> BaseProvider:
    module, _, class_name = package.rpartition(".")
    try:
        made = getattr(import_module(module), class_name)
        if not (isinstance(made, type) and issubclass(made, BaseProvider)):
            raise Misfit(f"{package!r} is no provider of an octoDNS package")
        provider = made(name, **options)
    except (ImportError, AttributeError, TypeError, ValueError, ProviderException) as error:
        raise Misfit(f"{package!r} cannot be used: {error}") from None
    _hush(provider)
    return provider


def _hush(provider: BaseProvider) -> None:
    """What octoDNS logs has whole answers of providers in it: what went wrong is told by us."""
    for logger in (getattr(provider, "log", None), *map(logging.getLogger, _PLACES)):
        if isinstance(logger, logging.Logger):
            logger.disabled = True


def _key(zone: str, record: Record) -> str:
    return record_set_key(zone, record.name or APEX, record._type)  # noqa: SLF001 - as octoDNS asks


def _whole(name: str, zone: str) -> str:
    return f"{zone}." if name == APEX else f"{name}.{zone}."


def _split(key: str) -> tuple[str, str]:
    """The name and type of a key."""
    _, _, rest = key.partition("/")
    name, _, record_type = rest.rpartition("/")
    return name, record_type


def _bare(text: str) -> str:
    """A text as a zone file has it without its outer quotation marks, in one piece."""
    return text[1:-1].replace('" "', "").replace(";", "\\;")


def _canonical(record_type: str, text: str) -> str:
    """A value as our own are written; one of a type that is only octoDNS's own as it is."""
    try:
        kind = dns.rdatatype.from_text(record_type)
        return dns.rdata.from_text(dns.rdataclass.IN, kind, text, relativize=False).to_text()
    except dns.exception.DNSException:
        return text
