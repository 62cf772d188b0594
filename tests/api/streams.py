"""Real connections to a real server: streams of events as clients see them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import uvicorn

from api.app import create_app
from tests.api.conftest import BASE, World
from tests.reconciler.webhooks.offices import until


@dataclass
class Stream:
    """What came of a stream so far; `over` when the server ended it."""

    events: list[tuple[int, str, Any]] = field(default_factory=list)
    beats: int = 0
    status: int = 0
    over: bool = False

    @property
    def numbers(self) -> list[int]:
        """The `number` of each event's data, as `World.happen` gave it."""
        return [data["data"]["number"] for _, _, data in self.events]

    def take(self, block: list[str]) -> None:
        fields = dict(line.split(": ", 1) for line in block if not line.startswith(":"))
        if "data" in fields:
            self.events.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
        self.beats += block == [":"]


@contextmanager
def serving(world: World) -> Iterator[str]:
    """The world's API on a port of this machine."""
    stopping = threading.Event()
    config = uvicorn.Config(
        create_app(world.database, world.settings, stopping), port=0, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        stopping.set()
        server.should_exit = True
        thread.join()


@contextmanager
def following(
    world: World, url: str, who: str, query: str = "", after: int | None = None
) -> Iterator[Stream]:
    """A stream that is read in the background until the end of the block."""
    stream, opened = Stream(), threading.Event()
    headers = {"Authorization": f"Bearer {world.token(who)}"}
    if after is not None:
        headers["Last-Event-ID"] = str(after)
    client = httpx.Client(trust_env=False, timeout=60)

    def read() -> None:
        block: list[str] = []
        try:
            with client.stream("GET", f"{url}{BASE}/events{query}", headers=headers) as answer:
                stream.status = answer.status_code
                for line in answer.iter_lines():
                    if line:
                        block.append(line)
                        continue
                    stream.take(block)
                    block = []
                    opened.set()
            stream.over = True
        except httpx.HTTPError:
            stream.over = True
        finally:
            opened.set()

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    assert opened.wait(20)
    try:
        yield stream
    finally:
        client.close()
