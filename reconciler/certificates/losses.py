"""Names that a certificate is not to lose by being had anew: browsers may insist on HTTPS for them; pure."""

from datetime import datetime, timedelta

from state.certificates.chains import covers, known_chain
from state.document import Document
from state.job_types import SSL_RENEW
from state.kinds.certificate import names_of

TRIES = 3
"""How often one for more names is given up, rather than had without a name that the last one is for."""


def indispensable(document: Document, now: datetime, job_type: str) -> tuple[str, ...]:
    """The names of the one that is there which the next one is to be for as well, while that one is good still: one
    that fails now may not fail tomorrow. A renewal insists on them until a ninth of the lifetime is left."""
    chain, trouble = known_chain(document.kept), document.kept.get("trouble") or {}
    if chain is None:
        return ()
    if job_type == SSL_RENEW:
        insists = now < chain.valid_until - timedelta(seconds=chain.lifetime / 9)
    else:
        insists = now < chain.valid_until and trouble.get("tries", 0) < TRIES
    return tuple(name for name in names_of(document) if covers(chain.names, name)) if insists else ()
