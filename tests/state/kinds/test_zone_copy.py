"""A zone where its host has secondaries, and its copy on one of them."""

from dataclasses import replace
from typing import Any

import pytest

from state.compiling import Compiled, Context, Plane
from state.dns.transfer import CHECKSUM
from state.document import Document
from state.kinds import EVERY, KINDS, has_copies
from state.kinds.zone_copy import ZONE_COPY, ZoneCopy
from state.resource import Secret
from state.zones.copies import copy_of
from tests.state.companies import FACTS, document, templates

SPEC = {"primary_ns": "ns1.example.net", "admin_email": "a@example.com"}
PLANE = Plane(secondaries=("web2", "web3"), addresses={"web1": "192.0.2.1", "web2": "192.0.2.2"})


def _zone(*, key: bool = True, **values: Any) -> Document:
    zone = document("DnsZone", "example.com", "anna", **{**SPEC, **values})
    known = {"serial": 7, CHECKSUM: "ab" * 32} if key else {}
    return replace(zone, target="web1", kept=known, sealed="sealed" if key else None)


def _compiled(one: Document, plane: Plane, zone: Document | None = None) -> Compiled:
    related = {zone.ref: zone} if zone else {}
    return EVERY[one.kind].compile(Context(one, FACTS, templates(), related.get, plane))


def _texts(compiled: Compiled) -> dict[str, str | None]:
    return {resource.key: resource.content for resource in compiled.resources}


def test_no_door_knows_of_copies_and_nobody_can_name_one() -> None:
    assert ZONE_COPY.name not in KINDS
    with pytest.raises(ValueError, match="copies come with their zones"):
        ZONE_COPY.check_name("example.com@web2")
    assert ZONE_COPY.schema is ZoneCopy


def test_a_zone_that_is_served_here_is_what_has_copies() -> None:
    assert has_copies(_zone())
    assert not has_copies(_zone(is_active=False))
    assert not has_copies(_zone(dns_provider="cloudflare"))
    assert not has_copies(copy_of(_zone(), "web2"))


def test_a_zone_is_handed_on_to_those_whose_address_is_known_with_a_key_that_no_text_shows() -> None:
    found = _compiled(_zone(), PLANE)
    texts = _texts(found)
    options = texts["config:named/example.com.conf"] or ""
    assert "also-notify { 192.0.2.2 key" in options
    assert "ixfr-from-differences yes;" in options
    assert texts["config:named/private/example.com.key"] is None
    key = next(each for each in found.resources if each.secret)
    assert key.secret == Secret("sealed", "transfer")
    assert key.attributes == {"owner": "root", "group": "bind", "mode": "0640", "sha256": "ab" * 32}


@pytest.mark.parametrize(
    ("key", "plane"),
    [(True, Plane()), (False, PLANE), (True, Plane(secondaries=("web2",), addresses={"web2": ""}))],
)
def test_a_zone_that_nobody_is_to_have_is_handed_to_nobody(key: bool, plane: Plane) -> None:
    texts = _texts(_compiled(_zone(key=key), plane))
    configs = {"config:named/example.com.zone", "config:named/example.com.conf"}
    assert texts.keys() == {*configs, "served:example.com"}
    assert "transfer" not in (texts["config:named/example.com.conf"] or "")


def test_a_copy_is_a_statement_a_key_and_that_it_is_current() -> None:
    zone = _zone()
    found = _compiled(copy_of(zone, "web2"), PLANE, zone)
    key, options, current = found.resources
    assert "primaries { 192.0.2.1 key" in (options.content or "")
    assert current.key == "copy:example.com@192.0.2.1"
    assert (current.requires, options.requires) == ((options.key,), (key.key,))
    assert [each.key for each in _compiled(zone, PLANE).resources if each.secret] == [key.key]


@pytest.mark.parametrize(
    ("zone", "plane", "waiting", "blocked"),
    [
        (None, PLANE, ["Waiting"], []),
        (_zone(is_active=False), PLANE, ["Waiting"], []),
        (_zone(key=False), PLANE, ["Waiting"], []),
        (_zone(), Plane(), [], ["AddressUnknown"]),
    ],
    ids=["no zone", "not served", "not yet", "nowhere"],
)
def test_a_copy_of_what_cannot_be_had_is_left_as_it_is(
    zone: Document | None, plane: Plane, waiting: list[str], blocked: list[str]
) -> None:
    found = _compiled(copy_of(_zone(), "web2"), plane, zone)
    assert [reason.code for reason in found.waiting] == waiting
    assert [reason.code for reason in found.blocked] == blocked
    assert not found.resources
