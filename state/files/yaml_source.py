"""YAML text as plain values that still know their lines, with every fault there is."""

import dataclasses
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from state.errors import Fault

Path = tuple[str | int, ...]
MAX_CHARACTERS = 32 * 2**20
MAX_NODES = 200_000
MAX_DEPTH = 50
MAX_SHOWN = 40

_DOCUMENT = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NOTHING = re.compile(r"\s*(?:(?:#|%|\.\.\.|---).*\s*)*")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SCALARS = ("null", "bool", "int", "float", "str", "timestamp")
_PREFIX = "tag:yaml.org,2002:"


@dataclass(frozen=True, slots=True, order=True)
class LineFault:
    """One thing wrong at a line (from 1) of a text; `field` is a dotted path, empty for the whole.

    `path` is the field in parts, where a text was read. `plain` is the message without what it shows of the text, which
    may be a secret; empty where it shows nothing.
    """

    line: int
    field: str
    message: str
    path: Path = dataclasses.field(default=(), compare=False)
    plain: str = dataclasses.field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Source:
    """One YAML document: its value, and the line of everything in it by path; or nothing but its faults.

    `inside`: it stands in the document that it is a part of.
    """

    line: int
    value: Any = None
    lines: dict[Path, int] = dataclasses.field(default_factory=dict)
    faults: tuple[LineFault, ...] = ()
    inside: bool = False

    def line_of(self, dotted: str) -> int:
        """The line of a field, or of the nearest thing around it that is there."""
        path: Path = tuple(int(part) if part.isdigit() else part for part in dotted.split(".") if part)
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, self.line)

    def located(self, faults: list[Fault]) -> list[LineFault]:
        """The faults, each with its line."""
        return [
            LineFault(self.line_of(fault.field), shortened(fault.field), fault.message) for fault in faults
        ]


def shortened(text: str) -> str:
    """As much of a text as a fault may show of it, without what a terminal would obey."""
    shown = "".join(each if each.isprintable() else "\ufffd" for each in text[:MAX_SHOWN])
    return shown if len(text) <= MAX_SHOWN else f"{shown}…"


def sources(text: str) -> Iterator[Source]:
    """Every document of a YAML stream; a broken one does not hide those after it."""
    if len(text) > MAX_CHARACTERS:
        yield _broken(1, f"is larger than {MAX_CHARACTERS // 2**20} MiB: split it")
        return
    starts = [0, *(match.start() for match in _DOCUMENT.finditer(text))]
    line = 0
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        chunk = text[start:end]
        if not _NOTHING.fullmatch(chunk):
            yield from _composed(chunk, line)
        line += chunk.count("\n")


def _composed(chunk: str, offset: int) -> Iterator[Source]:
    try:
        _refuse_depth(chunk)
        nodes = [node for node in yaml.compose_all(chunk, Loader=_LOADER) if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = ", ".join(part for part in (error.problem, error.context) if part)
        yield _broken(offset + 1 + (mark.line if mark else 0), f"is not YAML: {reason}", "is not YAML")
    except _TooDeep as error:
        yield _broken(offset + 1 + error.line, f"is nested more than {MAX_DEPTH} levels deep")
    except yaml.reader.ReaderError as error:
        line = offset + 1 + chunk.count("\n", 0, error.position)
        yield _broken(line, "is not YAML: a control character, which must be written as an escape")
    else:
        for node in nodes:
            reader = _Reader(offset + 1)
            value = reader.read(node, ())
            yield Source(reader.line(node), value, reader.lines, tuple(reader.faults))


class _TooDeep(Exception):  # noqa: N818
    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def _refuse_depth(chunk: str) -> None:
    """Raises _TooDeep for what is nested so deeply that composing it would exhaust the stack."""
    depth = 0
    for event in yaml.parse(chunk, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _TooDeep(event.start_mark.line if event.start_mark else 0)


def _broken(line: int, message: str, plain: str = "") -> Source:
    return Source(line, faults=(LineFault(line, "", message, plain=plain),))


class _Reader:
    """Makes plain values of composed nodes. Shared nodes (aliases) are counted each time they are used."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.lines: dict[Path, int] = {}
        self.faults: list[LineFault] = []
        self.count = 0
        self.open: list[yaml.Node] = []
        self.scalars = yaml.SafeLoader("")

    def line(self, node: yaml.Node) -> int:
        return self.first + int(node.start_mark.line)

    def read(self, node: yaml.Node, path: Path) -> Any:
        self.count += 1
        self.lines[path] = self.line(node)
        if self.count > MAX_NODES:
            self.faults = self.faults or [LineFault(self.line(node), "", "holds too many values: split it")]
            return None
        if any(node is around for around in self.open):
            return self._fault(node, path, "refers to itself")
        if len(path) > MAX_DEPTH:
            return self._fault(node, path, "is nested too deeply")
        self.open.append(node)
        try:
            return self._value(node, path)
        finally:
            self.open.pop()

    def _value(self, node: yaml.Node, path: Path) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        wanted = "map" if isinstance(node, yaml.MappingNode) else "seq"
        if node.tag != _PREFIX + wanted:
            return self._tagged(node, path)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return [self.read(item, (*path, index)) for index, item in enumerate(node.value) if self._within()]

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in node.value:
            if not self._within():
                break
            if not isinstance(key, yaml.ScalarNode) or key.tag != f"{_PREFIX}str":
                shown = shortened(str(key.value)) if isinstance(key, yaml.ScalarNode) else "a list or mapping"
                what = "is no string: quote it, or name a field"
                self._fault(key, path, f"the key {shown} {what}", f"a key {what}")
            elif key.value in values:
                first = self.lines[(*path, key.value)]
                self._fault(key, (*path, key.value), f"is given twice, first in line {first}")
            else:
                values[key.value] = self.read(value, (*path, key.value))
                self.lines[(*path, key.value)] = self.line(key)
        return values

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        kind = node.tag.removeprefix(_PREFIX)
        if kind not in _SCALARS:
            return self._tagged(node, path)
        if kind == "timestamp":
            return node.value
        try:
            value = self.scalars.construct_object(node)
        except (ValueError, KeyError, IndexError, yaml.YAMLError):
            return self._fault(node, path, f"is no {kind}: {shortened(str(node.value))!r}", f"is no {kind}")
        if isinstance(value, float) and not math.isfinite(value):
            return self._fault(node, path, "must be a finite number")
        return value

    def _within(self) -> bool:
        return self.count <= MAX_NODES

    def _tagged(self, node: yaml.Node, path: Path) -> None:
        message = f"has the tag {shortened(node.tag)!r}, which means nothing here"
        self._fault(node, path, message, "has a tag, which means nothing here")

    def _fault(self, node: yaml.Node, path: Path, message: str, plain: str = "") -> None:
        dotted = shortened(".".join(map(str, path)))
        self.faults.append(LineFault(self.line(node), dotted, message, path, plain))
