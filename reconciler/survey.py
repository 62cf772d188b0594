"""A look at a target with documents in mind: compiled, observed and planned; nothing is changed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

from sqlalchemy import Connection

from reconciler.changes import Observation
from reconciler.compile import Catalog, compile_documents
from reconciler.observe import Look, Run, observe
from reconciler.plan import make_plan
from reconciler.providers.ours import taken_from
from reconciler.subject import Subject, Survey, group_parts
from reconciler.unread import set_apart
from state import reading
from state.certificates.account import thumbprint
from state.certificates.challenges import answers
from state.compiling import Facts, Plane, Templates
from state.database import Database
from state.dns.serial import ahead
from state.document import Document, Ref, Status
from state.keeping import reveal
from state.kinds import EVERY, parts_of_kind
from state.resource import HOSTS_OWN, Attributes, Resource, Secret
from state.settings import Settings
from state.statuses import load_statuses, target_statuses
from state.targets import get_target, hosts_facts, list_targets, seen
from state.zones.providers import grants, name_of
from state.zones.secondaries import address_of


@dataclass(frozen=True)
class World:
    """What the verbs work with. `own`: what was last found right of what is a host's own (a digest), by target
    and key."""

    database: Database
    settings: Settings
    run: Run
    templates: Callable[[], Templates]
    own: dict[tuple[str, str], str] = field(default_factory=dict, compare=False)

    def reveal(self, secret: Secret) -> str | None:
        """A document's secret; None, and a word in the log, when none of the keys opens it."""
        return reveal(self.settings.var, secret)


def whole_target(database: Database, target: str) -> Subject:
    """Everything on the target."""
    with database.reading() as connection:
        documents = {d.uid: d for d in reading.of_target(connection, target)}
        related = reading.referred(connection, None, target)
        known = target_statuses(connection, target)
    statuses = {uid: known.get(uid, Status(uid)) for uid in documents}
    parts = group_parts(documents.values())
    return Subject(
        target, documents, _by_ref(documents.values(), related), statuses, len(documents), parts=parts
    )


def pending_on(database: Database, target: str, limit: int) -> Subject:
    """What changed on the target since it was last reconciled, and the tombstones in the way of what is new."""
    with database.reading() as connection:
        documents = _with_wholes(connection, reading.pending(connection, target, limit))
        statuses = load_statuses(connection, documents.values())
        new = [d for d in documents.values() if not d.deleted and not statuses[d.uid].observed_generation]
        if new:
            older = {d.uid: d for d in reading.namesakes(connection, target, new)}
            documents, statuses = older | documents, load_statuses(connection, older.values()) | statuses
        related = reading.referred(connection, list(documents), target)
        statuses = {uid: _afresh(status, documents[uid]) for uid, status in statuses.items()}
        total, doubtful = reading.how_many(connection, target)
    parts, by_ref = group_parts(documents.values()), _by_ref(documents.values(), related)
    return Subject(target, documents, by_ref, statuses, total, doubtful, parts)


def _with_wholes(connection: Connection, found: Iterable[Document]) -> dict[str, Document]:
    """The documents with the wholes that they are parts of, and all parts of these."""
    documents = {d.uid: d for d in found}
    missing = sorted({d.whole for d in documents.values() if d.whole} - documents.keys())
    documents |= {d.uid: d for d in reading.by_uid(connection, missing)}
    wholes = [d.uid for d in documents.values() if parts_of_kind(EVERY[d.kind])]
    return documents | {d.uid: d for d in reading.parts_of(connection, wholes)}


def _afresh(status: Status, document: Document) -> Status:
    """What was given up for an earlier generation is tried again for a new one."""
    if status.observed_generation == document.generation:
        return status
    return replace(status, refused={}, repairs={})


