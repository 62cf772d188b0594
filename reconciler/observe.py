"""Looking at a target: one batched, read-only call for all that is wanted or was applied."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reconciler.changes import Observation
from reconciler.compile import Catalog
from state.compiling import Facts, Reason
from state.document import Status
from state.resource import RECORD_SET, Attributes


class Run(Protocol):
    """Carries a playbook to a target with a request, and brings its response back."""

    def __call__(self, playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Look:
    """What one look found, and what the host has.

    `unread`: why some things (by key) could not be looked at, while others could; `remember`: what is to be
    remembered with the documents that things (by key) belong to; `taken`: by names of new zones, the zone that the
    provider had before; `out`: the latest serials of zones whose files (by key) are not as wanted.
    """

    observation: Observation
    facts: Facts
    generation: int
    unread: Mapping[str, Reason] = field(default_factory=dict)
    remember: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    taken: Mapping[str, str] = field(default_factory=dict)
    out: Mapping[str, int] = field(default_factory=dict)


def observe(
    run: Run, target: str, catalog: Catalog, statuses: Iterable[Status], *, everything: bool = False
) -> Look:
    """Looks at what the catalog wants and the inventory holds; with `everything`, also for what nobody asked for.

    Raises Unreachable or Unknown.
    """
    wanted = {key: resource.digest for key, resource in catalog.resources.items()}
    held = {key: "" for status in statuses for key in status.applied}
    request = held | wanted
    asked: dict[str, Any] = {"version": 1, "resources": request, "listing": everything, "texts": True}
    sets = _record_sets(catalog)
    if sets:
        asked |= {"wanted": sets, "new": _new(sets, held)}
    response = run("observe", target, asked)
    found: dict[str, Attributes | None] = {
        key: catalog.resources[key].attributes for key in response["equal"]
    }
    found |= response["differing"]
    observation = Observation(found, response["texts"], response["extra"])
    generation = int(response.get("live_generation") or 0)
    unread, remember = response.get("unread", {}), response.get("remember", {})
    taken, out = response.get("taken", {}), response.get("out", {})
    return Look(observation, read_facts(response["facts"]), generation, unread, remember, taken, out)


def _record_sets(catalog: Catalog) -> dict[str, Attributes]:
    """All that is wanted of an external provider; a host has none, and there may be many things on it to ask."""
    first = next(iter(catalog.resources), "")
    found = catalog.resources.items() if first.startswith(f"{RECORD_SET}:") else ()
    return {key: dict(resource.attributes) for key, resource in found}


def _new(sets: Iterable[str], held: Iterable[str]) -> list[str]:
    """The sets of records of zones of which we hold none yet."""
    known = {key.partition("/")[0] for key in held}
    return [key for key in sets if key.partition("/")[0] not in known]


def read_facts(values: Mapping[str, Any]) -> Facts:
    """The part of a host's facts that kinds may ask for."""
    many = {name: tuple(values.get(name, ())) for name in ("php", "ipv4", "ipv6", "shells", "record_types")}
    one = {"hostname": values.get("hostname", ""), "nginx": values.get("nginx") or ""}
    found: dict[str, Any] = {**one, **many, "apex_servers": values.get("apex_servers", True)}
    return Facts(**found)
