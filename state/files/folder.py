"""Documents as YAML files, both ways: any folder layout in, one file a document out."""

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from state.errors import Unreadable
from state.files.documents import FileFault, Folder, judge
from state.files.shapes import API_VERSION, FileDocument
from state.files.tree import Entry, Unusable, content, entries
from state.files.yaml_source import LineFault, Source, sources
from state.names import tag

__all__ = ["Faulty", "FileDocument", "FileFault", "Folder", "dump_documents", "load", "read", "write"]

_BREAKS = re.compile("[\x85\u2028\u2029]")


class Faulty(Unreadable):
    """Files that are wrong: every fault of every file, and no documents."""

    code = "faulty_files"

    def __init__(self, faults: Sequence[FileFault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = tuple(faults)


def load(path: Path) -> tuple[FileDocument, ...]:
    """All documents at `path`, or none: raises Faulty with every fault, or else Unreadable."""
    folder = read(path)
    if folder.faults:
        raise Faulty(folder.faults)
    return folder.documents


def read(path: Path) -> Folder:
    """The documents of a file, or of all ``*.yaml`` and ``*.yml`` in a folder, and all their faults.

    Hidden files and folders are passed over; a link that leads out of the folder is a fault. Raises Unreadable when
    there is nothing, when it cannot be listed, or when it changes while it is read.
    """
    before = entries(path)
    if not before:
        raise Unreadable(f"{path} holds no documents: there is no .yaml or .yml file in it")
    folder = judge(_found(path, before))
    if entries(path) != before:
        raise Unreadable(f"{path} changed while it was read: try again")
    return folder


def dump_documents(documents: Iterable[FileDocument]) -> str:
    """The documents as one YAML stream, which `load` reads as the same documents."""
    return yaml.dump_all(
        map(_plain, documents),
        Dumper=_Dumper,
        explicit_start=True,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )


def write(folder: Path, documents: Iterable[FileDocument]) -> tuple[Path, ...]:
    """Writes ``<owner>/<kind>/<name>.yaml`` for each, whole or not at all; the files that are there now.

    Raises ValueError for an owner or a name that is no plain file name.
    """
    return tuple(_write_one(folder, document) for document in documents)


def _found(root: Path, there: Iterable[Entry]) -> Iterator[tuple[str, Source]]:
    for entry in there:
        shown = str(entry.path.relative_to(root)) if entry.path != root else entry.path.name
        made = list(_sources(entry, root))
        if not made:
            made = [_unusable("holds no document: write one, or delete the file")]
        yield from ((shown, source) for source in made)


def _sources(entry: Entry, root: Path) -> Iterable[Source]:
    try:
        return sources(content(entry, root).decode("utf-8-sig"))
    except Unusable as error:
        return [_unusable(str(error))]
    except OSError as error:
        return [_unusable(f"cannot be read: {error.strerror}")]
    except UnicodeDecodeError as error:
        return [_unusable("is not UTF-8", line=1 + error.object.count(b"\n", 0, error.start))]


def _unusable(message: str, line: int = 1) -> Source:
    return Source(line, faults=(LineFault(line, "", message),))


class _Dumper(yaml.SafeDumper):
    """Writes lists indented and every value out, never as an alias."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)

    def ignore_aliases(self, data: object) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Line breaks that YAML 1.1 would fold away are written as escapes."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, '"' if _BREAKS.search(value) else None)


_Dumper.add_representer(str, _text)


def _plain(document: FileDocument) -> dict[str, Any]:
    metadata = {"name": document.name, "owner": document.owner}
    if document.host is not None:
        metadata["host"] = document.host
    return {
        "apiVersion": API_VERSION,
        "kind": document.kind,
        "metadata": metadata,
        "spec": dict(document.spec),
    }


def _write_one(folder: Path, document: FileDocument) -> Path:
    name = document.name if len(document.name) <= 200 else tag(document.name)
    for part in (document.owner, document.kind, name):
        if not part or part.startswith(".") or "/" in part or "\0" in part:
            raise ValueError(f"{part!r} is no name for a file")
    place = folder / document.owner / document.kind.lower() / f"{name}.yaml"
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = place.with_name(f".{secrets.token_hex(8)}.draft")
    draft.write_text(dump_documents([document]), "utf-8")
    draft.replace(place)
    return place
