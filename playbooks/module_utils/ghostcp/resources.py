"""The table of resource types, in the order in which they are made; they go in the opposite order."""

from collections.abc import Iterable

from . import accounts, configs, copies, directories, files, placeholder, served, services, shown, signing
from .host import Host
from .wire import Handler, Observed

HANDLERS: dict[str, Handler] = {
    "account": accounts.HANDLER,
    "directory": directories.HANDLER,
    "file": files.HANDLER,
    "signing": signing.HANDLER,
    "placeholder": placeholder.HANDLER,
    "config": configs.HANDLER,
    "service": services.HANDLER,
    "shown": shown.HANDLER,
    "served": served.HANDLER,
    "copy": copies.HANDLER,
}
RANK = {name: rank for rank, name in enumerate(HANDLERS)}


def observe(host: Host, keys: Iterable[str]) -> Observed:
    """The attributes of each key; a key of a type that is not in the table is a ValueError."""
    by_type: dict[str, list[str]] = {}
    for key in keys:
        kind, _, name = key.partition(":")
        by_type.setdefault(kind, []).append(name)
    unknown = by_type.keys() - HANDLERS.keys()
    if unknown:
        raise ValueError(f"unknown types of resource: {', '.join(sorted(unknown))}")
    found: Observed = {}
    for kind, names in by_type.items():
        for name, attributes in HANDLERS[kind].observe(host, names).items():
            found[f"{kind}:{name}"] = attributes
    return found
