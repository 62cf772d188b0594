"""What one may know of: for each sort of object, the condition that the principal sees it."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, select, true

from api.auth import Principal
from state.access.tables import api_tokens
from state.journal.tables import audit, events, webhooks
from state.kind import Kind
from state.kinds import KINDS
from state.tables import documents, jobs, plans


def visible(principal: Principal, kind: Kind) -> ColumnElement[bool]:
    """The documents of a kind that the principal may know of."""
    if principal.role == "admin":
        return true()
    if principal.role not in {"reseller", "user"}:
        return false()
    if kind.owns:
        own = documents.c.uid == principal.uid
        return or_(own, documents.c.owner == principal.name) if principal.role == "reseller" else own
    if not kind.placed:
        return true()
    return owned_by_theirs(principal, documents.c.owner)


def visible_documents(principal: Principal) -> ColumnElement[bool]:
    """The documents of every kind that the principal may know of."""
    if principal.role == "admin":
        return true()
    kinds = (and_(documents.c.kind == kind.name, visible(principal, kind)) for kind in KINDS.values())
    return or_(*kinds)


def visible_jobs(principal: Principal) -> ColumnElement[bool]:
    """The jobs that the principal may know of: its own and those of users it manages; not those of who had the name
    before."""
    if principal.role == "admin":
        return true()
    theirs = owned_by_theirs(principal, jobs.c.owner)
    if principal.role == "reseller":
        return theirs & _since_its_owner(jobs.c.owner, jobs.c.created_at)
    return theirs & _since_mine(principal, jobs.c.created_at)


def visible_webhooks(principal: Principal) -> ColumnElement[bool]:
    """The webhooks that the principal may know of: those of the living users that it may know of."""
    users = next(kind for kind in KINDS.values() if kind.owns)
    alive = and_(documents.c.kind == users.name, documents.c.deleted_at.is_(None))
    theirs = select(documents.c.uid).where(alive, visible(principal, users)).correlate(None)
    return webhooks.c.uid.in_(theirs)


def visible_tokens(principal: Principal) -> ColumnElement[bool]:
    """The API tokens that the principal may know of: its own; all for administrators, who end leaked ones."""
    return true() if principal.role == "admin" else api_tokens.c.uid == principal.uid


def visible_events(principal: Principal) -> ColumnElement[bool]:
    """The events that the principal may know of; `state.journal.event.circles` says the same of a single one."""
    if principal.role == "admin":
        return true()
    own = events.c.owner == principal.name
    if principal.role != "reseller":
        return own if principal.role == "user" else false()
    return or_(own, events.c.manager == principal.name)


def visible_plans(principal: Principal) -> ColumnElement[bool]:
    """The plans that the principal may know of: those it asked for."""
    if principal.role == "admin":
        return true()
    return (plans.c.owner == principal.name) & _since_mine(principal, plans.c.created_at)


def visible_audit(principal: Principal) -> ColumnElement[bool]:
    """The audit's entries that the principal may know of: of what it did itself, and what users it manages did."""
    if principal.role == "admin":
        return true()
    own = audit.c.actor_id == principal.uid
    if principal.role != "reseller":
        return own if principal.role == "user" else false()
    managed = select(documents.c.uid).where(documents.c.kind == "User", documents.c.owner == principal.name)
    return or_(own, audit.c.actor_id.in_(managed.where(documents.c.deleted_at.is_(None))))


def owned_by_theirs(principal: Principal, owner: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether `owner` is the principal or a user that it manages."""
    own = owner == principal.name
    if principal.role != "reseller":
        return own if principal.role == "user" else false()
    theirs = documents.alias("theirs")
    alive = theirs.c.deleted_at.is_(None)
    managed = select(theirs.c.name).where(theirs.c.kind == "User", theirs.c.owner == principal.name, alive)
    return or_(own, owner.in_(managed))


def _since_mine(principal: Principal, at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether it is not of who had the principal's name before: names are free again at once."""
    return at >= select(documents.c.created_at).where(documents.c.uid == principal.uid).scalar_subquery()


def _since_its_owner(owner: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether it is of the living user of that name."""
    users = documents.alias("users")
    same = (users.c.kind == "User") & (users.c.name == owner) & users.c.deleted_at.is_(None)
    return at >= select(users.c.created_at).where(same).correlate(jobs).scalar_subquery()
