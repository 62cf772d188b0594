"""That a certificate has ended, or will soon and nobody renews it: what is said of it long before visitors see it."""

from datetime import datetime, timedelta

from state.certificates.chains import Chain
from state.compiling import Reason

ENDED, ENDS_SOON = "Ended", "EndsSoon"
SOON = timedelta(days=21)
"""How long before its end it is told of; of a short one, with a third of its lifetime left."""


def ended(chain: Chain, now: datetime | None, remedy: str) -> tuple[Reason, ...]:
    """That it has ended and what to do; nothing where nobody knows what time it is."""
    if now is None or now < chain.valid_until:
        return ()
    told = f"the certificate of {chain.issuer} ended on {_end(chain)}, and no browser accepts it: {remedy}"
    return (Reason(ENDED, told),)


def ends_soon(chain: Chain, now: datetime | None, remedy: str) -> tuple[Reason, ...]:
    """That it will end soon and what to do."""
    before = min(timedelta(seconds=chain.lifetime / 3), SOON)
    if now is None or not chain.valid_until - before <= now < chain.valid_until:
        return ()
    return (Reason(ENDS_SOON, f"the certificate of {chain.issuer} ends on {_end(chain)}: {remedy}"),)


def _end(chain: Chain) -> str:
    return f"{chain.valid_until:%Y-%m-%d %H:%M} UTC"
