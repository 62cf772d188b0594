"""The API as a process: it listens, and when told to stop it lets what is under way come to its end."""

import resource
import signal
import sys
from threading import Event
from types import FrameType

import uvicorn

from api.app import create_app
from state.database import Database
from state.settings import Settings


class Server(uvicorn.Server):
    """Tells the application as soon as it shall stop, so that held answers and streams end at once."""

    def __init__(self, config: uvicorn.Config, stopping: Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)


def serve(database: Database, settings: Settings, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT, which end the process with status 0."""
    stopping = Event()
    config = uvicorn.Config(
        create_app(database, settings, stopping),
        host=host,
        port=port,
        proxy_headers=False,
        server_header=False,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=settings.stop_seconds,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    _allow_descriptors()
    Server(config, stopping).run()


def _end(_number: int, _frame: FrameType | None) -> None:
    """uvicorn raises a signal that it has obeyed once more."""
    sys.exit()


def _allow_descriptors() -> None:
    """As many connections as the system lets us have: each stream of events is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
