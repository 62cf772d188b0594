"""Documents that carry their parts inside, as files may have it: split, and their parts judged beside each other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from state.document import Document
from state.files.yaml_source import LineFault, Path, Source
from state.kind import Kind
from state.kinds import KINDS, parts_of_kind


@dataclass(frozen=True, slots=True)
class _Whole:
    """The document of a source, as far as its parts need to know it."""

    name: str
    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]


def split(source: Source) -> Iterator[Source]:
    """The document, and after it those of the parts that it carries; each thing keeps its line."""
    value = source.value
    kind = KINDS.get(str(value.get("kind"))) if isinstance(value, dict) else None
    spec = value.get("spec") if isinstance(value, dict) else None
    carried = (
        [each for each in parts_of_kind(kind) if each.plural in spec]
        if kind and isinstance(spec, dict)
        else []
    )
    if kind is None or spec is None or not carried:
        yield source
        return
    whole = _whole(kind, value)
    faults = [fault for each in carried for fault in _misshapen(source, spec, each.plural)]
    rest = {name: each for name, each in spec.items() if name not in {each.plural for each in carried}}
    yield replace(source, value={**value, "spec": rest}, faults=(*source.faults, *faults))
    if whole is not None and not faults:
        for each in carried:
            yield from _parts(source, whole, each)


def beside(documents: Iterable[Document]) -> Iterator[tuple[Document, str, str]]:
    """Parts that cannot be beside others of their wholes, each with the field and what is wrong."""
    groups: dict[tuple[str, ...], list[Document]] = {}
    for document in documents:
        part_of = KINDS[document.kind].part_of
        if part_of is None:
            continue
        same = (str(getattr(document.spec, name)) for name in part_of.beside)
        group = groups.setdefault((document.kind, part_of.whole(document.name), *same), [])
        for name, message in part_of.clashes(document, group):
            yield document, name, message
        group.append(document)


def _whole(kind: Kind, value: Mapping[str, Any]) -> _Whole | None:
    """What is to be said of it elsewhere keeps its parts from being told anything."""
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("owner"), str):
        return None
    try:
        return _Whole(kind.check_name(str(metadata.get("name"))), metadata, value["spec"])
    except ValueError:
        return None


def _misshapen(source: Source, spec: Mapping[str, Any], key: str) -> list[LineFault]:
    items = spec[key]
    if not isinstance(items, list):
        return [LineFault(source.line_of(f"spec.{key}"), f"spec.{key}", "must be a list")]
    places = (f"spec.{key}.{i}" for i, item in enumerate(items) if not isinstance(item, dict))
    return [LineFault(source.line_of(place), place, "must be a mapping") for place in places]


def _parts(source: Source, whole: _Whole, kind: Kind) -> Iterator[Source]:
    assert kind.part_of is not None
    lines: dict[int, dict[Path, int]] = {}
    for path, line in source.lines.items():
        if path[:2] == ("spec", kind.plural) and len(path) > 2 and isinstance(path[2], int):
            lines.setdefault(path[2], {})[("spec", *path[3:])] = line
    known = {name: whole.metadata[name] for name in ("owner", "host") if name in whole.metadata}
    for i, item in enumerate(whole.spec[kind.plural]):
        metadata = {**known, "name": next(kind.part_of.names(item, whole.name))}
        value = {
            "apiVersion": source.value.get("apiVersion"),
            "kind": kind.name,
            "metadata": metadata,
            "spec": item,
        }
        yield Source(lines[i][("spec",)], value, lines[i], inside=True)
