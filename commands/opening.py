"""The database of this machine, for commands that go to it and not to the API."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from commands.console import Failed
from state.database import Database
from state.errors import GhostError
from state.settings import settings


@contextmanager
def opened() -> Iterator[Database]:
    """The database, if it is there, answers and is of this version. Raises Failed, also for errors of ours inside."""
    database = connected()
    try:
        if database.is_behind():
            raise Failed("the database is not that of this version: run `ghostcp migrate`")
        yield database
    except GhostError as error:
        raise Failed(error.message) from None
    except SQLAlchemyError as error:
        raise Failed(f"the database does not answer ({type(error).__name__}): see `ghostcp check`") from None
    finally:
        database.close()


def connected() -> Database:
    """The database, which may not answer. Raises Failed when there is none."""
    url = settings().database
    path = sqlite_file(url)
    if path and not path.exists():
        raise Failed(
            f"there is no database {path}: run `ghostcp migrate`, or set GHOSTCP_VAR to where there is one"
        )
    try:
        return Database(url)
    except (ArgumentError, SQLAlchemyError, ImportError, OSError) as error:
        raise Failed(
            f"it is no database that can be used ({type(error).__name__}): see `ghostcp check`"
        ) from None


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for any other."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database and parsed.database != ":memory:"
    return Path(str(parsed.database)) if is_file else None
