"""What a zone is at an external provider: sets of records of one name and type, as far as the provider takes them."""

from collections.abc import Iterable, Mapping, Sequence

from state.compiling import Compiled, Context, Facts, Reason
from state.dns.names import APEX
from state.dns.zone import Entry
from state.document import Ref
from state.kind import LOCAL
from state.resource import Resource, record_set

MISSING = "ProviderMissing"


def has_servers(entries: Iterable[Entry]) -> bool:
    """Whether the zone names its own name servers."""
    return any(entry.name == APEX and entry.type == "NS" for entry in entries)


def missing(provider: str) -> Reason:
    """Why a zone waits for its provider."""
    message = f"no DNS provider {provider!r} is set up: ask your operator for it, or use {LOCAL!r}"
    return Reason(MISSING, message)


def site_facts(context: Context) -> Facts:
    """Of the host that the sites of the zone's owner are on, where the zone itself is elsewhere."""
    owner = context.related(Ref("User", context.document.owner))
    return context.plane.hosts.get(owner.target if owner else "", Facts())


def at_provider(
    zone: str,
    entries: Sequence[Entry],
    wrong: Mapping[str, Reason],
    facts: Facts,
    *,
    signed: bool,
    taken: str = "",
) -> Compiled:
    """The zone at a provider that is as `facts` say; `wrong` is why other records (by uid) are not in it already.

    Where name servers of the zone itself are the provider's affair, those of a template are none of ours. `signed`:
    that is wanted; `taken`: a zone there that is not theirs.
    """
    if taken:
        return Compiled(blocked=(_taken(taken),))
    unfit = {entry: reason for entry in entries if (reason := _unfit(entry, facts))}
    left_out = {**wrong, **{entry.uid: reason for entry, reason in unfit.items() if entry.uid}}
    resources = _record_sets(zone, (entry for entry in entries if entry not in unfit))
    if not resources:
        return Compiled(blocked=(_EMPTY,), left_out=left_out)
    return Compiled(resources, notes=(_NOT_OURS,) if signed else (), left_out=left_out, apart=True)


def _taken(there: str) -> Reason:
    return Reason(
        "ZoneTaken",
        f"{there} is at the provider already, and was not made for this user: an operator lets it be taken over "
        f"with `ghostcp providers adopt`",
    )


_EMPTY = Reason("Empty", "a provider keeps no zone without a record: add one")
_NOT_OURS = Reason("NotSigned", "whether the zone is signed is set at its provider, not here")


def _unfit(entry: Entry, facts: Facts) -> Reason | None:
    if entry.type not in facts.record_types:
        return Reason(
            "TypeUnsupported", f"the DNS provider takes no records of type {entry.type}: delete this one"
        )
    if entry.type == "NS" and entry.name == APEX and not facts.apex_servers:
        return Reason("ServersFixed", "the DNS provider chooses the zone's name servers: delete this record")
    return None


def _record_sets(zone: str, entries: Iterable[Entry]) -> tuple[Resource, ...]:
    """The records by name and type; what is in one set is kept for equally long (RFC 2181, section 5.2)."""
    sets: dict[tuple[str, str], list[Entry]] = {}
    for entry in entries:
        sets.setdefault((entry.name, entry.type), []).append(entry)
    return tuple(
        record_set(
            zone,
            name,
            record_type,
            ttl=min(entry.ttl for entry in found),
            values=tuple(entry.text for entry in found),
        )
        for (name, record_type), found in sorted(sets.items())
    )
