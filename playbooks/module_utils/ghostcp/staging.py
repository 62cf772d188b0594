"""Changes of configurations judged together: what a validator refuses is left out, the rest goes on."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from . import configs, generations, validate
from .generations import Stage
from .host import Host, explain, sync_file
from .validate import Complaint
from .wire import Change, Outcome, failed

Validate = Callable[[Host, str, Sequence[str]], dict[str, Complaint]]
FSYNCS, SYNC_SECONDS = 100, 300.0
SECONDS = 60.0
"""How long culprits are looked for before the rest of a batch waits for another."""


@dataclass(slots=True)
class Trial:
    """Changes on a stage: those still in it, those already out of it and why.

    `suspects` are live files that a validator names while no change is in the stage.
    """

    host: Host
    stage: Stage
    active: dict[str, Change] = field(default_factory=dict)
    fresh: dict[str, str | None] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    suspects: set[str] = field(default_factory=set)
    validate: Validate = validate.validate
    deadline: float = math.inf

    def complaints(self, services: Sequence[str]) -> dict[str, Complaint]:
        return self.validate(self.host, self.stage.tree, services)

    def of(self, service: str) -> list[Change]:
        """The changes still in the stage for a service, in the order of making: what one requires is before it."""
        return [change for change in self.active.values() if configs.service(change) == service]

    def put(self, change: Change) -> None:
        generations.place(self.stage, change.name, self.fresh[change.key])

    def take_out(self, change: Change) -> None:
        generations.restore(self.stage, change.name)

    def reject(self, culprits: Mapping[str, Outcome]) -> set[str]:
        """Take changes out for good, with all of the same documents and what requires one of them; return the services
        touched.

        The others of a refused change are not refused themselves: they may be right without it.
        """
        out = fallout(self.active, culprits)
        self.outcomes |= out
        gone = [self.active.pop(key) for key in out]
        for change in gone:
            self.take_out(change)
        return {configs.service(change) for change in gone}


def fallout(changes: Mapping[str, Change], culprits: Mapping[str, Outcome]) -> dict[str, Outcome]:
    """What becomes of culprits, of the others of their documents, and of what requires any of these."""
    found, out = dict[str, Outcome](), dict(culprits)
    while out:
        found |= out
        together = {changes[key].document: key for key in out if changes[key].document}
        torn = ((it, _torn(it, together, out)) for it in changes.values() if it.key not in found)
        out = {change.key: reason for change, reason in torn if reason}
    return found


def _torn(change: Change, together: Mapping[str, str], out: Mapping[str, Outcome]) -> Outcome | None:
    """Why a change goes with others that are out: by document, or by what it requires."""
    if change.document in together:
        return Outcome("skipped", f"{together[change.document]} was not accepted, and they change together")
    needed = next((key for key in change.requires if key in out), None)
    return Outcome("skipped", f"it needs {needed}, which was not accepted") if needed else None


def begin(host: Host, changes: Sequence[Change], verdict: Validate = validate.validate) -> Trial:
    """A stage with the changes in it; what cannot even be written is out already. Names must be valid."""
    for change in changes:
        configs.parts(change.name)
    trial = Trial(host, generations.stage(host), validate=verdict, deadline=time.monotonic() + SECONDS)
    broken = {}
    for number, change in enumerate(changes):
        trial.active[change.key] = change
        trial.fresh[change.key] = None if change.deletes else f"{trial.stage.fresh}/{number}"
        problem = _write(trial, change)
        if problem:
            broken[change.key] = failed(problem)
    trial.reject(broken)
    return trial


def _write(trial: Trial, change: Change) -> str:
    """Put a change on the stage; what is wrong, when it cannot be."""
    try:
        path = trial.fresh[change.key]
        if path is not None:
            configs.write(trial.host, path, change)
        trial.put(change)
    except OSError as error:
        return explain(error)
    except (LookupError, ValueError) as error:
        return str(error.args[0])
    return ""


def judge(trial: Trial) -> None:
    """Take changes out until the validators of all touched services accept the whole tree."""
    waiting = {configs.service(change) for change in trial.active.values()}
    while waiting:
        complaints = trial.complaints(sorted(name for name in waiting if trial.of(name)))
        culprits: dict[str, Outcome] = {}
        for service, complaint in complaints.items():
            culprits |= _culprits(trial, service, complaint)
        waiting = trial.reject(culprits)


def _culprits(trial: Trial, service: str, complaint: Complaint) -> dict[str, Outcome]:
    """Whose fault the complaint is: the changes it names, or what a search finds, or none of ours."""
    changes = trial.of(service)
    if not complaint.installed:
        outcome = failed(f"{complaint.message}: install it first")
        return {change.key: outcome for change in changes if not change.deletes}
    if time.monotonic() > trial.deadline:
        outcome = failed(
            f"too many were refused to tell all apart in time: try again. Last: {complaint.message}"
        )
        return {change.key: outcome for change in changes}
    named = [change for change in changes if _names(complaint, change)]
    if named:
        said = {it.key: complaint.words.get(it.name, complaint.message) for it in named}
        return {key: Outcome("refused", words) for key, words in said.items()}
    return _search(trial, service, changes, complaint.message)


def _names(complaint: Complaint, change: Change) -> bool:
    """Whether a complaint names the file of a change, or a section that the file opens."""
    if change.deletes:
        return False
    lines = (change.content or "").splitlines() if complaint.sections else []
    return change.name in complaint.files or any(f"[{section}]" in lines for section in complaint.sections)


def _search(trial: Trial, service: str, changes: Sequence[Change], message: str) -> dict[str, Outcome]:
    """Bisect for the first change that makes the validator refuse; without any, it is nobody's of ours.

    `message` is what the validator says of all together.
    """
    for change in changes:
        trial.take_out(change)
    complaint = trial.complaints([service]).get(service)
    if complaint:
        trial.suspects.update(complaint.files)
        where = f" (in {', '.join(complaint.files)})" if complaint.files else ""
        outcome = failed(f"the configuration is broken without our changes{where}: {complaint.message}")
        return {change.key: outcome for change in changes}
    good, bad = 0, len(changes)
    while bad - good > 1:
        middle = (good + bad) // 2
        for change in changes[good:middle]:
            trial.put(change)
        found = trial.complaints([service]).get(service)
        if found is None:
            good = middle
            continue
        bad, message = middle, found.message
        for change in changes[good:middle]:
            trial.take_out(change)
    for change in changes[good:]:
        trial.put(change)
    return {changes[bad - 1].key: Outcome("refused", message)}


def sync(trial: Trial) -> None:
    """Bring the new files of the changes that are in to the disk; many of them by one syncfs(2), where that works."""
    paths = [path for path in map(trial.fresh.__getitem__, trial.active) if path is not None]
    if len(paths) > FSYNCS:
        status, _ = trial.host.run(("sync", "--file-system", trial.stage.fresh), SYNC_SECONDS)
        if status == 0:
            return
    for path in paths:
        sync_file(path)
