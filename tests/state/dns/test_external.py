"""Zones at external providers: what of them is made there, and what a provider does not take."""

import pytest

from state.compiling import Facts, Reason
from state.dns.external import at_provider, has_servers
from state.dns.zone import Entry

SERVER = Entry("@", "NS", 3600, "ns1.example.net.")
WWW = Entry("www", "A", 300, "192.0.2.1", "w")
ALL = Facts(record_types=("A", "NS", "TXT"))


def test_records_of_one_name_and_type_are_one_set_that_is_kept_as_long_as_the_first_of_them() -> None:
    other = Entry("www", "A", 60, "192.0.2.0", "o")
    made = at_provider("example.com", [WWW, SERVER, other], {}, ALL, signed=False)
    assert [(each.key, each.attributes) for each in made.resources] == [
        ("rrset:example.com/@/NS", {"ttl": 3600, "values": ["ns1.example.net."]}),
        ("rrset:example.com/www/A", {"ttl": 60, "values": ["192.0.2.0", "192.0.2.1"]}),
    ]
    assert (made.blocked, made.left_out, made.notes) == ((), {}, ())


def test_a_type_that_the_provider_does_not_take_is_left_out_and_told_of_its_own_record() -> None:
    key = Entry("t", "TLSA", 300, "3 1 1 abcd", "t")
    made = at_provider("example.com", [WWW, key], {"x": Reason("Invalid", "")}, ALL, signed=False)
    assert [each.key for each in made.resources] == ["rrset:example.com/www/A"]
    assert {uid: why.code for uid, why in made.left_out.items()} == {"x": "Invalid", "t": "TypeUnsupported"}


@pytest.mark.parametrize(("uid", "told"), [("", []), ("n", ["ServersFixed"])])
def test_name_servers_are_the_providers_affair_where_it_says_so(uid: str, told: list[str]) -> None:
    server = Entry("@", "NS", 3600, "ns1.example.net.", uid)
    facts = Facts(record_types=("A", "NS"), apex_servers=False)
    sub = Entry("sub", "NS", 3600, "ns1.example.net.", "s")
    made = at_provider("example.com", [server, sub, WWW], {}, facts, signed=False)
    assert [each.key for each in made.resources] == ["rrset:example.com/sub/NS", "rrset:example.com/www/A"]
    assert [why.code for why in made.left_out.values()] == told


def test_a_zone_without_a_record_waits_for_one() -> None:
    made = at_provider("example.com", [], {}, ALL, signed=False)
    assert [why.code for why in made.blocked] == ["Empty"]


def test_that_signing_is_the_providers_affair_is_told_where_it_is_wanted() -> None:
    made = at_provider("example.com", [WWW], {}, ALL, signed=True)
    assert [why.code for why in made.notes] == ["NotSigned"]


def test_a_zone_has_servers_by_records_at_its_own_name() -> None:
    assert has_servers([SERVER])
    assert not has_servers([Entry("sub", "NS", 3600, "ns1.example.net."), WWW])


def test_a_zone_that_is_there_and_not_theirs_keeps_it_from_being_made() -> None:
    made = at_provider("a.example.com", [WWW], {}, ALL, signed=False, taken="example.com")
    assert made.resources == ()
    assert [(why.code, why.message.split()[0]) for why in made.blocked] == [("ZoneTaken", "example.com")]
