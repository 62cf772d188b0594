"""Names in zones: relative, whole, and in any script."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.dns.names import above, absolute, owner_name, place_of, target_name

ZONE = "example.com"
LABEL = st.from_regex(r"[a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?", fullmatch=True)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("@", "@"),
        ("", "@"),
        ("www", "www"),
        ("WWW", "www"),
        ("*.dev", "*.dev"),
        ("*", "*"),
        ("_dmarc", "_dmarc"),
        ("example.com", "@"),
        ("example.com.", "@"),
        ("a.b.example.com", "a.b"),
        ("a.b.example.com.", "a.b"),
        ("a.b", "a.b"),
        ("badexample.com", "badexample.com"),
        ("com", "com"),
        ("bücher", "xn--bcher-kva"),
        ("bücher.example.com.", "xn--bcher-kva"),
    ],
)
def test_what_a_record_is_called(given: str, name: str) -> None:
    assert owner_name(given, ZONE) == name
    assert owner_name(name, ZONE) == name


@pytest.mark.parametrize(
    "name",
    [
        "www.example.com.example.com.",
        "www.example.com.example.com",
        "example.com.example.com.",
        "*.Example.com.example.com",
    ],
)
def test_a_name_that_would_mean_another_one_next_time_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"is a dot missing at the end of '.*example\.com'"):
        owner_name(name, ZONE)


@given(
    st.lists(st.sampled_from(["www", "example", "com", "*", "a_b", "@", "badexample"]), max_size=6),
    st.booleans(),
)
def test_what_is_stored_stays_what_it_is(labels: list[str], whole: bool) -> None:
    name = ".".join(labels) + "." * whole
    with suppress(ValueError):
        stored = owner_name(name, ZONE)
        assert owner_name(stored, ZONE) == stored == place_of(absolute(stored, f"{ZONE}."), ZONE)


def test_where_no_record_can_stand_has_no_place() -> None:
    assert place_of("www.example.com.", ZONE) == "www"
    assert place_of("www.example.com.example.com.", ZONE) == ""


def test_a_zone_in_another_script_is_known_in_either_form() -> None:
    assert owner_name("www.bücher.example", "xn--bcher-kva.example") == "www"
    assert owner_name("bücher.example", "xn--bcher-kva.example") == "@"


@pytest.mark.parametrize(
    "name",
    [
        "www.example.net.",
        "a..b",
        "-a",
        "a b",
        "a\n",
        "a;b",
        "a/b",
        "x" * 64,
        "a.*",
        "*a",
        "$INCLUDE",
        "\\000",
        "ü\u202e",
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        owner_name(name, ZONE)


def test_a_name_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        owner_name(".".join(["a" * 60] * 4), ZONE)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("@", "example.com."),
        (".", "."),
        ("mail", "mail.example.com."),
        ("mail.", "mail."),
        ("example.com", "example.com."),
        ("mail.example.net", "mail.example.net."),
        ("Mail.Example.NET.", "mail.example.net."),
        ("bücher.example", "xn--bcher-kva.example."),
        ("_sip._tcp.example.net.", "_sip._tcp.example.net."),
        ("example。net", "example.net."),
        ("bücher。net。", "xn--bcher-kva.net."),
    ],
)
def test_what_it_leads_to(given: str, name: str) -> None:
    assert target_name(given, ZONE) == name


@pytest.mark.parametrize(
    "name",
    [
        "192.0.2.1",
        "192.0.2.①1",
        "192。0。2。1",
        "2001:db8::1",
        "a b",
        "a;b",
        "a\\b",
        '"a"',
        "a..b",
        "*.example.net",
    ],
)
def test_it_leads_to_a_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        target_name(name, ZONE)


@given(st.lists(LABEL, min_size=1, max_size=4).map(".".join))
def test_a_whole_name_is_the_relative_one_again(name: str) -> None:
    assert owner_name(absolute(name, f"{ZONE}."), ZONE) == name
    assert owner_name(name, ZONE) == name
    assert absolute("@", f"{ZONE}.") == "example.com."


def test_the_names_above() -> None:
    assert list(above("a.b.c")) == ["a.b.c", "b.c", "c"]
    assert list(above("@")) == []
