"""What may be written: a kind's schema, its own checks, and the marks of its fields; every fault at once."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from state.compiling import Related
from state.errors import Fault, Invalid
from state.kind import Kind, Values
from state.spec import Immutable, Spec


def dump(spec: Spec) -> dict[str, Any]:
    """A spec as the plain values that are stored, compared and shown."""
    return spec.model_dump(mode="json", warnings=False)


def canonical(kind: Kind, name: str, *, reserved: bool) -> str:
    """The name as it would be stored, which is empty for one that is none."""
    if reserved:
        return name
    try:
        return kind.check_name(name)
    except ValueError:
        return ""


def validated(
    kind: Kind,
    name: str,
    owner: str,
    values: Values,
    lookup: Related,
    previous: Spec | None,
    *,
    reserved: bool,
) -> tuple[str, Spec]:
    """The canonical name and the spec, completed from related documents. Raises Invalid with every fault.

    `reserved` admits a name that users may not choose.
    """
    faults: list[Fault] = []
    if not reserved:
        try:
            name = kind.check_name(name)
        except ValueError as error:
            faults.append(Fault(kind.name_field, str(error)))
    try:
        spec = kind.schema.model_validate(kind.complete(values, name, owner, lookup, previous))
    except ValidationError as error:
        more = [] if faults else further(kind, name, owner, values, lookup, previous, error)
        raise Invalid([*faults, *(handed_apart(kind, each) for each in faults_of(error)), *more]) from None
    if not faults:
        faults.extend(Fault(field, message) for field, message in kind.check(name, owner, spec))
    if faults:
        raise Invalid(faults)
    return name, spec


def handed_apart(kind: Kind, fault: Fault, above: str = "") -> Fault:
    """The fault, whose field is below `above`; of what is handed over, where it can be."""
    if kind.handing is None or fault.field.removeprefix(above) not in kind.handing.fields:
        return fault
    return Fault(
        fault.field, f"is a secret of its owner and in no document: give it to /api/v1/{kind.plural}"
    )


def further(
    kind: Kind,
    name: str,
    owner: str,
    values: Values,
    lookup: Related,
    previous: Spec | None,
    error: ValidationError,
) -> list[Fault]:
    """What a kind's own checks find beside what its schema refused: of the values without the refused ones."""
    wrong = {str(item["loc"][0]) for item in error.errors(include_input=False) if item["loc"]}
    rest = {field: value for field, value in values.items() if field not in wrong}
    try:
        spec = kind.schema.model_validate(kind.complete(rest, name, owner, lookup, previous))
    except ValidationError:
        return []
    return [Fault(field, message) for field, message in kind.check(name, owner, spec) if field not in wrong]


def faults_of(error: ValidationError) -> list[Fault]:
    """Every fault that a schema found, each with its field."""
    return [
        Fault(".".join(str(part) for part in item["loc"]), item["msg"].removeprefix("Value error, "))
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def refuse_fixed(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    """Raises Invalid for each field that differs and may not."""
    fixed = fixed_fields(kind, old, new)
    if fixed:
        raise Invalid([Fault(field, "cannot be changed after creation") for field in fixed])


def fixed_fields(kind: Kind, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The fields that differ and may not."""
    return [field for field in sorted(kind.marked(Immutable)) if old.get(field) != new.get(field)]
