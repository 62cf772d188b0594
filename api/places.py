"""Where the objects of a kind are: parts below their whole, with the rights of the whole."""

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
