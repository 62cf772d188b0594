"""A populated world of its own behind a real server, and a stub of a worker beside it."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from state.loops import PASS, PLANS, SWEEP, Loop, record
from tests.api.conftest import World, working
from tests.api.streams import serving
from tests.conftest import Files


@dataclass(frozen=True, slots=True)
class Served:
    """Where the API is, and what is behind it."""

    url: str
    world: World
    stage: Files

    def reset(self) -> None:
        """Brings the world back to what it was at first; nobody may be asking meanwhile."""
        with self.world.database._writer:
            self.stage.reset("populated")


@contextmanager
def world_served(folder: Path, loop: asyncio.AbstractEventLoop) -> Iterator[Served]:
    """The API on a port of this machine, for a while."""
    folder.mkdir()
    stage = Files(folder)
    world = World(stage.database, folder / "var", loop)
    world.populate()
    world.lift_limits()
    heard = datetime.now(UTC) + timedelta(hours=1)
    with world.database.writing() as connection:
        record(connection, [Loop(PASS, "web1", heard), Loop(SWEEP, "web1", heard), Loop(PLANS, "", heard)])
    stage.keep("populated")
    try:
        with serving(world) as url, working(world.database):
            yield Served(url, world, stage)
    finally:
        world.database.close()
