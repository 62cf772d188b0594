"""The request that is being served: its id goes into logs, documents and jobs, so that one finds all it caused."""

from structlog.contextvars import get_contextvars


def current_request() -> str:
    """The id of the request that this thread works for; empty outside of one."""
    return str(get_contextvars().get("request_id", ""))
