"""How a delivery proves where it is from: our own header, and those of Standard Webhooks; pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping

PREFIX = "whsec_"
_BYTES = range(24, 65)


def new_secret() -> str:
    """A secret as Standard Webhooks writes them."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The key of Standard Webhooks: what stands encoded behind ``whsec_``, else the text itself.

    Raises ValueError.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("after whsec_ there must be base64") from None
    if len(key) not in _BYTES:
        raise ValueError(f"after whsec_ there must be {_BYTES[0]} to {_BYTES[-1]} bytes in base64")
    return key


def signatures(secret: str, delivery: str, timestamp: int, body: bytes) -> Mapping[str, str]:
    """The headers that sign a delivery; `timestamp` is that of the attempt, in epoch seconds."""
    content = b".".join((delivery.encode(), str(timestamp).encode(), body))
    signed = base64.b64encode(hmac.digest(key_of(secret), content, hashlib.sha256)).decode()
    return {
        "X-GhostCP-Signature": hmac.digest(secret.encode(), body, hashlib.sha256).hex(),
        "webhook-id": delivery,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signed}",
    }
