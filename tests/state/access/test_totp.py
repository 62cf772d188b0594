"""One-time codes by time: those of RFC 6238, each good once."""

import base64
from datetime import UTC, datetime

import pytest

from state.access import totp

SECRET = base64.b32encode(b"12345678901234567890").decode()


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_the_codes_of_the_rfc_are_accepted(seconds: int, code: str) -> None:
    now = datetime.fromtimestamp(seconds, UTC)
    assert totp.accepted(SECRET, code, 0, now) == seconds // 30
    assert totp.accepted(SECRET, code, seconds // 30, now) is None
    assert totp.accepted(SECRET, code, seconds // 30 - 1, now) == seconds // 30


def test_a_step_that_lies_ahead_was_used_by_a_wrong_clock() -> None:
    now = datetime.fromtimestamp(1234567890, UTC)
    step = totp.step(now)
    assert totp.accepted(SECRET, "005924", step + 1, now) is None
    assert totp.accepted(SECRET, "005924", step + 2, now) == step


def test_recovery_codes_are_many_random_bits() -> None:
    codes = {code for _ in range(10) for code in totp.new_recovery_codes()}
    assert len(codes) == 100
    assert all(totp.is_recovery_code(code) and len(totp.plain(code)) == 16 for code in codes)


def test_a_recovery_code_is_recognised_however_it_is_written_and_for_one_user() -> None:
    code = totp.new_recovery_codes()[0]
    assert totp.digest("u", code) == totp.digest("u", code.replace("-", " ").upper())
    assert totp.digest("u", code) != totp.digest("v", code)
