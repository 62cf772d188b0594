"""Running the parts: the API, a worker, the schema, the administrator."""

from commands.administrator import ensure_administrator, password_file
from commands.console import Failed, plain
from commands.opening import connected, opened
from commands.signals import told_to_stop
from state.database import Database
from state.errors import GhostError
from state.journal.audit import begin
from state.logs import configure
from state.settings import Settings, settings


def api() -> None:
    """Serve the REST API at GHOSTCP_LISTEN (default 127.0.0.1:8080)."""
    from api.server import serve  # noqa: PLC0415 - slow to import

    host, port = listen(settings())
    database = connected()
    configure(settings().log)
    try:
        serve(database, settings(), host, port)
    finally:
        database.close()


def worker() -> None:
    """Make documents true on the hosts of GHOSTCP_INVENTORY, until stopped."""
    from reconciler.worker import run_worker  # noqa: PLC0415 - slow to import

    database = connected()
    configure(settings().log)
    stop = told_to_stop()
    try:
        run_worker(settings(), database, stop)
    except GhostError as error:
        raise Failed(error.message) from None
    finally:
        database.close()


def migrate() -> None:
    """Bring the database's schema up to date."""
    settings().var.mkdir(parents=True, exist_ok=True)
    database = Database(settings().database)
    try:
        database.migrate()
        begin(database, settings().var)
    finally:
        database.close()
    plain("The database is up to date.")


def admin() -> None:
    """Create the administrator and the package `default`; say where the password is.

    GHOSTCP_ADMIN_PASSWORD sets it, now or later.
    """
    with opened() as database:
        _, new = ensure_administrator(database, settings().var)
    plain(f"A new password is in {password_file(settings().var)}." if new else "The administrator is there.")


def listen(of: Settings) -> tuple[str, int]:
    """Address and port of the API. Raises Failed."""
    host, _, port = of.listen.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise Failed(f"GHOSTCP_LISTEN is {of.listen!r}; it looks like 127.0.0.1:8080 or [::1]:8080")
    return host.strip("[]"), int(port)
