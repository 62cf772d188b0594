"""Logs of everything that runs in a process: one JSON object a line, without what looks like a secret."""

import logging
import re
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Literal, TextIO

import structlog

from state.jobs import redact

Event = MutableMapping[str, Any]
_HIDDEN = re.compile(r"(?i)password|passwd|secret|token|authorization|cookie|private_key|access_key")
_CALM = ("uvicorn.access", "httpx", "httpcore", "alembic.runtime.migration")


def configure(form: Literal["json", "console"], stream: TextIO | None = None) -> None:
    """Sends the logs of this process, the libraries' too, to `stream` (standard error)."""
    out = stream or sys.stderr
    last: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        hide_secrets,
    ]
    structlog.configure(
        processors=[*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=True,
    )
    _route_libraries(shared, last, out)


def hide_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Takes out of an event what is called like a secret, and what looks like one."""
    for name, value in event.items():
        event[name] = _shown(name, value)
    return event


@lru_cache(1024)
def _is_hidden(name: str) -> bool:
    return _HIDDEN.search(name) is not None


def _shown(name: object, value: Any) -> Any:
    if value and isinstance(name, str) and _is_hidden(name):
        return "[redacted]"
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _shown(key, each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_shown("", each) for each in value]
    return value


def _route_libraries(shared: list[Any], last: Any, out: TextIO) -> None:
    """What libraries tell `logging` goes the same way."""
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    for name in _CALM:
        logging.getLogger(name).setLevel(logging.WARNING)
