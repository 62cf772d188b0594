"""One-time codes by time (TOTP, RFC 6238) and the recovery codes that stand in for them; pure but for randomness."""

import base64
import hashlib
import re
import secrets
from datetime import datetime

import pyotp
from pyotp.exceptions import OTPVerificationError

STEP_SECONDS, DRIFT = 30, 1
RECOVERY_CODES = 10
_RECOVERY = re.compile(r"[a-z2-7]{16}")


def new_secret() -> str:
    """160 bits in base32, as authenticators take them."""
    return pyotp.random_base32()


def otpauth(secret: str, account: str, issuer: str) -> str:
    """The address that an authenticator reads the secret from (Key Uri Format)."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def step(now: datetime) -> int:
    """The number of the step that a time lies in."""
    return int(now.timestamp()) // STEP_SECONDS


def accepted(secret: str, code: str, last_step: int, now: datetime) -> int | None:
    """The step that the code is of: this one, or one to either side; none when it is wrong or of a used step.

    Steps up to `last_step` are used. One that lies ahead was used by a clock that was wrong, and counts no more.
    """
    current = step(now)
    used = last_step if last_step <= current + DRIFT else current - DRIFT - 1
    try:
        found = pyotp.TOTP(secret).verify_and_get_timecode(plain(code), for_time=now, valid_window=DRIFT)
    except OTPVerificationError:
        return None
    return found if found > used else None


def new_recovery_codes() -> tuple[str, ...]:
    """Ten codes of 80 bits, in groups that one can read out."""
    texts = (base64.b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES))
    return tuple("-".join(text[i : i + 4] for i in range(0, 16, 4)) for text in texts)


def is_recovery_code(code: str) -> bool:
    return _RECOVERY.fullmatch(plain(code)) is not None


def digest(uid: str, code: str) -> str:
    """What a recovery code is recognised by; it has too many bits to be guessed from that."""
    return hashlib.sha256(f"{uid}:{plain(code)}".encode()).hexdigest()


def plain(code: str) -> str:
    """A code without what people write into it."""
    return code.replace("-", "").replace(" ", "").lower()
