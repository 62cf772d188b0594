"""What answers say to browsers."""

from api.headers import added


def test_over_tls_browsers_are_told_to_stay_there() -> None:
    names = [name for name, _ in added([], secure=True, private=False)]
    assert b"strict-transport-security" in names


def test_what_an_answer_says_itself_is_left_alone() -> None:
    given = [(b"Content-Security-Policy", b"default-src 'self'"), (b"cache-control", b"max-age=60")]
    names = {name for name, _ in added(given, secure=False, private=True)}
    assert not names & {b"content-security-policy", b"cache-control"}
