"""The three-way decision: desired, observed and last applied, into the ordered changes of one target."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from reconciler.changes import Action, Cause, Change, Observation, Plan
from reconciler.compile import Catalog
from reconciler.holdings import Holding, below, holdings, other_account, replaced_homes
from state.compiling import Reason
from state.document import Status
from state.resource import LOOKED_AT, RECORD_SET, THUMBPRINT, Attributes, Resource, digest

MAX_REPAIRS = 3


def make_plan(catalog: Catalog, observation: Observation, statuses: Mapping[str, Status]) -> Plan:
    """The plan. Only what was applied by us is ever updated or deleted; equal foreign things are adopted.

    The configurations of one document change together or not at all: the last good ones fit each other.
    """
    inventory, broken = holdings(statuses, observation.found, catalog.wanted_by)
    absent: set[str] = set()
    blocked: dict[str, list[Reason]] = {}
    wanted: list[Change] = []
    adopted: list[str] = []
    torn: set[str] = set()
    replaced = replaced_homes(catalog, observation.found, inventory)
    for key, resource in catalog.resources.items():
        uid, holding, before = catalog.wanted_by[key], inventory.get(key), observation.found.get(key)
        same = before is resource.attributes and not replaced
        if same and holding and holding.document == uid and holding.digest == resource.digest:
            continue  # as nearly all are, where there are very many
        away = below(key, replaced)
        before = None if away else before
        known = away or holding is not None or key in broken
        if resource.once and before is None and not known and _settled_in(resource, observation):
            adopted.append(key)
            continue
        verdict = _decide(resource, before, holding, uid)
        if verdict == "adopt":
            adopted.append(key)
        elif isinstance(verdict, Reason):
            absent.add(key)
            blocked.setdefault(uid, []).append(replace(verdict, about=key))
        elif isinstance(verdict, Change):
            reason = _waiting(resource, absent) or _hopeless(verdict, statuses.get(uid))
            if reason:
                absent |= {key} if before is None else set()
                blocked.setdefault(uid, []).append(replace(reason, about=key))
                torn |= {uid} if verdict.type == "config" else set()
            else:
                text = observation.texts.get(key)
                wanted.append(verdict if text is None else replace(verdict, text_before=text))
    deletes, gone = _deletes(catalog, observation, inventory, replaced)
    unkept = (key for key, uid in broken.items() if key not in catalog.resources and _settled(catalog, uid))
    return Plan(
        changes=tuple(c for c in (*wanted, *deletes) if c.type != "config" or c.document not in torn),
        adopted=tuple(adopted),
        gone=(*gone, *unkept),
        unchanged=len(catalog.resources) - len(wanted) - len(adopted) - sum(map(len, blocked.values())),
        blocked={uid: tuple(reasons) for uid, reasons in blocked.items()},
        unmanaged=tuple(
            sorted(observation.extra.keys() - inventory.keys() - catalog.resources.keys() - {THUMBPRINT})
        ),
    )


def _settled_in(seed: Resource, observation: Observation) -> bool:
    """Whether the seed's folder was there before it: its tenant lives there, and it counts as laid."""
    return any(observation.found.get(folder) is not None for folder in seed.requires)


def refuse(plan: Plan, messages: Mapping[str, str]) -> Plan:
    """The plan without what a validator refuses (message by key), and all configurations of whose are among that."""
    refused = {c.document for c in plan.changes if c.key in messages}
    blocked = dict(plan.blocked)
    for change in plan.changes:
        if change.key in messages:
            reason = Reason("Refused", f"{change.key}: {messages[change.key]}", change.key)
            blocked[change.document] = (*blocked.get(change.document, ()), reason)
    torn = {c.key for c in plan.changes if c.type == "config" and c.document in refused} | messages.keys()
    kept = tuple(c for c in plan.changes if c.key not in torn)
    return replace(plan, changes=kept, blocked=blocked)


def _decide(
    resource: Resource, before: Attributes | None, holding: Holding | None, uid: str
) -> Change | Reason | str | None:
    """None when all is well, "adopt" for what is right but not in the inventory as it is, else what to do."""
    own = not uid
    mine = own or (holding is not None and holding.document == uid and holding.proved)
    known = own or (mine and holding is not None and holding.digest == resource.digest)
    cause = Cause.CORRECTIVE if known else Cause.INTENDED
    if before is None:
        if resource.once and mine:
            return None
        return Change(Action.CREATE, resource.key, uid, cause, None, resource.attributes, resource)
    if before is resource.attributes or dict(before) == dict(resource.attributes) or resource.once:
        return None if known or (resource.once and mine) else "adopt"
    if "obstructed" in before:
        return Reason(
            "Obstructed", f"{resource.name} is a {before['obstructed']} on the host: remove it there"
        )
    if holding is None and not own and resource.type not in LOOKED_AT:
        return Reason("Unmanaged", f"{resource.key} is there already, was not made by us, and differs")
    action = Action.REPLACE if other_account(resource, before, holding, uid) else Action.UPDATE
    return Change(action, resource.key, uid, cause, before, resource.attributes, resource)


def _waiting(resource: Resource, absent: set[str]) -> Reason | None:
    """Nothing is made inside or for what is not ours, or is not there and not tried."""
    needed = next((key for key in resource.requires if key in absent), None)
    if needed is None:
        return None
    absent.add(resource.key)
    return Reason("Waiting", f"{resource.key} needs {needed}, which is blocked")


def _hopeless(change: Change, status: Status | None) -> Reason | None:
    """Why the change is not tried: its validator refused just this, or something else keeps undoing it."""
    if status is None or change.after is None:
        return None
    refusal = status.refused.get(change.key)
    if refusal and refusal.digest == digest(change.after):
        return Reason("Refused", f"{change.key}: {refusal.message}")
    if change.cause is Cause.CORRECTIVE and status.repairs.get(change.key, 0) >= MAX_REPAIRS:
        times = f"repaired {MAX_REPAIRS} times and undone each time"
        return Reason("Contested", f"{change.key} was {times}: find what changes it there")
    return None


_DELETE_ORDER = {
    RECORD_SET: 0, "copy": 0, "config": 0, "signing": 1, "directory": 2, "file": 3, "account": 4,
}  # fmt: skip


def _deletes(
    catalog: Catalog,
    observation: Observation,
    inventory: Mapping[str, Holding],
    replaced: tuple[str, ...],
) -> tuple[tuple[Change, ...], tuple[str, ...]]:
    """What is ours and no longer wanted: the changes, and the keys that are gone already."""
    changes, gone = [], []
    for key, holding in inventory.items():
        if key in catalog.resources or not _settled(catalog, holding.document):
            continue
        before = None if below(key, replaced) else observation.found.get(key)
        seen = key.partition(":")[0] in LOOKED_AT
        if (
            seen
            or before is None
            or "obstructed" in before
            or _kept(key, catalog.outcomes[holding.document].keys)
        ):
            gone.append(key)
            continue
        text = observation.texts.get(key)
        changes.append(
            Change(Action.DELETE, key, holding.document, Cause.INTENDED, before, None, text_before=text)
        )
    changes.sort(key=lambda c: (_DELETE_ORDER[c.type], len(c.key), c.key))
    return tuple(changes), tuple(gone)


def _settled(catalog: Catalog, uid: str) -> bool:
    """It is known what the document should be, so that what it no longer wants can go."""
    return uid in catalog.outcomes and not catalog.outcomes[uid].held


def _kept(key: str, keys: Iterable[str]) -> bool:
    """A living document's folders and pages hold its tenant's data: they are left, not deleted."""
    return key.startswith(("directory:", "file:")) and any(True for _ in keys)
