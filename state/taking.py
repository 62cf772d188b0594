"""Taking names: from certificates of others too, which were never shown to be theirs."""

from sqlalchemy import Connection

from state.claims import claim, ended
from state.document import Document
from state.kind import Kind
from state.reading import by_uid
from state.recording import touch_dependents
from state.tombstones import bury

_ACTOR = "system"


def take_names(connection: Connection, document: Document, kind: Kind) -> None:
    """Takes the names that a document is to have; certificates of others for these go. Raises Conflict."""
    wanted = kind.claims(document)
    claim(connection, document, wanted)
    for each in by_uid(connection, ended(connection, document, wanted)):
        bury(connection, each, _ACTOR, confirmed=True)
        touch_dependents(connection, each)
