"""A connection to the database: short transactions, one commit at the edge, the same on SQLite and PostgreSQL."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from state.stored_json import read_json

_T = TypeVar("_T")
CONNECT_SECONDS = 10
_ENDS = "ghostcp-at-end"
_MIGRATIONS = Path(__file__).resolve().parent / "migrations"


class Database:
    """`reading()` and `writing()` give a connection inside a transaction; `writing` commits at its end."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed.render_as_string(hide_password=False)
        self.sqlite = parsed.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.sqlite else _postgresql(self.url)
        # SQLite has one writer, and who waits for it looks again after ever longer sleeps: threads queue here instead.
        self._writer: AbstractContextManager[object] = threading.Lock() if self.sqlite else nullcontext()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def asking(self) -> Iterator[Connection]:
        """For a single query, which needs no transaction around it."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self._writer, self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.info[_ENDS] = {}
            try:
                yield connection
                for work, given in connection.info[_ENDS].values():
                    work(connection, given)
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    @contextmanager
    def rehearsing(self) -> Iterator[Connection]:
        """Like `writing`, but nothing is kept: to see what a write would do."""
        with self._writer, self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.info[_ENDS] = {}
            try:
                yield connection
            finally:
                connection.rollback()

    def migrate(self, revision: str = "head") -> None:
        """Brings the schema to `revision` (Alembic), upwards or downwards."""
        from alembic import command  # noqa: PLC0415 - slow to import, seldom needed
        from alembic.config import Config  # noqa: PLC0415

        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        config.attributes["database"] = self
        downwards = revision == "base" or revision.startswith("-")
        (command.downgrade if downwards else command.upgrade)(config, revision)

    def is_behind(self) -> bool:
        """Whether the schema is another than that of this program."""
        from alembic.migration import MigrationContext  # noqa: PLC0415 - slow to import, seldom needed
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        with self.reading() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        return current != ScriptDirectory(str(_MIGRATIONS)).get_current_head()

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """What is written inside, in a `writing` transaction, is undone and never told of: to see what it would do."""
    ends, connection.info[_ENDS] = connection.info[_ENDS], {}
    savepoint = connection.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        connection.info[_ENDS] = ends


def at_end(
    connection: Connection, name: str, work: Callable[[Connection, _T], None], start: Callable[[], _T]
) -> _T:
    """What `work` is given, with the connection, last in a `writing` transaction; `start()` at first.

    Work that makes others wait until the commit is done here, so that they wait shortly and never for each other.
    """
    ends = connection.info[_ENDS]
    if name not in ends:
        ends[name] = (work, start())
    given: _T = ends[name][1]
    return given


def _sqlite(url: str) -> Engine:
    """SQLite gives its journal files the mode of the database, which holds what only we may read."""
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).touch(mode=0o600)
        Path(path).chmod(0o600)
    engine = create_engine(
        url,
        hide_parameters=True,
        pool_use_lifo=True,  # who used a connection last has read the pages that the next one needs
        connect_args={"timeout": 30, "check_same_thread": False, "factory": _Connection},
        json_deserializer=read_json,
    )

    @event.listens_for(engine, "connect")
    def _configure(dbapi: Any, _record: object) -> None:
        dbapi.isolation_level = None
        cursor = dbapi.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


class _Connection(sqlite3.Connection):
    """SQLite's, which reads what is no text."""

    def cursor(self, *_: Any) -> Any:
        return super().cursor(_Cursor)


class _Cursor(sqlite3.Cursor):
    """Reads once more what has text in it that is none (no UTF-8), with U+FFFD in its place.

    Somebody wrote it by hand, or SQLite took half of a character out of JSON. To read all like this from the start
    would cost a call for each text.
    """

    _asked: tuple[Any, ...] = ("",)
    _seen = 0

    def execute(self, *asked: Any) -> "_Cursor":
        self._asked, self._seen = asked, 0
        return super().execute(*asked)

    def fetchall(self) -> list[Any]:
        rows: list[Any] = self._read(super().fetchall)
        return rows

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        rows: list[Any] = self._read(super().fetchmany, 1 if size is None else size)
        self._seen += len(rows)
        return rows

    def fetchone(self) -> Any:
        row = self._read(super().fetchone)
        self._seen += 1
        return row

    def _read(self, fetch: Callable[..., Any], *how_many: int) -> Any:
        try:
            return fetch(*how_many)
        except sqlite3.OperationalError as error:
            if "decode" not in str(error) or not self._asked[0].lstrip().startswith(("SELECT", "WITH")):
                raise
        connection = self.connection
        connection.text_factory = lambda data: data.decode(errors="replace")
        try:
            super().execute(*self._asked)
            for _ in range(self._seen):
                super().fetchone()
            return fetch(*how_many)
        finally:
            connection.text_factory = str


def _postgresql(url: str) -> Engine:
    return create_engine(
        url,
        hide_parameters=True,
        json_deserializer=read_json,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
