"""Real databases for tests: SQLite files, and servers (PostgreSQL, Redis) that the session starts and stops.

Both are kept in memory where there is a place for that. A stage has one database at a time, which is brought back to
a template before each test, so that compiled statements outlive a test and its rows do not.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest
import redis
from sqlalchemy import create_engine
from xdist.scheduler import LoadScopeScheduling

from state.database import Database

_SERVERS = Path("/usr/lib/postgresql")
_MEMORY = Path("/dev/shm")
_ON_HOSTS = "tests/lab/"


class Shares(LoadScopeScheduling):
    """Of several processes one takes all tests on hosts, in their order, and each other file is one process's."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "hosts" if file.startswith(_ON_HOSTS) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Shares:
    return Shares(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first."""
    items.sort(key=lambda item: not item.nodeid.startswith(_ON_HOSTS))


class Stage(Protocol):
    """A database, and templates to bring it back to; `migrated` is always there."""

    database: Database
    templates: set[str]

    def reset(self, template: str) -> None: ...

    def keep(self, template: str) -> None: ...


class Files:
    """SQLite."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.templates: set[str] = set()
        self.database = Database(f"sqlite:///{folder}/live.db")
        self.database.migrate()
        self.keep("migrated")

    def reset(self, template: str) -> None:
        self.database.close()
        for path in self._folder.glob("live.db*"):
            path.unlink()
        shutil.copy(self._folder / f"{template}.db", self._folder / "live.db")

    def keep(self, template: str) -> None:
        self.database.close()
        shutil.copy(self._folder / "live.db", self._folder / f"{template}.db")
        self.templates.add(template)


class Postgres:
    """A PostgreSQL server of our own, reached by a Unix socket only."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        self._run(
            "initdb", "-D", self._data, "-U", "ghostcp", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"
        )
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        self._run("pg_ctl", "start", "-w", "-D", self._data, "-l", f"{folder}/log", "-o", options)
        self._server = create_engine(self._url("postgres"), isolation_level="AUTOCOMMIT")
        self._execute("CREATE DATABASE live")
        self.templates: set[str] = set()
        self.database = Database(self._url("live"))
        self.database.migrate()
        self.keep("migrated")

    def reset(self, template: str) -> None:
        self.database.close()
        self._execute("DROP DATABASE live WITH (FORCE)")
        self._execute(f"CREATE DATABASE live TEMPLATE {template}")

    def keep(self, template: str) -> None:
        self.database.close()
        self._execute(f"CREATE DATABASE {template} TEMPLATE live")
        self.templates.add(template)

    def stop(self) -> None:
        self.database.close()
        self._server.dispose()
        self._run("pg_ctl", "stop", "-w", "-m", "immediate", "-D", self._data)

    @property
    def _data(self) -> str:
        return f"{self._folder}/data"

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://ghostcp@/{name}?host={self._folder}"

    def _execute(self, statement: str) -> None:
        with self._server.connect() as connection:
            connection.exec_driver_sql(statement)

    def _run(self, program: str, *arguments: str) -> None:
        account = pwd.getpwnam("postgres").pw_uid if os.geteuid() == 0 else None
        command = [str(self._programs / program), *arguments]
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                command, user=account, cwd="/", stdout=output, stderr=subprocess.STDOUT, check=False
            )
            output.seek(0)
            assert done.returncode == 0, output.read().decode()


class Redis:
    """A Redis server of our own, reached by a Unix socket only, which keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"unix://{folder}/redis.sock"
        self.start()

    def start(self) -> None:
        options = {
            "port": "0",
            "unixsocket": f"{self._folder}/redis.sock",
            "dir": str(self._folder),
            "save": "",
        }
        command = [
            "redis-server",
            *(part for name, value in options.items() for part in (f"--{name}", value)),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        self.client = redis.from_url(self.url)
        while self._process.poll() is None:
            try:
                self.client.ping()
            except redis.ConnectionError:
                time.sleep(0.01)
            else:
                return
        pytest.fail("redis-server does not start")

    def stop(self) -> None:
        self.client.close()
        self._process.terminate()
        self._process.wait()


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """In memory, if the machine has a place for that."""
    with tempfile.TemporaryDirectory(prefix="ghostcp-", dir=_MEMORY if _MEMORY.is_dir() else None) as made:
        Path(made).chmod(0o755)
        yield Path(made)


@pytest.fixture(scope="session")
def sqlite_stage(folder: Path) -> Iterator[Stage]:
    (folder / "sqlite").mkdir()
    stage = Files(folder / "sqlite")
    yield stage
    stage.database.close()


@pytest.fixture(scope="session")
def postgresql_stage(folder: Path) -> Iterator[Stage]:
    found = sorted(_SERVERS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.fail("these tests need a PostgreSQL server: apt-get install postgresql")
    (folder / "pg").mkdir()
    stage = Postgres(found[-1].parent, folder / "pg")
    yield stage
    stage.stop()


@pytest.fixture(scope="session")
def redis_server(folder: Path) -> Iterator[Redis]:
    if shutil.which("redis-server") is None:
        pytest.fail("these tests need a Redis server: apt-get install redis-server")
    (folder / "redis").mkdir()
    server = Redis(folder / "redis")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def stage(request: pytest.FixtureRequest) -> Stage:
    """Each sort of database."""
    made: Stage = request.getfixturevalue(f"{request.param}_stage")
    return made


@pytest.fixture
def database(stage: Stage) -> Database:
    """An empty migrated database, once of each sort."""
    stage.reset("migrated")
    return stage.database


@pytest.fixture
def sqlite(sqlite_stage: Stage) -> Database:
    """An empty migrated SQLite database."""
    sqlite_stage.reset("migrated")
    return sqlite_stage.database
