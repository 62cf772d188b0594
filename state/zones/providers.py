"""External DNS providers as operators set them up: the class of an octoDNS package, its options, and a target each."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, or_, select, update

from state.claims import lock
from state.errors import Conflict, NotFound
from state.kind import LOCAL, Kind
from state.kinds import KINDS
from state.spec import Spec
from state.statuses import wake
from state.stored_json import sound
from state.tables import documents, targets
from state.targets import PREFIX, add_target, relist
from state.vault import seal, unseal
from state.zones.provider_tables import dns_providers, provider_zones


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that is set up. `package` is the class that speaks to it, such as
    ``octodns_powerdns.PowerDnsProvider``."""

    name: str
    package: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """For whom a zone at a provider was made or taken over, and when."""

    owner: str
    at: datetime


def name_of(target: str) -> str:
    """The name of the provider that a target is; empty for a host."""
    return target.removeprefix(PREFIX) if target.startswith(PREFIX) else ""


def provider_of(kind: Kind, spec: Spec) -> str:
    """The provider that is to carry a document; empty where it is a host's."""
    name = str(getattr(spec, kind.provider_field)) if kind.provider_field else LOCAL
    return "" if name == LOCAL else name


def provider_target(connection: Connection, name: str) -> str:
    """The target of a provider that is set up, else nothing; none is set up or taken down until the end."""
    lock(connection, f"provider/{name}")
    row = (targets.c.name == f"{PREFIX}{name}") & targets.c.listed
    return str(connection.execute(select(targets.c.name).where(row)).scalar() or "")


def list_providers(connection: Connection) -> list[Provider]:
    """Those that are set up, by name."""
    columns = (dns_providers.c.name, dns_providers.c.package, dns_providers.c.changed_at)
    return [Provider(*row) for row in connection.execute(select(*columns).order_by(dns_providers.c.name))]


def options_of(connection: Connection, var: Path, name: str) -> dict[str, Any]:
    """All that the provider's class is made with, secrets too. Raises NotFound, or Unreadable when no key fits."""
    row = connection.execute(select(dns_providers).where(dns_providers.c.name == name)).one_or_none()
    if row is None:
        raise NotFound(f"no DNS provider {name!r} is set up", resource="provider", id=name)
    return {"class": row.package, **json.loads(unseal(var, row.options))}


def set_up(connection: Connection, var: Path, name: str, package: str, options: Mapping[str, Any]) -> int:
    """Sets a provider up, or anew with these options; how many zones that waited for it came to it."""
    lock(connection, f"provider/{name}")
    target = f"{PREFIX}{name}"
    connection.execute(delete(dns_providers).where(dns_providers.c.name == name))
    row = {"name": name, "package": package, "options": seal(var, json.dumps(dict(options)))}
    connection.execute(insert(dns_providers).values(**row, changed_at=datetime.now(UTC)))
    known = connection.execute(select(targets.c.name).where(targets.c.name == target)).scalar()
    (relist if known else add_target)(connection, target, package)
    return _fetch(connection, name, target)


def grants(connection: Connection, provider: str) -> dict[str, Grant]:
    """Whose zones at the provider are, by their names."""
    rows = connection.execute(select(provider_zones).where(provider_zones.c.provider == provider))
    return {row.zone: Grant(row.owner, row.at) for row in rows}


def grant(connection: Connection, provider: str, owners: Mapping[str, str]) -> None:
    """Notes of zones, by name, that they are made for these owners."""
    now = datetime.now(UTC)
    for zone, owner in owners.items():
        same = (provider_zones.c.provider == provider) & (provider_zones.c.zone == zone)
        connection.execute(delete(provider_zones).where(same))
        row = {"provider": provider, "zone": zone, "owner": owner, "at": now}
        connection.execute(insert(provider_zones).values(**row))


def adopt(connection: Connection, provider: str, zone: str) -> str:
    """Lets a zone be taken over that is at the provider already; by whom. Raises NotFound without a document."""
    mine = (documents.c.target == f"{PREFIX}{provider}") & (documents.c.name == zone)
    living = mine & documents.c.deleted_at.is_(None) & (documents.c.whole == "")
    found = connection.execute(select(documents.c.uid, documents.c.owner).where(living)).one_or_none()
    if found is None:
        raise NotFound(f"no zone {zone!r} has the provider {provider!r}", resource="zone", id=zone)
    grant(connection, provider, {zone: found.owner})
    wake(connection, [found.uid])
    return str(found.owner)


def take_down(connection: Connection, name: str) -> None:
    """Forgets a provider and its options. Raises NotFound, or Conflict while it has zones."""
    lock(connection, f"provider/{name}")
    target = f"{PREFIX}{name}"
    mine = documents.c.target == target
    left = connection.execute(select(func.count()).where(mine, documents.c.whole == "")).scalar_one()
    if left:
        raise Conflict(f"{left} zones are at {name!r} still: delete them first", code="in_use")
    connection.execute(delete(provider_zones).where(provider_zones.c.provider == name))
    gone = connection.execute(delete(dns_providers).where(dns_providers.c.name == name)).rowcount
    if not gone:
        raise NotFound(f"no DNS provider {name!r} is set up", resource="provider", id=name)
    connection.execute(delete(targets).where(targets.c.name == target))


def _fetch(connection: Connection, name: str, target: str) -> int:
    """Has what waited for the provider on hosts, where nothing was made of it, come to its target; all is looked at."""
    naming = or_(*(_names(kind, name) for kind in KINDS.values() if kind.provider_field))
    waiting = select(documents.c.uid).where(naming, documents.c.target != target)
    uids = list(connection.execute(waiting).scalars())
    for start in range(0, len(uids), 500):
        some = uids[start : start + 500]
        row = or_(documents.c.uid.in_(some), documents.c.whole.in_(some))
        connection.execute(update(documents).where(row).values(target=target))
    again = {"pending": True, "wanted": documents.c.wanted + 1}
    connection.execute(update(documents).where(documents.c.target == target).values(**again))
    return len(uids)


def _names(kind: Kind, name: str) -> ColumnElement[bool]:
    return and_(
        documents.c.kind == kind.name, sound(documents.c.spec)[kind.provider_field].as_string() == name
    )
