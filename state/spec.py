"""What every kind's schema is: closed, frozen and strict; and the marks that its fields may carry."""

from functools import cache
from typing import Any, Self, cast

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """The base of every kind's schema: closed, frozen and strict: a number in quotes is none.

    A field may carry the marks below.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, str_max_length=4096)

    @classmethod
    def stored(cls, values: Any) -> Self:
        """The spec that was stored as these values: it was valid then, and is not validated again.

        A field that did not exist then has its default. What is no object of fields any more, since somebody changed
        it in the database, has none: that is this document's trouble alone. Many are read: they share what they can.
        """
        names = _names(cls)
        if not isinstance(values, dict):
            values = {}
        known = values.values()
        if tuple(values) != names:
            if values.keys() != _fields(cls):
                fields = {name: values[name] for name in names if name in values}
                return cast("Self", cls.model_construct(**fields))
            known = map(values.__getitem__, names)
        spec: Self = cls.__new__(cls)
        _set(spec, "__dict__", dict(zip(names, known, strict=True)))
        _set(spec, "__pydantic_fields_set__", _fields(cls))
        _set(spec, "__pydantic_extra__", None)
        _set(spec, "__pydantic_private__", None)
        return spec


_set = object.__setattr__


@cache
def _names(schema: type[Spec]) -> tuple[str, ...]:
    return tuple(schema.model_fields)


@cache
def _fields(schema: type[Spec]) -> set[str]:
    return set(schema.model_fields)


class Immutable:
    """A field's mark: it can be set only when the document is created."""


class Copied:
    """A field's mark: unless given, it is copied from the package once, at creation, and then kept."""


class Completed:
    """A field's mark: unless given, it is derived from what the document belongs to, and then kept."""


class AdminOnly:
    """A field's mark: nobody sets it on themselves; only who manages the document's owner does."""
