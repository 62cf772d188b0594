"""The settings that a start of authority means."""

from dataclasses import replace

from api.zone_settings import settings_of
from state.dns.authority import Start
from state.kinds.dns_zone import DnsZone, start_of


def test_a_start_of_authority_is_settings_as_far_as_they_can_be() -> None:
    spec = DnsZone(primary_ns="ns1.example.com.", admin_email="first.last@example.com", minimum_ttl=60)
    settings, refused = settings_of(start_of("example.com", spec))
    assert DnsZone.model_validate(settings) == spec
    assert refused == []
    settings, refused = settings_of(Start("ns1.example.com.", ".", 5, 1800, 2**31, 60))
    assert set(settings) == {"primary_ns", "retry_interval", "minimum_ttl"}
    assert [each.split()[0] for each in refused] == ["'.'", "refresh_interval", "expire_interval"]
    assert (
        "admin_email"
        in settings_of(replace(start_of("example.com", spec), contact="a\\;b.example.com."))[1][0]
    )
