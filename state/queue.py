"""The doorbell: tells workers that a target wants a look. Lost, late and doubled rings are harmless."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

import structlog

from state.settings import Settings

WAKE_TASK = "ghostcp.wake"
_log = structlog.get_logger()


def ring(settings: Settings, target: str) -> None:
    """Wakes the workers for `target`: here by a datagram, elsewhere by the broker if there is one."""
    ring_here(settings.doorbell, target)
    if settings.broker_url:
        _ring_broker(settings.broker_url, target)


def ring_here(doorbell: Path, target: str) -> None:
    """A datagram to the worker on this machine; nobody there is no fault, its poll will find the work."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        with suppress(OSError):
            sock.sendto(target.encode(), str(doorbell))


@cache
def celery_app(broker_url: str):  # type: ignore[no-untyped-def]
    """The Celery application of doors and verbs; it keeps no results."""
    from celery import Celery  # noqa: PLC0415 - slow to import, needed with a broker only

    app = Celery("ghostcp", broker=broker_url)
    app.conf.update(
        task_ignore_result=True,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 2, "socket_connect_timeout": 2, "max_retries": 0},
        worker_prefetch_multiplier=1,
    )
    return app


_ringing: set[str] = set()
_ringer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="broker")


def _ring_broker(broker_url: str, target: str) -> None:
    """Rings in the background: a write never waits for a broker, and rings for one target are not piled up."""
    if target not in _ringing:
        _ringing.add(target)
        _ringer.submit(_send, broker_url, target)


def _send(broker_url: str, target: str) -> None:
    _ringing.discard(target)
    try:
        celery_app(broker_url).send_task(
            WAKE_TASK, args=[target], expires=60, retry=False, ignore_result=True
        )
    except Exception as error:
        _log.warning("broker not reached, the poll will find the work", error=type(error).__name__)
