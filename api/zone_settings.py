"""The settings of a zone that a start of authority means, as far as they can be some."""

from pydantic import ValidationError

from state.dns.authority import Start, address_of
from state.kinds.dns_zone import DnsZone


def settings_of(start: Start) -> tuple[dict[str, str | int], list[str]]:
    """The settings that a start of authority means, the other way round, and why some of it cannot be one."""
    given: dict[str, str | int] = {"primary_ns": start.primary}
    refused = []
    try:
        given["admin_email"] = address_of(start.contact)
    except ValueError as error:
        refused.append(str(error))
    times = (start.refresh, start.retry, start.expire, start.minimum)
    given |= zip(("refresh_interval", "retry_interval", "expire_interval", "minimum_ttl"), times, strict=True)
    fallback = {"primary_ns": start.primary, "admin_email": "a@example.com"}
    settings = {}
    for name, value in given.items():
        try:
            DnsZone.model_validate({**fallback, name: value})
        except ValidationError as error:
            refused.append(f"{name} cannot be {value!r}: {error.errors()[0]['msg']}")
        else:
            settings[name] = value
    return settings, refused
