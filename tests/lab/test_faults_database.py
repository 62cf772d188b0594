"""A database that goes away and comes back, and clocks that go backwards."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from inventories import lab
from state.tables import documents, jobs
from tests.lab.control import Control, control_plane, drop_in, until

pytestmark = pytest.mark.lab


class PostgreSQL:
    """A server of its own in a folder, reached by TCP on this machine."""

    def __init__(self, folder: Path) -> None:
        self._bin = max(Path("/usr/lib/postgresql").glob("*/bin"))
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._run("initdb", "-A", "trust", "-U", "ghostcp", "--no-sync")
        self.start()
        self.url = f"postgresql+psycopg://ghostcp@127.0.0.1:{self._port}/postgres"

    def _run(self, program: str, *arguments: str) -> None:
        argv = [str(self._bin / program), "-D", str(self._folder / "data"), *arguments]
        user = "postgres"
        subprocess.run(
            argv, check=True, user=user, group=user, extra_groups=[], cwd="/", stdout=subprocess.DEVNULL
        )

    def start(self) -> None:
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def stop(self, mode: str) -> None:
        self._run("pg_ctl", "-w", "-m", mode, "stop")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    if not list(Path("/usr/lib/postgresql").glob("*/bin")):
        pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path("/run/ghostcp-test-postgresql")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shutil.chown(folder, "postgres", "postgres")
    postgresql = PostgreSQL(folder)
    yield postgresql
    postgresql.stop("immediate")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def control(
    own_lab_host: lab.LabHost, server: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Control]:
    folder = tmp_path_factory.mktemp("control")
    with control_plane(own_lab_host, folder, url=server.url, database_url=server.url) as plane:
        plane.ready(plane.tenant("ann"))
        yield plane


def test_a_database_that_restarts_in_the_middle_of_a_run_loses_nothing(
    control: Control, server: PostgreSQL
) -> None:
    with drop_in(control, "php8.4-fpm", "ExecReload=/bin/sleep 3"):
        site = control.site("one.test", "ann", backend_template="PHP-8.4")
        live = "test -e /etc/ghostcp/live/nginx/one.test.conf && echo live"
        until("it is being applied", lambda: control.run("sh", "-c", live, check=False))
        server.stop("immediate")
        over = "flock -n /run/ghostcp/apply.lock true && echo over"
        until("the play is over", lambda: control.run("sh", "-c", over, check=False))
        server.start()
    other = control.site("two.test", "ann")
    control.ready(site, other)
    assert control.fetch("two.test")[0] == 200
    assert {job.status for job in control.jobs()} <= {"completed", "failed"}


def test_a_clock_that_was_ahead_holds_nothing_up(control: Control) -> None:
    later = datetime.now(UTC) + timedelta(days=400)
    control.stop()
    ahead = control.site("ahead.test", "ann")
    with control.database.writing() as connection:
        connection.execute(update(documents).values(updated_at=later, created_at=later))
        connection.execute(update(jobs).values(created_at=later, started_at=later, completed_at=later))
    control.start()
    control.ready(ahead, control.site("now.test", "ann"))
    with drop_in(control, "php8.4-fpm", "ExecReload=\nExecReload=/bin/false"):
        failing = control.site("retried.test", "ann", backend_template="PHP-8.4")
        control.says(failing, "ApplyFailed")
    control.ready(failing)
