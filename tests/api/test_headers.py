"""What answers say to browsers."""

import base64
import hashlib

from api.headers import added, page_policy


def test_over_tls_browsers_are_told_to_stay_there() -> None:
    names = [name for name, _ in added([], secure=True, private=False)]
    assert b"strict-transport-security" in names


def test_what_an_answer_says_itself_is_left_alone() -> None:
    given = [(b"Content-Security-Policy", b"default-src 'self'"), (b"cache-control", b"max-age=60")]
    names = {name for name, _ in added(given, secure=False, private=True)}
    assert not names & {b"content-security-policy", b"cache-control"}


def test_a_page_may_run_its_own_scripts_and_no_other() -> None:
    policy = page_policy("go()")
    digest = base64.b64encode(hashlib.sha256(b"go()").digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}'" in policy
    assert "script-src 'self';" in page_policy()
    assert "script-src 'self' 'unsafe-inline'" not in policy
