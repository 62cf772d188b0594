"""Folders of documents: whether they are right, and what is stored as one."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from commands.client import Client, Values
from commands.console import Failed, err, out, plain
from commands.login import connect
from commands.zones import export_zone
from state.document import Document, Ref
from state.errors import Unreadable
from state.files.folder import Faulty, FileDocument, dump_documents, load, read, write
from state.kinds import KINDS
from state.names import ADMINISTRATOR
from state.validation import dump

Where = Annotated[Path, typer.Argument(help="a folder of YAML files, or one file", metavar="DIR")]

_NUMBER = re.compile(r"(?<=^  )documents\.(\d+)[.:]\s?")


def validate(folder: Where) -> None:
    """Check a folder of documents, offline: every fault of every file, with its line."""
    try:
        found = read(folder)
    except Unreadable as error:
        raise Failed(error.message) from None
    for warning in found.warnings:
        err.print(f"warning: {warning}", markup=False)
    for fault in found.faults:
        plain(str(fault))
    if found.faults:
        raise Failed(f"{len(found.faults)} faults")
    plain(f"{len(found.documents)} documents are right.")


def given(folder: Path) -> tuple[FileDocument, ...]:
    """The documents of a folder. Raises Failed with every fault."""
    try:
        return load(folder)
    except Faulty as error:
        raise Failed(*map(str, error.faults), f"{len(error.faults)} faults: nothing was sent") from None
    except Unreadable as error:
        raise Failed(error.message) from None


def posted(documents: Sequence[FileDocument]) -> list[Values]:
    """The documents as the API takes them."""
    return [_posted(document) for document in documents]


@contextmanager
def naming(documents: Sequence[FileDocument]) -> Iterator[None]:
    """Failures name the file and line of a document, where the API names its number."""

    def place(match: re.Match[str]) -> str:
        document = documents[int(match[1])]
        return f"{document.file}:{document.line}: "

    try:
        yield
    except Failed as failure:
        raise Failed(*(_NUMBER.sub(place, line) for line in failure.lines), status=failure.status) from None


def export(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="a new folder; none: standard output")
    ] = None,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="after the word zone: a zone, as a zone file")
    ] = None,
    *,
    replace: Annotated[
        bool, typer.Option("--replace", help="write over what DIR holds, and remove its other YAML files")
    ] = False,
) -> None:
    """Write what is stored as YAML, which `plan` and `apply` take back unchanged.

    `export zone NAME` writes a zone as a zone file to standard output, which `import zone NAME` takes back.
    """
    if name is not None:
        if str(folder) != "zone":
            raise Failed(f"what is {name!r}? A zone is written by: ghostcp export zone {name}")
        export_zone(name)
        return
    with connect() as client:
        documents = stored(client)
    if folder is None:
        out.print(dump_documents(documents), markup=False, emoji=False, end="")
        return
    old = {path for path in folder.rglob("*") if path.suffix.lower() in {".yaml", ".yml"}}
    if old and not replace:
        raise Failed(f"{folder} holds YAML files already: name a new folder, or say --replace")
    try:
        written = write(folder, documents)
    except (OSError, ValueError) as error:
        raise Failed(f"{folder} could not be written: {error}") from None
    for path in old - set(written):
        path.unlink()
    err.print(f"{len(written)} documents are in {folder}.", markup=False)
    for line in _left_out(documents):
        err.print(line, markup=False)


def stored(client: Client) -> list[FileDocument]:
    """All documents that are stored, but for those of the system itself, whose names cannot be chosen, and those that
    come with others."""
    found = [_document(values) for values in client.all("documents") if _choosable(values)]
    return sorted(without_companions(found), key=lambda each: (KINDS[each.kind].rank, each.owner, each.name))


def _left_out(documents: Sequence[FileDocument]) -> Iterator[str]:
    """What is no part of a document, and is to be given again where there is none yet."""
    own = [
        each.name for each in documents if each.kind == "Certificate" and not each.spec.get("acme_provider")
    ]
    if own:
        yield (
            f"Certificates of one's own are written without certificate and private_key: {', '.join(own)}. Where "
            "they are not stored already, give both to /api/v1/ssl."
        )


def without_companions(documents: Sequence[FileDocument]) -> list[FileDocument]:
    """The documents without those that come with others of them, and say nothing that these do not say."""
    coming = dict(pair for each in documents for pair in _coming_with(each))
    return [each for each in documents if coming.get(each.ref) != (each.owner, each.spec)]


def _coming_with(document: FileDocument) -> Iterator[tuple[Ref, tuple[str, Values]]]:
    """What comes with a document: whose it is, and its spec."""
    kind = KINDS[document.kind]
    whole = Document(
        "", kind.name, document.name, document.owner, "", kind.schema.stored(dict(document.spec))
    )
    for ref, values in kind.companions(whole).items():
        yield ref, (document.owner, dump(KINDS[ref.kind].schema.stored(dict(values))))


def _choosable(values: Values) -> bool:
    kind = KINDS.get(values["kind"])
    try:
        return kind is not None and bool(kind.check_name(values["metadata"]["name"]))
    except ValueError:
        return False


def _document(values: Values) -> FileDocument:
    metadata: dict[str, Any] = values["metadata"]
    owner, host = metadata.get("owner") or ADMINISTRATOR, metadata.get("host") or None
    return FileDocument(values["kind"], metadata["name"], owner, values["spec"], host)


def _posted(document: FileDocument) -> Values:
    metadata = {"name": document.name}
    if KINDS[document.kind].placed:
        metadata["owner"] = document.owner
    if document.host is not None:
        metadata["host"] = document.host
    spec: Values = json.loads(json.dumps(dict(document.spec)))
    inside = {"inside": True} if document.inside else {}
    return {"kind": document.kind, "metadata": metadata, "spec": spec, **inside}
