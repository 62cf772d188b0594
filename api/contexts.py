"""What a document is compiled from, for doors that have to judge what would be served; as a worker has it."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Connection

from state.compiling import Context, Facts, Plane
from state.document import Document
from state.errors import NotFound
from state.reading import related
from state.settings import Settings
from state.targets import get_target, hosts_facts
from state.templates import TemplateSet, load_templates, stamp
from state.zones.providers import name_of


def context_of(
    connection: Connection, settings: Settings, document: Document, parts: Sequence[Document]
) -> Context:
    """The context of a document and these parts. Raises Temporary when the templates cannot be read."""
    try:
        facts = get_target(connection, document.target).facts
    except NotFound:
        facts = Facts()
    folders = settings.template_folders
    plane = Plane(hosts=hosts_facts(connection) if name_of(document.target) else {})
    return Context(
        document, facts, _templates(folders, stamp(folders)), related(connection), plane, tuple(parts)
    )


@lru_cache(2)
def _templates(folders: tuple[Path, ...], _stamp: int) -> TemplateSet:
    """The templates, read again when one of them is another one."""
    return load_templates(folders)
