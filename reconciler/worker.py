"""The worker: keeps every target reconciled, sweeps it now and then, and answers plans, until told to stop."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import structlog
from sqlalchemy.exc import SQLAlchemyError

from reconciler import ansible
from reconciler.dry_run import answer_plan
from reconciler.garbage import collect_seldom
from reconciler.hands import Hands
from reconciler.inventory import read_inventory
from reconciler.providers.hand import Hand
from reconciler.providers.tending import Tending
from reconciler.pulse import Pulse
from reconciler.survey import World
from reconciler.tasks import broker_listener
from reconciler.tender import POLL_SECONDS, Tender
from reconciler.webhooks.courier import deliver
from state.certificates.account import account_key
from state.database import Database
from state.errors import GhostError, Temporary
from state.loops import PLANS
from state.plans import requeue, take_plan
from state.settings import Settings
from state.targets import list_hosts
from state.templates import load_templates
from state.zones.secondaries import assign

_log = structlog.get_logger()


def run_worker(settings: Settings, database: Database, stop: threading.Event) -> None:
    """Works until `stop` is set. Raises GhostError when the inventory cannot be read."""
    if settings.inventory is None:
        raise Temporary(
            "no inventory: set GHOSTCP_INVENTORY to an Ansible inventory with a group ghostcp_hosts"
        )
    collect_seldom()
    inventory = read_inventory(settings.inventory)
    hosts = inventory.addresses
    with database.writing() as connection:
        list_hosts(connection, hosts)
        assign(connection, inventory.servers)
        account_key(connection, settings.var)
    with ansible.runner(settings.inventory) as run, broker_listener(settings):
        hands = Hands(run, Hand(database, settings))
        world = World(database, settings, hands, lambda: load_templates(settings.template_folders))
        pulse = Pulse()
        tenders = {name: Tender(world, name, stop, pulse) for name in hosts}
        loops: list[Callable[[], None]] = [t.passes for t in tenders.values()]
        loops += [t.sweeps for t in tenders.values()]
        loops += [t.jobs for t in tenders.values()]
        loops += [t.certificates for t in tenders.values()]
        loops += [t.lookouts for t in tenders.values()]
        loops += [
            lambda: _answers(world, stop, bell, pulse),
            lambda: pulse.keep(database, stop),
            lambda: _listen(settings.doorbell, tenders, bell, stop),
            lambda: deliver(settings, database, stop, pulse=pulse),
            Tending(world, stop, pulse, tenders, _guarded).loop,
        ]
        bell = threading.Event()
        threads = [threading.Thread(target=_guarded(loop, stop), daemon=True) for loop in loops]
        for thread in threads:
            thread.start()
        stop.wait()
        bell.set()
        for tender in list(tenders.values()):
            tender.ring()
        _finish(threads, settings.stop_seconds)


def _finish(threads: Sequence[threading.Thread], seconds: float) -> None:
    """Waits for what is under way. What takes longer is abandoned: its lease is taken over, its host observed again."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    late = sum(thread.is_alive() for thread in threads)
    if late:
        _log.warning("stopped with work under way: the next worker looks again", loops=late)


def _answers(world: World, stop: threading.Event, bell: threading.Event, pulse: Pulse) -> None:
    """Answers plans, oldest first, beginning with those that an earlier worker may have left half answered."""
    with world.database.writing() as connection:
        requeue(connection)
    while not stop.is_set():
        bell.clear()
        with pulse.turn(PLANS) as turn:
            turn.idle = not _answer_next(world)
        if turn.idle:
            bell.wait(POLL_SECONDS)


def _answer_next(world: World) -> bool:
    """Answers the oldest plan that waits; whether there was one."""
    with world.database.reading() as connection:
        waiting = connection.exec_driver_sql("SELECT 1 FROM plans WHERE status = 'pending' LIMIT 1").first()
    if not waiting:
        return False
    with world.database.writing() as connection:
        plan = take_plan(connection)
    if plan is None:
        return False
    answer_plan(world, plan)
    return True


def _listen(path: Path, tenders: dict[str, Tender], bell: threading.Event, stop: threading.Event) -> None:
    """Hears the doorbell: a datagram with a target's name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        path.chmod(0o600)
        sock.settimeout(POLL_SECONDS)
        while not stop.is_set():
            with suppress(TimeoutError):
                name = sock.recv(512).decode(errors="replace")
                for tender in _called(tenders, name):
                    tender.ring()
                bell.set()
    with suppress(FileNotFoundError):
        path.unlink()


def _called(tenders: dict[str, Tender], name: str) -> Iterable[Tender]:
    return [tenders[name]] if name in tenders else list(tenders.values())


def _guarded(loop: Callable[[], None], stop: threading.Event) -> Callable[[], None]:
    """`loop`, begun again when the database fails it or something unforeseen happens, until told to stop."""

    def go_on() -> None:
        while not stop.is_set():
            try:
                loop()
            except (SQLAlchemyError, GhostError, OSError) as error:
                _log.warning("begins again", error=f"{type(error).__name__}: {error}")
            except Exception:
                _log.exception("begins again after a fault of ours")
            stop.wait(POLL_SECONDS)

    return go_on
