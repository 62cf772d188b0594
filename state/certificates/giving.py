"""One's own certificate: given together with its key, judged, and kept."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from state.certificates.chains import Chain, covers, kept_chain, read_chain, read_key
from state.certificates.links import refuse_broken
from state.certificates.naming import MOST_NAMES
from state.kind import Handed, Values
from state.names import alias_name, host_name

KEY = "key"
"""The name of the private key among a certificate's secrets."""
_PEM = {"type": "string", "writeOnly": True, "maxLength": 65536}
FIELDS = {
    "certificate": {
        **_PEM,
        "description": "One's own certificate and what vouches for it, as PEM, its own first.",
    },
    "private_key": {
        **_PEM,
        "description": "Its key as PEM, without a passphrase. It never appears in any answer.",
    },
}


def take(name: str, given: Values, body: Values, at: datetime) -> Handed | Sequence[tuple[str, str]]:
    """One's own certificate and its key, which come together and belong together."""
    missing = [(each, "is needed with the other one") for each in FIELDS if given.get(each) is None]
    if missing:
        return missing
    if body.get("acme_provider") is not None:
        return [("acme_provider", "is none of one's own certificate: leave it out")]
    field = "certificate"
    try:
        chain = read_chain(str(given["certificate"]))
        _refuse_useless(chain, name, at)
        refuse_broken(chain, at)
        field = "private_key"
        key = read_key(str(given["private_key"]), chain)
    except ValueError as error:
        return [(field, str(error))]
    given_names = {} if body.get("san_domains") is not None else {"san_domains": _host_names(chain)}
    return Handed(kept(chain, key), {KEY: key}, {"acme_provider": None, **given_names})


def _host_names(chain: Chain) -> list[str]:
    """The names of a chain that a certificate can have here."""
    return [name for each in chain.names for name in _as_alias(each)][:MOST_NAMES]


def _as_alias(name: str) -> list[str]:
    try:
        return [alias_name(name)]
    except ValueError:
        return []


def _refuse_useless(chain: Chain, name: str, at: datetime) -> None:
    if chain.valid_until <= at:
        raise ValueError(f"ended on {chain.valid_until:%Y-%m-%d}: give one that is valid")
    if chain.valid_from > at:
        raise ValueError(f"begins on {chain.valid_from:%Y-%m-%d}: give one that is valid, or give it then")
    if not covers(chain.names, _canonical(name)):
        raise ValueError(f"is not for {name}: it is for {', '.join(chain.names) or 'no host name'}")


def _canonical(name: str) -> str:
    """The name as it will be called; one that will be refused anyway stays as it is."""
    try:
        return host_name(name)
    except ValueError:
        return name


_PASSED = ("trouble", "left_out", "renew_at", "renew_ask_at", "provider", "had_at")


def kept(chain: Chain, key: str) -> dict[str, object]:
    """What is remembered with a certificate; nothing of earlier trouble."""
    return {**kept_chain(chain), "key_sha256": sha256(key.encode()).hexdigest(), **dict.fromkeys(_PASSED)}
