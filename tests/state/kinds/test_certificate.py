"""Certificates: valid or refused, given by their owner and judged, and made into a chain and a key."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from state.compiling import Compiled, Context, Plane
from state.document import Document, Ref
from state.kind import Handed
from state.kinds.certificate import CERTIFICATE, names_of
from state.names import Claim
from tests.state.companies import FACTS, company, document, templates, user, with_material
from tests.state.vouching import Link, Vouched, vouch

NOW = datetime.now(UTC)
_TROUBLE = {"code": "NameFailed", "message": "no address", "retry_at": "2026-01-01T00:00:00Z"}
MINE = vouch("example.com", "www.example.com")


def certificate(**values: Any) -> Document:
    return document("Certificate", "example.com", "anna", **values)


def _compile(one: Document, *others: Document, now: datetime | None = None) -> Compiled:
    related = company(*(others or (user(),))).related.get
    return CERTIFICATE.compile(Context(one, FACTS, templates(), related, Plane(now=now)))


def test_it_is_for_its_name_the_others_and_those_below_each_once() -> None:
    one = certificate(
        san_domains=["WWW.example.com", "example.com"], is_wildcard=True, acme_challenge_type="dns01"
    )
    assert names_of(one) == ("example.com", "www.example.com", "*.example.com")


def test_names_that_were_chosen_once_are_kept_unless_given() -> None:
    one = certificate(san_domains=["a.example.com"])
    assert CERTIFICATE.complete({}, "example.com", "anna", {}.get, one.spec) == {
        "san_domains": ("a.example.com",)
    }
    assert certificate().spec.model_dump()["san_domains"] == ("example.com",)


@pytest.mark.parametrize("values", [{"is_wildcard": True}, {"san_domains": ["*.example.com"]}])
def test_a_wildcard_needs_dns(values: dict[str, Any]) -> None:
    one = certificate(**values)
    assert [field for field, _ in CERTIFICATE.check(one.name, one.owner, one.spec)] == ["acme_challenge_type"]
    other = certificate(**values, acme_challenge_type="dns01")
    assert CERTIFICATE.check(other.name, other.owner, other.spec) == []


@pytest.mark.parametrize(
    ("others", "values", "fields"),
    [
        (99, {}, []),
        (100, {}, ["san_domains"]),
        (99, {"is_wildcard": True, "acme_challenge_type": "dns01"}, ["san_domains"]),
        (99, {"is_wildcard": True}, ["acme_challenge_type", "san_domains"]),
        (100, {"acme_provider": None}, []),
    ],
)
def test_one_from_an_authority_has_as_many_names_as_it_takes_its_own_and_those_below_included(
    others: int, values: dict[str, Any], fields: list[str]
) -> None:
    one = certificate(san_domains=[f"a{n}.example.com" for n in range(others)], **values)
    faults = dict(CERTIFICATE.check(one.name, one.owner, one.spec))
    assert list(faults) == fields
    assert faults.get("san_domains", "101 names").partition("101 names")[1]


@pytest.mark.parametrize(
    "values",
    [
        *(
            {"acme_provider": provider}
            for provider in ("http://ca.example", "https://", "https://a b", "", "A")
        ),
        {"san_domains": ["com"]},
    ],
)
def test_a_value_that_can_never_be_right_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        certificate(**values)


def test_an_authority_goes_by_its_name_or_the_url_of_its_directory() -> None:
    for provider in ("letsencrypt", "house-2", "https://ca.example/dir"):
        (reason,) = _compile(certificate(acme_provider=provider)).waiting
        assert reason.message.startswith(f"{provider} ")


def test_it_refers_to_its_owner_and_claims_its_name() -> None:
    assert CERTIFICATE.references(certificate()) == (Ref("User", "anna"),)
    assert CERTIFICATE.claims(certificate()) == (Claim("certificates", "example.com"),)


def test_one_by_dns_refers_to_the_zones_that_its_names_could_be_in() -> None:
    one = certificate(acme_challenge_type="dns01", is_wildcard=True, san_domains=["a.b.example.com"])
    refs = ["example.com", "a.b.example.com", "b.example.com"]
    assert CERTIFICATE.references(one)[1:] == tuple(Ref("DnsZone", name) for name in refs)


def test_one_by_dns_says_which_wildcards_have_no_zone_of_its_owner() -> None:
    one = certificate(acme_challenge_type="dns01", is_wildcard=True, san_domains=["*.example.org"])
    zone = document("DnsZone", "example.com", "anna")
    assert [r.code for r in _compile(one, user(), zone).waiting] == ["Issuing"]
    (note,) = _compile(with_material(one, "example.com"), user(), zone).notes
    assert (note.code, "*.example.org: no zone of anna" in note.message) == ("NamesLeftOut", True)
    assert "*.example.com" not in note.message
    gone = {"trouble": {**_TROUBLE, "names": ["else.example.org"]}}
    assert [r.code for r in _compile(replace(one, kept=gone), user(), zone).waiting] == ["Issuing"]
    assert _compile(with_material(certificate(acme_provider=None, acme_challenge_type="dns01"))).notes == ()


def _take(given: Vouched, name: str = "example.com", **body: Any) -> Any:
    assert CERTIFICATE.handing is not None
    fields = {"certificate": given.chain, "private_key": given.key}
    return CERTIFICATE.handing.take(name, fields, body, NOW)


def test_ones_own_is_kept_with_what_it_says_and_its_key_is_a_secret() -> None:
    handed = _take(MINE)
    assert isinstance(handed, Handed)
    assert handed.keep["issuer"] == "Test Trust"
    assert handed.keep["subject"] == "CN=example.com"
    assert handed.keep["names"] == ["example.com", "www.example.com"]
    assert handed.secrets == {"key": MINE.key}
    assert MINE.key not in str(handed.keep)
    assert handed.spec == {"acme_provider": None, "san_domains": ["example.com", "www.example.com"]}


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        (replace(MINE, key=vouch("example.com").key), "private_key", "does not belong"),
        (vouch("example.org"), "certificate", "is not for example.com: it is for example.org"),
        (vouch("example.com", days=-1, since=9), "certificate", "ended on"),
        (vouch("example.com", days=9, since=-1), "certificate", "begins on"),
        (
            vouch("example.com", links=[Link(days=-1, since=9)]),
            "certificate",
            "certificate 2 (Between) ended",
        ),
        (vouch("example.com", links=[Link(authority=False)]), "certificate", "is no authority's"),
        (replace(MINE, certificate="nothing"), "certificate", "names no host"),
    ],
)
def test_ones_own_that_cannot_be_used_is_refused_with_its_field(
    given: Vouched, field: str, words: str
) -> None:
    given = replace(given, root="") if words == "names no host" else given
    ((found, message),) = _take(given)
    assert found == field
    assert words in message or "is no certificate" in message


def test_a_certificate_and_its_key_come_together_and_with_no_authority() -> None:
    assert CERTIFICATE.handing is not None
    missing = CERTIFICATE.handing.take("example.com", {"certificate": MINE.chain}, {}, NOW)
    assert missing == [("private_key", "is needed with the other one")]
    assert [field for field, _ in _take(MINE, acme_provider="letsencrypt")] == ["acme_provider"]


def test_a_name_that_is_none_does_not_get_in_the_way_of_its_own_fault() -> None:
    assert [field for field, _ in _take(MINE, "not a name")] == ["certificate"]


def test_it_is_a_chain_for_all_to_see_and_a_key_that_is_named_by_its_checksum() -> None:
    compiled = _compile(with_material(certificate()))
    chain, key = compiled.resources
    assert chain.key == "config:nginx/tls/example.com.crt"
    assert str(chain.content).startswith("-----BEGIN CERTIFICATE-----")
    assert (key.key, key.content) == ("config:nginx/private/example.com.key", None)
    assert key.secret is not None
    assert key.attributes["mode"] == "0600"
    assert compiled.secured is not None
    assert "Test Trust" in compiled.secured.message


def test_without_one_it_waits_for_the_authority_for_its_owner_or_says_what_the_matter_is() -> None:
    assert [r.code for r in _compile(certificate()).waiting] == ["Issuing"]
    assert [r.code for r in _compile(certificate(acme_provider=None)).blocked] == ["NotGiven"]
    troubled = replace(certificate(), kept={"trouble": _TROUBLE})
    assert [r.code for r in _compile(troubled).blocked] == ["NameFailed"]


def test_trouble_with_the_next_one_is_told_while_the_last_one_is_shown() -> None:
    one = with_material(certificate())
    one = replace(one, kept={**one.kept, "trouble": _TROUBLE})
    compiled = _compile(one)
    assert len(compiled.resources) == 2
    assert [note.code for note in compiled.notes] == ["NameFailed"]


def test_names_that_it_is_not_for_are_told_as_long_as_they_are_wanted() -> None:
    one = with_material(certificate(san_domains=["a.example.com"]))
    left = {name: {"message": "no address"} for name in ("a.example.com", "b.example.com")}
    (note,) = _compile(replace(one, kept={**one.kept, "left_out": left})).notes
    assert (note.code, note.message) == ("NamesLeftOut", "it is not for a.example.com: no address")


def test_names_that_ones_own_is_not_for_are_told() -> None:
    values = {"acme_provider": None, "san_domains": ["www.example.com", "a.b.example.com"]}
    one = with_material(certificate(**values), "example.com", "*.example.com")
    (note,) = _compile(one).notes
    told = "it is not for a.b.example.com: the one that was given is for other names"
    assert (note.code, note.message) == ("NamesLeftOut", told)
    assert _compile(with_material(certificate(acme_provider=None), "example.com")).notes == ()


def test_trouble_is_told_as_long_as_it_is_about_what_is_asked_for() -> None:
    of = {"of": ["letsencrypt", "http01"]}
    left = {"a.example.com": {**of, "message": "no address"}}
    kept = {"trouble": {**_TROUBLE, **of}, "left_out": left}
    one = replace(certificate(san_domains=["a.example.com"]), kept=kept)
    assert [r.code for r in _compile(one).blocked] == ["NameFailed"]
    other = replace(one, spec=certificate(san_domains=["a.example.com"], acme_provider="zerossl").spec)
    assert [r.code for r in _compile(other).waiting] == ["Issuing"]
    there = with_material(other, "example.com")
    assert _compile(replace(there, kept={**there.kept, **kept})).notes == ()


def test_a_wildcard_whose_zone_went_is_told_when_it_is_not_in_the_chain() -> None:
    values = {"acme_challenge_type": "dns01", "is_wildcard": True, "san_domains": ["*.example.org"]}
    one = with_material(certificate(**values), "example.com", "*.example.com")
    left_out, unrenewable = _compile(one).notes
    assert "it is not for *.example.org:" in left_out.message
    assert "example.com:" not in left_out.message
    assert (unrenewable.code, "for *.example.com:" in unrenewable.message) == ("ZoneNotHosted", True)
    assert "example.org:" not in unrenewable.message


def test_one_that_is_switched_off_is_nowhere_and_one_of_nobody_is_blocked() -> None:
    assert _compile(with_material(certificate(is_active=False))).resources == ()
    assert [r.code for r in _compile(certificate(), user("bob")).blocked] == ["OwnerHasNoAccount"]
    assert [r.code for r in _compile(certificate(), user(role="admin")).blocked] == ["OwnerHasNoAccount"]


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ({"acme_provider": None}, "give the next one"),
        ({"auto_renew": False}, "ask for it to be renewed"),
        ({}, ""),
    ],
)
def test_one_that_ends_soon_says_so_where_nobody_renews_it(values: dict[str, Any], remedy: str) -> None:
    one = with_material(certificate(**values), "example.com")
    compiled = _compile(one, now=NOW + timedelta(days=80))
    assert [note.code for note in compiled.notes] == (["EndsSoon"] if remedy else [])
    assert all(remedy in note.message for note in compiled.notes)
    assert compiled.blocked == ()
    assert _compile(one, now=NOW).notes == ()


@pytest.mark.parametrize(
    ("values", "remedy"), [({"acme_provider": None}, "give the next one"), ({}, "it is asked for anew")]
)
def test_one_that_has_ended_is_not_ready_nor_secured_and_stays_on_its_host(
    values: dict[str, Any], remedy: str
) -> None:
    compiled = _compile(with_material(certificate(**values), "example.com"), now=NOW + timedelta(days=91))
    (reason,) = compiled.blocked
    assert (reason.code, remedy in reason.message, compiled.secured) == ("Ended", True, None)
    assert compiled.notes[0] == reason
    assert len(compiled.resources) == 2
