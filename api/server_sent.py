"""Server-sent events (HTML standard, section 9.2): how they are written, resumed and answered with."""

import re
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from state.errors import Fault, Invalid

MEDIA = "text/event-stream"
BEAT = b":\n\n"
_NUMBER = re.compile(r"[0-9]{1,18}")


def frame(name: str, number: int, data: str) -> bytes:
    """One event; the data is a JSON text, so it has one line."""
    return f"event: {name}\nid: {number}\ndata: {data}\n\n".encode()


def retry(seconds: float) -> bytes:
    """Tells clients after how long to come back when the stream breaks off."""
    return f"retry: {seconds * 1000:.0f}\n\n".encode()


def last_event_id(request: Request) -> int | None:
    """After which event the stream is to go on; none when it is a new one. Raises Invalid."""
    given = request.headers.get("last-event-id")
    if given is None:
        return None
    if not _NUMBER.fullmatch(given):
        raise Invalid([Fault("Last-Event-ID", "must be the number of an event")])
    return int(given)


class EventStream(StreamingResponse):
    """An answer made of frames, which nobody on the way may keep."""

    def __init__(self, frames: AsyncIterator[bytes]) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(frames, media_type=MEDIA, headers=headers)
