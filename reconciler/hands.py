"""Whose hands do what is to be done at a target: Ansible's on hosts, octoDNS's at external providers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciler.observe import Run
from state.zones.providers import name_of


@dataclass(frozen=True)
class Hands:
    """Callable as `reconciler.observe.Run`, for every target."""

    hosts: Run
    providers: Run

    def __call__(self, playbook: str, target: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        run = self.providers if name_of(target) else self.hosts
        return run(playbook, target, request)
