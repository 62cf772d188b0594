"""What every answer says to browsers, so that they do with it nothing that it was not meant for; pure."""

from collections.abc import Iterable

Headers = list[tuple[bytes, bytes]]
_ALWAYS: Headers = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_DATA = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_SECURE = (b"strict-transport-security", b"max-age=31536000")
_PRIVATE = (b"cache-control", b"no-store")


def added(given: Iterable[tuple[bytes, bytes]], *, secure: bool, private: bool) -> Headers:
    """What is added to the headers that an answer has; those that say it themselves are left alone."""
    wanted = [*_ALWAYS, _DATA]
    if secure:
        wanted.append(_SECURE)
    if private:
        wanted.append(_PRIVATE)
    present = {name.lower() for name, _ in given}
    return [each for each in wanted if each[0] not in present]
