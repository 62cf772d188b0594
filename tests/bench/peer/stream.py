"""The peer of the event streams: Starlette alone, which tells everybody who is there what is posted to it."""

import asyncio
import sys
from collections.abc import AsyncIterator

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

_listeners: set[asyncio.Queue[bytes]] = set()


async def _follow(_: Request) -> Response:
    return StreamingResponse(_frames(), media_type="text/event-stream")


async def _frames() -> AsyncIterator[bytes]:
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    _listeners.add(queue)
    try:
        yield b"retry: 3000\n\n"
        while True:
            yield await queue.get()
    finally:
        _listeners.discard(queue)


async def _tell(request: Request) -> Response:
    frame = b"data: " + await request.body() + b"\n\n"
    for queue in _listeners:
        queue.put_nowait(frame)
    return Response()


if __name__ == "__main__":
    app = Starlette(routes=[Route("/events", _follow), Route("/tell", _tell, methods=["POST"])])
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
