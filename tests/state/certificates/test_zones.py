"""In which zone a name is: the nearest one, if it is the owner's and served."""

import pytest

from state.certificates.zones import zone_of, zone_refs
from state.document import Ref
from tests.state.companies import company, document

ZONES = company(
    document("DnsZone", "example.com", "anna"),
    document("DnsZone", "sub.example.com", "anna"),
    document("DnsZone", "off.example.com", "anna", is_active=False),
    document("DnsZone", "example.org", "bob"),
).related.get


def test_the_zones_that_names_could_be_in_are_named_once_and_need_not_be_there() -> None:
    refs = zone_refs(["a.b.example.com", "*.b.example.com"])
    assert [ref.name for ref in refs] == ["a.b.example.com", "b.example.com", "example.com"]
    assert all(ref.weak and ref.kind == "DnsZone" for ref in refs)


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("example.com", "example.com"),
        ("*.example.com", "example.com"),
        ("www.sub.example.com", "sub.example.com"),
        ("*.sub.example.com", "sub.example.com"),
        ("x.off.example.com", None),
        ("www.example.org", None),
        ("example.net", None),
    ],
)
def test_a_name_is_in_the_nearest_zone_of_its_owner(name: str, zone: str | None) -> None:
    found = zone_of(name, "anna", ZONES)
    assert (found and found.ref) == (zone and Ref("DnsZone", zone))
