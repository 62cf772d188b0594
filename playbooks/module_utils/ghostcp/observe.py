"""Answer an observe request: only what is not as it should be travels back in full."""

from collections.abc import Mapping
from typing import Any

from . import configs, facts, generations, resources, serials
from .host import Host
from .timing import Clock
from .wire import VERSION, Attributes, digest


def observe(host: Host, request: Mapping[str, Any]) -> dict[str, Any]:
    """The response to a request of digests by key; see `resources` for the types."""
    clock = Clock()
    wanted: Mapping[str, str] = request.get("resources") or {}
    with clock("resources"):
        found = resources.observe(host, wanted)
    with clock("compare"):
        equal, differing = compare(wanted, found)
    with clock("extra"):
        extra = _extra(host, wanted) if request.get("listing") else {}
    with clock("texts"):
        texts = _texts(host, differing) if request.get("texts") else {}
    with clock("out"):
        out = serials.out(host, {key: found for key, found in differing.items() if wanted[key]})
    with clock("facts"):
        known = facts.gather(host)
    return {
        "version": VERSION,
        "equal": equal,
        "differing": differing,
        "texts": texts,
        "out": out,
        "extra": extra,
        "facts": known,
        "live_generation": generations.live_number(host),
        "elapsed": clock.elapsed,
        "timings": clock.phases,
    }


def compare(
    wanted: Mapping[str, str], found: Mapping[str, Attributes | None]
) -> tuple[list[str], dict[str, Attributes | None]]:
    """The keys that are as wanted, in the order asked for, and the attributes of all others."""
    equal, differing = [], {}
    for key, expected in wanted.items():
        attributes = found[key]
        if attributes is not None and digest(attributes) == expected:
            equal.append(key)
        else:
            differing[key] = attributes
    return equal, differing


def _extra(host: Host, wanted: Mapping[str, str]) -> dict[str, Attributes | None]:
    """What is there, of the types that can be listed, and was not asked for."""
    keys = [
        f"{kind}:{name}"
        for kind, handler in resources.HANDLERS.items()
        if handler.listing
        for name in handler.listing(host)
    ]
    return dict(resources.observe(host, [key for key in keys if key not in wanted]))


def _texts(host: Host, differing: Mapping[str, Attributes | None]) -> dict[str, str]:
    found = {
        key: configs.text(host, key.partition(":")[2])
        for key, attributes in differing.items()
        if attributes is not None and key.startswith("config:")
    }
    return {key: text for key, text in found.items() if text is not None}
