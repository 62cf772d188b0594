"""Where the objects of a kind are: parts below their whole, with the rights of the whole."""

from uuid import UUID

from api.call import Call
from api.writes import missing
from state.kind import Kind
from state.kinds import whole_kind


def path_of(kind: Kind, whole: str = "") -> str:
    """The path of its collection; that of parts has the id of their whole, or a place for it."""
    wholes = whole_kind(kind)
    if wholes is None or kind.part_of is None:
        return f"/{kind.plural}"
    return f"{path_of(wholes)}/{whole or f'{{{kind.part_of.field}}}'}/{kind.plural}"


def scope_of(kind: Kind) -> str:
    """What the scopes of API tokens call it."""
    return (whole_kind(kind) or kind).plural


def identifier(kind: Kind, call: Call, name: str = "id") -> str:
    """The id in the request's path. Raises NotFound for what can be none."""
    try:
        return str(UUID(call.argument(name)))
    except ValueError:
        raise missing(kind, call.argument(name)) from None
