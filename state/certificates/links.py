"""What vouches for a certificate, judged as those do who verify its chain (RFC 5280, section 6.1). Pure.

One's own is judged so when it is given. An authority's chain is the authority's to answer for: it may hold more than
one way to a root, of which an old one does no harm.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import BasicConstraints, Certificate, ExtensionNotFound, KeyUsage

from state.certificates.chains import SHORTEST_RSA, WEAK, Chain, certificates, is_authority, who

_MOST_SHOWN = 64


def refuse_broken(chain: Chain, at: datetime) -> None:
    """Raises ValueError saying which certificate above the first one nobody would believe at this time, and what to
    do."""
    found = certificates(chain.pem)
    for number, one in enumerate(found[1:], start=2):
        why = _untimely(one, at) or _unfit(one, found[1 : number - 1]) or _weak(one)
        if why:
            shown = who(one.subject)[:_MOST_SHOWN]
            raise ValueError(f"certificate {number} ({shown}) {why}: {_remedy(one)}")


def _untimely(one: Certificate, at: datetime) -> str:
    """Why it does not count at this time (RFC 5280, section 6.1.3 (a)(2)); empty when it does, as below."""
    if one.not_valid_after_utc <= at:
        return f"ended on {one.not_valid_after_utc:%Y-%m-%d}"
    if one.not_valid_before_utc > at:
        return f"begins on {one.not_valid_before_utc:%Y-%m-%d}"
    return ""


def _unfit(one: Certificate, below: Sequence[Certificate]) -> str:
    """Why it may not vouch for what is below it (RFC 5280, section 6.1.4 (k) to (n))."""
    if not is_authority(one):
        return "is no authority's (basicConstraints, RFC 5280, section 4.2.1.9)"
    if not _signs(one):
        return "may not sign certificates (keyUsage, RFC 5280, section 4.2.1.3)"
    most = one.extensions.get_extension_for_class(BasicConstraints).value.path_length
    if most is not None and sum(not _self_issued(each) for each in below) > most:
        return f"may have {most} authorities below it (pathLenConstraint, RFC 5280, section 4.2.1.9)"
    return ""


def _signs(one: Certificate) -> bool:
    try:
        return one.extensions.get_extension_for_class(KeyUsage).value.key_cert_sign
    except ExtensionNotFound:
        return True


def _weak(one: Certificate) -> str:
    """Why it is too easily forged. Who verifies a chain looks at no root's own signature (RFC 5280, section 6.1)."""
    key, algorithm = one.public_key(), one.signature_hash_algorithm
    if isinstance(key, RSAPublicKey) and key.key_size < SHORTEST_RSA:
        return f"has a key of {key.key_size} bits, and browsers want {SHORTEST_RSA} or more"
    if algorithm is not None and algorithm.name in WEAK and not _self_issued(one):
        return f"is signed with {algorithm.name.upper()}, which nobody trusts any more"
    return ""


def _remedy(one: Certificate) -> str:
    if _self_issued(one):
        return "leave it out, since browsers have roots of their own"
    return "get a newer chain from who issued yours"


def _self_issued(one: Certificate) -> bool:
    return one.subject == one.issuer
