"""Who may do what: with `api.visibility`, who may know of what, the only place where that is decided; what is not
allowed here is not allowed.

An administrator may do everything. A reseller manages the users that it created (their owner is the
reseller) and what is theirs, within its own limits. A user has its own objects. Nobody else sees that an object
exists.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from api.auth import Principal
from state.document import Document
from state.errors import Forbidden, NotFound
from state.job_types import JobType
from state.kind import Kind
from state.names import ADMINISTRATOR
from state.spec import AdminOnly, Copied, Spec


class Access(Enum):
    """Who comes through a door at all."""

    PUBLIC = "public"
    SIGNED_IN = "signed in"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Rule:
    """Who comes through one door: what the role must be, and the scope that an API token must carry.

    Without a scope no API token comes through: who asks must have logged in. `nearby`: machines in the
    networks of ``GHOSTCP_METRICS_NETWORKS`` need prove nothing.
    """

    access: Access
    scope: str = ""
    nearby: bool = False


def public() -> Rule:
    """Everybody, without proof."""
    return Rule(Access.PUBLIC)


def signed_in(scope: str = "") -> Rule:
    """Every user in order; what one sees and may do behind the door is decided by what is one's own."""
    return Rule(Access.SIGNED_IN, scope)


def admins(scope: str = "") -> Rule:
    """Administrators."""
    return Rule(Access.ADMIN, scope)


def scrapers() -> Rule:
    """Machines nearby, without proof; from elsewhere administrators."""
    return Rule(Access.ADMIN, "metrics:read", nearby=True)


def needs_proof(rule: Rule, *, near: bool) -> bool:
    """Whether who comes through must prove who they are."""
    return rule.access is not Access.PUBLIC and not (rule.nearby and near)


def admit(principal: Principal, rule: Rule) -> None:
    """Raises Forbidden when the door is not the principal's."""
    if rule.access is Access.ADMIN and principal.role != "admin":
        raise Forbidden("only administrators may do this", code="forbidden_role")
    if principal.scopes is not None and not carries(principal.scopes, rule.scope):
        needed = f"a token with the scope {rule.scope}" if rule.scope else "a login: no API token may do this"
        raise Forbidden(f"this needs {needed}", code="scope_missing", scope=rule.scope or None)


def carries(scopes: Collection[str], scope: str) -> bool:
    """Whether these scopes include this one: who may write may also read."""
    if not scope:
        return False
    name, _, verb = scope.partition(":")
    return scope in scopes or (verb == "read" and f"{name}:write" in scopes)


def check_token_change(principal: Principal, uid: str) -> None:
    """Whether the principal may change what a token of this user is good for. Raises Forbidden."""
    if uid != principal.uid:
        raise Forbidden("a token is changed by whose it is; you can only delete it", code="forbidden")


def check_job(principal: Principal, job_type: JobType) -> None:
    """Whether the principal may ask for such a job, move, cancel or retry it. Raises Forbidden."""
    if job_type.admins and principal.role != "admin":
        raise Forbidden(f"only administrators may have a {job_type.name}", code="forbidden_role")


def check_create(
    principal: Principal, kind: Kind, owner: str, values: Mapping[str, Any], host: str | None
) -> None:
    """Whether the principal may make such a document for `owner`, who is theirs. Raises Forbidden."""
    if principal.role == "admin":
        if principal.scopes is not None and kind.owns and values.get("role") == "admin":
            raise Forbidden("no API token makes administrators: log in", code="scope_missing", scope=None)
        return
    if not kind.placed or (kind.owns and principal.role != "reseller"):
        raise Forbidden(f"your role may not create {kind.plural}", code="forbidden_role")
    if host is not None:
        raise _forbidden_field("host")
    if kind.owns:
        if values.get("role", "user") != "user":
            raise _forbidden_field("role")
    elif owner == principal.name:
        fields = kind.schema.model_fields
        _refuse_marked(
            kind, {name for name, value in values.items() if name in fields and value != fields[name].default}
        )


def check_change(principal: Principal, kind: Kind, document: Document, values: Mapping[str, Any]) -> None:
    """Whether the principal, who sees the document, may set these fields. Raises Forbidden."""
    itself = document.uid == principal.uid
    if principal.role == "admin":
        if itself and (values.get("is_suspended") is True or values.get("is_active") is False):
            raise Forbidden("nobody suspends themselves: ask another administrator", code="forbidden_field")
        return
    if not kind.placed:
        raise Forbidden(f"your role may not change {kind.plural}", code="forbidden_role")
    if itself or (document.owner == principal.name and not kind.owns):
        _refuse_marked(kind, values)


def check_password(principal: Principal, document: Document) -> None:
    """Whether the principal, who sees the document, may set its password without the old one. Raises Forbidden."""
    if principal.scopes is not None:
        raise Forbidden("no API token changes passwords: log in", code="scope_missing", scope=None)
    if document.uid == principal.uid:
        door = "POST /api/v1/auth/password"
        raise Forbidden(f"give the current one as well: {door}", code="forbidden_field", field="password")


def check_remove(principal: Principal, kind: Kind, document: Document) -> None:
    """Whether the principal, who sees the document, may delete it. Raises Forbidden."""
    if document.uid == principal.uid:
        raise Forbidden("nobody deletes themselves: ask who manages you", code="forbidden")
    if principal.role != "admin" and not kind.placed:
        raise Forbidden(f"your role may not delete {kind.plural}", code="forbidden_role")


def may_remove(principal: Principal, kind: Kind, document: Document) -> bool:
    try:
        check_remove(principal, kind, document)
    except Forbidden:
        return False
    return True


def check_limits(principal: Principal, kind: Kind, before: Spec | None, after: Spec) -> None:
    """Refuses a reseller's user more than the reseller itself has (0 is no limit). Raises Forbidden."""
    if principal.role != "reseller" or not kind.owns:
        return
    for name in sorted(kind.marked(Copied)):
        own, new = getattr(principal.spec, name, None), getattr(after, name)
        if not isinstance(new, int) or not isinstance(own, int) or new == getattr(before, name, None):
            continue
        if own and (new == 0 or new > own):
            raise Forbidden(
                f"{name} may be at most your own, {own}", code="above_own_limit", field=name, limit=own
            )


def owner_of_new(principal: Principal, kind: Kind, given: str | None) -> str:
    """Who a new document belongs to: whom the body names, else its maker; the house for what all share."""
    if not kind.placed:
        return ADMINISTRATOR
    if given is not None:
        return given
    return ADMINISTRATOR if kind.owns and principal.role == "admin" else principal.name


def check_owner(principal: Principal, kind: Kind, owner: Document) -> None:
    """Whether `owner`, whom the principal sees, can have such a document. Raises Forbidden, NotFound."""
    if not kind.placed:
        raise Forbidden(f"{kind.plural} belong to nobody", code="forbidden_field")
    if not kind.owns:
        return
    if principal.role != "admin" and owner.uid != principal.uid:
        raise NotFound("no such user", resource="user", id=owner.uid)
    if getattr(owner.spec, "role", "user") == "user":
        raise Forbidden(f"{owner.name!r} is no reseller and cannot have users", code="forbidden_field")


def _refuse_marked(kind: Kind, named: Collection[str]) -> None:
    for name in sorted(kind.marked(AdminOnly).intersection(named)):
        raise _forbidden_field(name)


def _forbidden_field(name: str) -> Forbidden:
    return Forbidden(f"your role may not set {name}", code="forbidden_field", field=name)
