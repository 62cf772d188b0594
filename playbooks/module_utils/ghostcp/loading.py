"""Having daemons load what is live, and watching that they do."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from . import daemons, services
from .host import Host
from .services import Report, Unit

RELOAD_SECONDS, SETTLE_SECONDS = 30.0, 5.0


def bring_up(host: Host, names: Sequence[str], wanted: frozenset[str]) -> dict[str, Report]:
    """Start what is wanted and does not run, reload what does not run what is live; all at the same time."""
    if not names:
        return {}
    units = services.show(host, names)
    with ThreadPoolExecutor(len(names)) as pool:
        reports = pool.map(lambda name: _bring_up(host, name, units.get(name), name in wanted), names)
        return dict(zip(names, reports, strict=True))


def load(host: Host, names: Sequence[str]) -> dict[str, Report]:
    """Have each load what is live, whatever it has loaded before, and let a failed attempt come to its end first."""
    deadline = time.monotonic() + SETTLE_SECONDS
    reports: dict[str, Report] = {}
    for name, unit in services.show(host, names).items():
        reports[name] = _load(host, name, unit, afresh=True)
        while not reports[name].ok and time.monotonic() < deadline:
            time.sleep(0.2)
            reports[name] = _load(host, name, services.show(host, [name]).get(name, unit), afresh=True)
    return reports


def _bring_up(host: Host, name: str, unit: Unit | None, wanted: bool) -> Report:
    if unit is None or not unit.loaded:
        return Report("none", not wanted, _absence(name, unit))
    if unit.active and services.current(host, name, unit):
        return Report("none", True)
    if not unit.active and not wanted:
        return Report("none", True, f"{name} does not run: it loads its configuration when it starts")
    return _load(host, name, unit)


def _absence(name: str, unit: Unit | None) -> str:
    """Why a unit that is wanted cannot be started."""
    if unit is not None and unit.masked:
        return f"{name} is masked on this host: systemctl unmask {name}"
    return f"{name} is not installed on this host: install it first"


def _load(host: Host, name: str, before: Unit, *, afresh: bool = False) -> Report:
    """Have it load what is live; `afresh` all of it, whatever it is thought to have loaded."""
    action, started = ("reload" if before.active else "start"), time.monotonic()
    daemon = daemons.of(name)
    if daemon.load is not None and before.active:
        return _load_in_part(host, name, before, daemon.load, afresh=afresh)
    if daemon.prepare is not None and not before.active:
        daemon.prepare(host, services.loaded_tree(host, name))
    witnesses, offset = daemon.witnesses(before.pid), daemons.log_size(host, daemon)
    words = daemon.reload if before.active else ("reload-or-restart",)
    status, output = host.run(["systemctl", *words, "--", f"{name}.service"], services.COMMAND_SECONDS)
    problem, after = output.strip() if status != 0 else "", before
    while not problem:
        after, news = services.show(host, [name]).get(name, before), daemons.news(host, daemon, offset)
        now = daemon.witnesses(after.pid)
        if _loaded(before, after, news.ready and bool(now) and not now & witnesses):
            break
        late = time.monotonic() > started + RELOAD_SECONDS
        if late or news.complaint or after.state in ("failed", "inactive"):
            problem = f"{name} is {after.state} and has not loaded its configuration"
        else:
            time.sleep(0.02)
    seconds = time.monotonic() - started
    if problem:
        said = daemons.news(host, daemon, offset).complaint or daemons.journal(host, name, seconds) or problem
        return Report(action, False, " ".join(said.split())[:500], seconds)
    services.note_loaded(host, name, after)
    return Report(action, True, "", seconds)


def _load_in_part(host: Host, name: str, before: Unit, load: daemons.Load, *, afresh: bool) -> Report:
    """Have it load just what differs from what it has loaded; all of it when it died meanwhile and is up again."""
    started = time.monotonic()
    problem = load(host, None if afresh else services.loaded_tree(host, name, before))
    after = _risen(host, name, before)
    if problem and after.active and after.invocation != before.invocation:
        problem = load(host, None)
    if not problem and not after.active:
        problem = f"{name} is {after.state}"
    if problem:
        return Report("reload", False, " ".join(problem.split())[:500], time.monotonic() - started)
    services.note_loaded(host, name, after)
    return Report("reload", True, "", time.monotonic() - started)


def _risen(host: Host, name: str, before: Unit) -> Unit:
    """The unit as it is now; one that is being started again is waited for."""
    deadline = time.monotonic() + RELOAD_SECONDS
    while True:
        unit = services.show(host, [name]).get(name, before)
        if unit.state not in ("activating", "deactivating") or time.monotonic() > deadline:
            return unit
        time.sleep(0.05)


def _loaded(before: Unit, after: Unit, seen: bool) -> bool:
    """Whether the unit runs again, and was seen to load or is another life of it."""
    return after.state == "active" and (seen or after.invocation != before.invocation)
