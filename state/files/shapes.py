"""The shape of a document in a file: a mapping of apiVersion, kind, metadata and spec, and which one it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from state.document import Ref
from state.errors import Fault
from state.files.yaml_source import LineFault, Source, shortened
from state.kind import Kind
from state.kinds import KINDS
from state.names import ADMINISTRATOR, user_name

API_VERSION = "ghostcp/v1"
_FIELDS = {"apiVersion": str, "kind": str, "metadata": dict, "spec": dict}
_METADATA = ("name", "owner", "host")


@dataclass(frozen=True, slots=True)
class FileDocument:
    """A document as a file gives it: `spec` holds what was given and no more; `host` may be open.

    `inside`: it stands in the document that it is a part of, and has no name of its own there.
    """

    kind: str
    name: str
    owner: str
    spec: Mapping[str, Any]
    host: str | None = None
    file: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)
    inside: bool = field(default=False, compare=False)

    @property
    def ref(self) -> Ref:
        return Ref(self.kind, self.name)


def shaped(file: str, source: Source, faults: list[LineFault]) -> FileDocument | None:
    """The document, if it can be told which one it is; `faults` takes what is wrong with its shape."""
    value, wrong = source.value, []
    if not isinstance(value, dict):
        if not faults:
            faults.append(
                LineFault(source.line, "", "must be a mapping of apiVersion, kind, metadata and spec")
            )
        return None
    wrong += [Fault(name, "is no field of a document") for name in value if name not in _FIELDS]
    for name, type_ in _FIELDS.items():
        if not isinstance(value.get(name), type_):
            what = "a mapping" if type_ is dict else "a string"
            wrong.append(
                Fault(name, f"must be {what}" if name in value else f"is missing: it must be {what}")
            )
    if isinstance(value.get("apiVersion"), str) and value["apiVersion"] != API_VERSION:
        wrong.append(Fault("apiVersion", f"must be {API_VERSION}"))
    kind = KINDS.get(value["kind"]) if isinstance(value.get("kind"), str) else None
    if kind is None and isinstance(value.get("kind"), str):
        wrong.append(Fault("kind", f"{shortened(value['kind'])!r} is none of {', '.join(KINDS)}"))
    metadata = value.get("metadata") if isinstance(value.get("metadata"), dict) else None
    name, owner, host = _identity(kind, metadata, wrong) if metadata is not None else ("", "", None)
    faults += source.located(wrong)
    if kind is None or not name:
        return None
    spec = value.get("spec") if isinstance(value.get("spec"), dict) else {}
    return FileDocument(kind.name, name, owner, spec or {}, host, file, source.line, source.inside)


def _identity(
    kind: Kind | None, metadata: Mapping[str, Any], wrong: list[Fault]
) -> tuple[str, str, str | None]:
    known = ", ".join(_METADATA)
    wrong += [Fault(f"metadata.{key}", f"is none of {known}") for key in metadata if key not in _METADATA]
    given = {}
    for key in _METADATA:
        value = metadata.get(key)
        if value is not None and not (isinstance(value, str) and value):
            wrong.append(Fault(f"metadata.{key}", "must be a string that is not empty"))
        given[key] = value if isinstance(value, str) else ""
    if metadata.get("name") is None:
        wrong.append(Fault("metadata.name", "is missing"))
    if kind is None:
        return given["name"], given["owner"], given["host"] or None
    name = _checked("metadata.name", kind.check_name, given["name"], wrong)
    owner = _owner(kind, given["owner"], metadata, wrong)
    if given["host"] and not kind.placed:
        wrong.append(Fault("metadata.host", f"a {kind.name} is on no host"))
    return name, owner, given["host"] or None


def _owner(kind: Kind, given: str, metadata: Mapping[str, Any], wrong: list[Fault]) -> str:
    if given and given != ADMINISTRATOR:
        return _checked("metadata.owner", user_name, given, wrong)
    if kind.placed and not kind.owns and metadata.get("owner") is None:
        wrong.append(Fault("metadata.owner", f"is missing: a {kind.name} belongs to a user"))
    return ADMINISTRATOR


def _checked(where: str, check: Any, value: str, wrong: list[Fault]) -> str:
    if not value:
        return ""
    try:
        return str(check(value))
    except ValueError as error:
        wrong.append(Fault(where, str(error)))
        return value