def survey(
    world: World, subject: Subject, *, everything: bool = False, presume_absent: bool = False
) -> Survey:
    """Looks at the target. With `presume_absent` nothing is asked: what was never applied is taken to be absent,
    and the apply, which checks before it changes, finds out where that is wrong. Raises Unreachable or Unknown."""
    compiled = _compiler(world, subject)
    facts = _known_facts(world, subject.target)
    catalog = compiled(facts)
    if presume_absent and _own_is_right(world, subject.target, catalog):
        look = Look(Observation(_presumed(catalog)), facts, 0)
        return Survey(subject, catalog, look, make_plan(catalog, look.observation, subject.statuses))
    look = observe(world.run, subject.target, catalog, subject.statuses.values(), everything=everything)
    with world.database.writing() as connection:
        seen(connection, subject.target, look.facts)
    if look.facts != facts:
        catalog = compiled(look.facts)
        look = observe(world.run, subject.target, catalog, subject.statuses.values(), everything=everything)
    note_own(world, subject.target, catalog, look.observation.found)
    subject, unread = set_apart(subject, catalog, look.unread)
    taken, out = _taken(world, subject, look.taken), _not_before(catalog, look.out)
    if unread or taken or out:
        catalog = _compiler(world, subject, taken, out)(look.facts)
    plan = make_plan(catalog, look.observation, subject.statuses)
    return Survey(subject, catalog, look, plan, unread)


def _taken(world: World, subject: Subject, taken: Mapping[str, str]) -> dict[str, str]:
    if not taken:
        return {}
    with world.database.reading() as connection:
        return taken_from(subject, taken, grants(connection, name_of(subject.target)))


def _not_before(catalog: Catalog, out: Mapping[str, int]) -> dict[str, int]:
    """The serials that are out of zones (by uid) for which the catalog has none that comes after it."""
    seen = {uid: serial for key, serial in out.items() if (uid := catalog.wanted_by.get(key))}
    new = {uid: int(catalog.outcomes[uid].ahead.get("serial", 0)) for uid in seen}
    return {uid: serial for uid, serial in seen.items() if not ahead(new[uid], serial)}


def _compiler(
    world: World,
    subject: Subject,
    taken: Mapping[str, str] = MappingProxyType({}),
    out: Mapping[str, int] = MappingProxyType({}),
) -> Callable[[Facts], Catalog]:
    """What the documents compile to on a host that has these facts."""
    templates = world.templates()
    with world.database.reading() as connection:
        plane = replace(_plane(connection, subject.target), taken=taken, out=out)
    return lambda facts: compile_documents(
        subject.documents.values(), subject.related, facts, templates, plane, subject.parts
    )


def _plane(connection: Connection, target: str) -> Plane:
    hosts = {host.name: host for host in list_targets(connection)}
    addresses = {name: address_of(host) for name, host in hosts.items()}
    mine = hosts[target].secondaries if target in hosts else ()
    given, facts = answers(connection, target), hosts_facts(connection) if name_of(target) else {}
    now = datetime.now(UTC)
    return Plane(thumbprint(connection), now.date(), given, facts, mine, addresses, now=now)


def _presumed(catalog: Catalog) -> dict[str, Mapping[str, object] | None]:
    own = {key: r.attributes for key, r in catalog.resources.items() if not catalog.wanted_by[key]}
    return {**dict.fromkeys(catalog.resources), **own}


def _own_is_right(world: World, target: str, catalog: Catalog) -> bool:
    """Whether what is the host's own was found right once, so that it need not be looked at for what is new."""
    return all(world.own.get((target, own.key)) == own.digest for own in _own(catalog))


def note_own(world: World, target: str, catalog: Catalog, found: Mapping[str, Attributes | None]) -> None:
    """Remembers whether what is the host's own was found as it should be."""
    for own in _own(catalog):
        if own.key in found:
            world.own[target, own.key] = own.digest if found[own.key] == own.attributes else ""


def _own(catalog: Catalog) -> list[Resource]:
    return [catalog.resources[key] for key in HOSTS_OWN if key in catalog.resources]


def _known_facts(world: World, target: str) -> Facts:
    with world.database.reading() as connection:
        known = get_target(connection, target)
    if known.observed_at is not None:
        return known.facts
    look = observe(world.run, target, Catalog({}, {}, {}), ())
    with world.database.writing() as connection:
        seen(connection, target, look.facts)
    return look.facts


def _by_ref(*groups: Iterable[Document]) -> dict[Ref, Document]:
    """The living documents that one can refer to, which parts are not."""
    return {d.ref: d for group in groups for d in group if not d.deleted and not d.whole}
