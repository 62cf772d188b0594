"""Names that no site has yet: their certificates wait no longer than until one has them; pure."""

from collections.abc import Iterable, Mapping
from typing import Any

from state.certificates.chains import covers
from state.document import Document
from state.kinds import EVERY

NOT_SERVED = "NotServedHere"
"""That a name is not asked for by http-01, since no site here has it: the authority never heard of it."""
UNHOSTED = "ZoneNotHosted"
"""That a name is in no zone here, and wildcards are shown by zones alone."""
_HOSTS = "hosts"


def served_by(sites: Iterable[Document]) -> dict[str, frozenset[str]]:
    """The names that these documents are served by, by owner; of those that are switched off and deleted ones none."""
    found: dict[str, frozenset[str]] = {}
    for each in sites:
        if each.deleted or not getattr(each.spec, "is_active", True):
            continue
        names = frozenset(claim.name for claim in EVERY[each.kind].claims(each) if claim.space == _HOSTS)
        if names:
            found[each.owner] = found.get(each.owner, frozenset()) | names
    return found


def forgotten(document: Document, names: Iterable[str]) -> dict[str, Any]:
    """What is to be remembered of a certificate, now that sites of its owner have these names, in place of what it
    waits for; nothing where it waits for none of them."""
    names, kept = frozenset(names), document.kept
    trouble, left_out = kept.get("trouble"), kept.get("left_out")
    new: dict[str, Any] = {}
    if trouble and all(_waits(name, trouble, names) for name in trouble.get("names") or [document.name]):
        new["trouble"] = None
    still = not_served_still(left_out, names)
    if still != left_out:
        new["left_out"] = still
    return new


def not_served_still(left_out: Mapping[str, Any] | None, names: Iterable[str]) -> dict[str, Any] | None:
    """Which names a certificate is still not for, and why, when sites have these names; None where there is none."""
    names = frozenset(names)
    return {n: each for n, each in (left_out or {}).items() if not _waits(n, each, names)} or None


def _waits(name: str, failure: Mapping[str, Any], names: frozenset[str]) -> bool:
    return failure.get("code") == NOT_SERVED and covers(names, name)
