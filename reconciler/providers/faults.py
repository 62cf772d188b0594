"""What went wrong at a provider, in our words: whether it is the provider's trouble or a zone's, and no secrets."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from state.compiling import Reason
from state.errors import CredentialsRefused, GhostError, RateLimited, Unknown, Unreachable

OPEN = frozenset(
    {"class", "host", "port", "scheme", "api_url", "email", "account_id", "server_id", "timeout"}
)
"""Options that may be told."""
_LONGEST = 500
_REFUSING = frozenset({400, 422})


class Refused(GhostError):  # noqa: N818 - what happened
    """The provider will have none of it, however often it is asked."""

    code = "refused"


class Overtime(Exception):  # noqa: N818 - what happened
    """A package computes for too long."""


class Misled(Unknown):
    """The provider's package failed over something that it was told, by a fault of its own."""


_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError, Overtime)


def translated(error: Exception, name: str, options: Mapping[str, Any]) -> GhostError:
    """The error of a provider's class as one of ours."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    message = f"DNS provider {name!r}: {_said(error, status, options)}"
    kind, words = type(error).__name__, str(error).lower()
    if status == 429 or "RateLimit" in kind:
        return RateLimited(message)
    if status == 401 or "Auth" in kind or "unauthorized" in words:
        return CredentialsRefused(message)
    if status in _REFUSING or (status is None and _is_of_octodns(error)):
        return Unknown(message) if "5xx" in kind else Refused(message)
    if status is None and isinstance(error, OSError):
        silent = f"DNS provider {name!r}: does not answer ({kind})"
        return Unreachable(message if isinstance(error, ValueError) else silent)
    if status is None and isinstance(error, _FAULTS):
        return Misled(f"DNS provider {name!r}: its package cannot do this ({_said(error, None, options)})")
    return Unknown(message)


def in_full(error: Exception, options: Mapping[str, Any]) -> str:
    """All that an error says, for those who set the provider up; hosts and addresses too."""
    return scrubbed(str(error) or type(error).__name__, options)[:_LONGEST]


def is_general(error: GhostError) -> bool:
    """Whether nothing else need be asked of the provider now. Credentials may be good for some zones only."""
    return isinstance(error, Unreachable | RateLimited) and not isinstance(error, CredentialsRefused)


def lets_nobody_in(error: GhostError) -> bool:
    """Whether credentials are wrong, if that is so for all zones."""
    return isinstance(error, CredentialsRefused)


def reason_of(error: GhostError) -> Reason:
    """Why one zone could not be read."""
    told = isinstance(error, Unreachable | RateLimited)
    return Reason(type(error).__name__ if told else "ProviderFailed", str(error))


def scrubbed(text: str, options: Mapping[str, Any]) -> str:
    """The text without anything that was told to the provider's class in confidence."""
    for secret in sorted(_secrets(options), key=len, reverse=True):
        for form in {secret, quote(secret, safe=""), repr(secret)[1:-1]}:
            text = text.replace(form, "***")
    return text


def _secrets(options: Mapping[str, Any]) -> Iterable[str]:
    for name, value in options.items():
        if name not in OPEN:
            yield from _texts(value)


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str) and len(value) >= 4:
        yield value


def _said(error: Exception, status: int | None, options: Mapping[str, Any]) -> str:
    told = _of_response(error) if status is not None else ""
    text = f"{status}: {told}" if told else (str(error) or type(error).__name__)
    return scrubbed(text, options)[:_LONGEST]


def _of_response(error: Exception) -> str:
    """What the answer itself says, where it is JSON with a word in it."""
    try:
        body = error.response.json()  # type: ignore[attr-defined]
        found = body.get("error") or [each["message"] for each in body["errors"]]
        return found if isinstance(found, str) else "; ".join(map(str, found))
    except (AttributeError, KeyError, TypeError, ValueError):
        return ""


def _is_of_octodns(error: Exception) -> bool:
    return any(each.__module__.startswith("octodns") for each in type(error).__mro__)
