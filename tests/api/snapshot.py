"""All that a database holds, to compare it with what it holds later."""

from typing import Any

from sqlalchemy import select

from state.database import Database
from state.tables import metadata

VISITS = frozenset({("api_tokens", "last_used_at"), ("api_tokens", "last_used_address")})
Contents = dict[str, list[tuple[Any, ...]]]


def contents(database: Database) -> Contents:
    """Every row of every table, but for when a token was last shown."""
    found: Contents = {}
    with database.reading() as connection:
        for table in metadata.sorted_tables:
            columns = [each for each in table.columns if (table.name, each.name) not in VISITS]
            rows = connection.execute(select(*columns)).all()
            found[table.name] = sorted((tuple(map(repr, row)) for row in rows), key=str)
    return found


def changed(before: Contents, after: Contents) -> set[str]:
    """The tables that differ."""
    return {name for name in after if before[name] != after[name]}
