"""The broker's side of the doorbell: a Celery task that does nothing but ring here.

Messages lost, late or doubled are harmless: what is to be done is read from the database, and a poll reads it too.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from state.logs import configure
from state.queue import WAKE_TASK, celery_app, ring_here
from state.settings import Settings, settings


@contextmanager
def broker_listener(chosen: Settings) -> Iterator[None]:
    """While it lasts, a Celery worker process passes the broker's rings on; nothing without a broker."""
    if not chosen.broker_url:
        yield
        return
    environment = {
        "GHOSTCP_BROKER_URL": chosen.broker_url,
        "GHOSTCP_VAR": str(chosen.var.resolve()),
        "GHOSTCP_LOG": chosen.log,
    }
    path = ":".join(p for p in sys.path if p)
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler.tasks"],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": path, **environment},
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def listen() -> None:
    """Consumes rings from the broker until terminated."""
    chosen = settings()
    configure(chosen.log)
    app = celery_app(str(chosen.broker_url))

    app.conf.update(worker_hijack_root_logger=False, worker_redirect_stdouts=False)

    @app.task(name=WAKE_TASK)  # type: ignore[untyped-decorator]
    def wake(target: str) -> None:
        ring_here(chosen.doorbell, target)

    app.worker_main(
        ["--quiet", "worker", "--pool=solo", "--loglevel=warning", "--without-gossip", "--without-mingle"]
    )


if __name__ == "__main__":
    listen()
