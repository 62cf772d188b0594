"""Names that everyone shares: which are legal, and whose they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state import names
from state.names import (
    SYSTEM_ACCOUNTS,
    alias_name,
    host_name,
    parents,
    registrable,
    tag,
    user_name,
    with_a_labels,
    with_u_labels,
)
from tests.state.companies import HOST_NAMES, LAW


@pytest.mark.parametrize("name", ["a", "anna", "a-b_c9", "x" * 32])
def test_a_portable_login_name_is_legal(name: str) -> None:
    assert user_name(name) == name


@pytest.mark.parametrize("name", ["", "A", "9a", "_a", "-a", "a.b", "a b", "a\n", "ä", "x" * 33, "a/b"])
def test_anything_else_is_no_login_name(name: str) -> None:
    with pytest.raises(ValueError, match="must be 1-32"):
        user_name(name)


@pytest.mark.parametrize("name", ["root", "www-data", "postgres", "admin", "systemd-network", "test-admin"])
def test_the_systems_accounts_are_reserved(name: str) -> None:
    assert name in SYSTEM_ACCOUNTS
    with pytest.raises(ValueError, match="reserved"):
        user_name(name)


@pytest.mark.parametrize(
    ("given_name", "canonical"),
    [
        ("example.com", "example.com"),
        ("Example.COM", "example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("한국어abc.kr", "xn--abc-lt8l948gbwt.kr"),
        ("example。com", "example.com"),
        ("www.ck", "www.ck"),
        ("city.kawasaki.jp", "city.kawasaki.jp"),
        ("a.b.c.d.example.co.uk", "a.b.c.d.example.co.uk"),
    ],
)
def test_a_domain_name_is_its_a_label_in_lower_case(given_name: str, canonical: str) -> None:
    assert host_name(given_name) == canonical


@LAW
@given(st.from_regex(names._ORDINARY, fullmatch=True).filter(lambda name: len(name) <= 253))
def test_an_ordinary_domain_name_is_its_own_a_label(name: str) -> None:
    assert names._a_label(name) == name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "is not a domain name"),
        ("a b.com", "spaces"),
        ("a\n.com", "control"),
        ("example.com\n", "control"),
        ("a\u200b.com", "control"),
        ("a" * 1025, "control characters or spaces"),
        ("a..com", "is not a domain name"),
        ("-a.com", "is not a domain name"),
        ("a_b.com", "is not a domain name"),
        ("a;b.com", "is not a domain name"),
        ("xn--a.com", "is not a domain name"),
        ("x" * 64 + ".com", "is not a domain name"),
        ("localhost", "fully qualified"),
        ("example.com.", "ends with a dot: write it without"),
        ("EXAMPLE.net.", "ends with a dot"),
        ("localhost.", "ends with a dot"),
        ("example.com\u3002", "ends with a dot"),
        ("192.0.2.1", "fully qualified"),
        ("2001:db8::1", "is not a domain name"),
        (".".join(["x" * 63] * 4) + ".com", "domain"),
    ],
)
def test_anything_else_is_no_domain_name(name: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        host_name(name)


@pytest.mark.parametrize(
    "name", ["co.uk", "github.io", "foo.ck", "x.kawasaki.jp", "公司.cn", "s3.amazonaws.com"]
)
def test_a_public_suffix_belongs_to_nobody(name: str) -> None:
    with pytest.raises(ValueError, match="public suffix"):
        host_name(name)


@pytest.mark.parametrize("name", ["аpple.com", "gοοgle.com", "paypаl.example", "日本кафе.jp"])
def test_a_label_of_mixed_scripts_is_refused_as_a_look_alike(name: str) -> None:
    with pytest.raises(ValueError, match="mixes scripts"):
        host_name(name)


def test_east_asian_scripts_go_together_and_with_latin() -> None:
    assert host_name("日本カタカナひらがなabc.jp").startswith("xn--")


def test_an_alias_may_have_one_wildcard_at_the_left() -> None:
    assert alias_name("*.Example.com") == "*.example.com"
    assert alias_name("www.example.com") == "www.example.com"


@pytest.mark.parametrize(
    "name", ["*", "*.", "*.*.example.com", "a.*.example.com", "*.co.uk", "*example.com", "*.com"]
)
def test_no_other_wildcard_is_an_alias(name: str) -> None:
    with pytest.raises(ValueError, match=r"is|domain"):
        alias_name(name)


@pytest.mark.parametrize(
    ("name", "base"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("*.example.com", "example.com"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("a.tenant.github.io", "tenant.github.io"),
        ("a.b.shop.example", "shop.example"),
        ("www.ck", "www.ck"),
        ("a.www.ck", "www.ck"),
        ("a.b.foo.ck", "b.foo.ck"),
        ("co.uk", "co.uk"),
        ("localhost", "localhost"),
    ],
)
def test_what_is_registered_is_one_label_below_the_public_suffix(name: str, base: str) -> None:
    assert registrable(name) == base


def test_parents_are_the_names_above_down_to_what_is_registered() -> None:
    assert list(parents("a.b.example.co.uk")) == ["b.example.co.uk", "example.co.uk"]
    assert list(parents("*.example.com")) == ["example.com"]
    assert list(parents("example.com")) == []


@LAW
@given(HOST_NAMES)
def test_a_canonical_name_stays_as_it_is_and_is_at_or_below_what_is_registered(name: str) -> None:
    assert host_name(name) == name
    assert f".{name}".endswith(f".{registrable(name)}")
    assert registrable(registrable(name)) == registrable(name)


@LAW
@given(st.lists(st.text(max_size=60), max_size=10, unique=True))
def test_a_tag_is_short_plain_and_of_one_name(names: list[str]) -> None:
    tags = {tag(name) for name in names}
    assert len(tags) == len(names)
    assert all(len(each) <= 32 and set(each) <= set("abcdefghijklmnopqrstuvwxyz0123456789_") for each in tags)


@pytest.mark.parametrize(
    ("written", "stored"),
    [("bücher.example", "xn--bcher-kva.example"), ("*.käse", "*.xn--kse-qla"), ("@", "@"), ("www", "www")],
)
def test_a_name_has_two_forms(written: str, stored: str) -> None:
    assert with_a_labels(written) == with_a_labels(stored) == stored
    assert with_u_labels(stored) == with_u_labels(written) == written


@pytest.mark.parametrize("label", ["xn--zz", "xn--a-ecp.example", "xn--"])
def test_what_is_no_u_label_stays_as_it_is(label: str) -> None:
    assert with_u_labels(label) == label


@pytest.mark.parametrize("label", ["\u200dx", "-ü"])
def test_what_is_no_a_label_stays_as_it_is(label: str) -> None:
    assert with_a_labels(label) == label
