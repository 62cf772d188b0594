"""The hand at external providers: answers what playbooks answer on hosts."""

from collections.abc import Mapping
from typing import Any

from reconciler.lease import last_token
from reconciler.providers.desk import Desk
from state.database import Database
from state.errors import GhostError, Unreachable
from state.settings import Settings
from state.zones.providers import name_of, options_of


class Hand:
    """Observes and applies at the provider that is a target. Callable as `reconciler.observe.Run`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database, self._settings = database, settings

    def __call__(self, playbook: str, target: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """The response. Raises Unreachable, CredentialsRefused or RateLimited when nothing can be had of it."""
        desk = self._desk(name_of(target))
        if playbook == "observe":
            return desk.observed(request)
        return desk.applied(request, lambda: self._superseded(target, request))

    def _superseded(self, target: str, request: Mapping[str, Any]) -> int | None:
        """The newer token, when the lease has gone to somebody else: a provider itself knows of no tokens."""
        with self._database.reading() as connection:
            token = last_token(connection, target)
        return token if token > request["token"] else None

    def _desk(self, name: str) -> Desk:
        try:
            with self._database.reading() as connection:
                return Desk(name, options_of(connection, self._settings.var, name))
        except GhostError as error:
            raise Unreachable(f"DNS provider {name!r}: {error}") from None
