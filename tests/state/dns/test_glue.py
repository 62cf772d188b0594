"""Addresses by wildcards: as BIND sees them when it loads a zone."""

import pytest

from state.dns.glue import by_wildcard


@pytest.mark.parametrize(
    ("name", "addressed", "there", "found"),
    [
        ("ns1", {"*"}, {"*"}, True),
        ("a.b", {"*"}, {"*"}, True),
        ("ns1", {"*"}, {"*", "ns1"}, False),
        ("a.b", {"*"}, {"*", "b"}, False),
        ("a.b", {"*.b"}, {"*.b", "b"}, True),
        ("a.b", {"*.c"}, {"*.c", "c"}, False),
        ("ns.sub", {"*"}, {"*", "sub"}, False),
        ("ns.sub", {"*.sub"}, {"*.sub", "sub"}, False),
        ("@", {"*"}, {"*"}, False),
    ],
)
def test_a_wildcard_stands_for_what_is_not_there(
    name: str, addressed: set[str], there: set[str], found: bool
) -> None:
    assert by_wildcard(name, addressed, there, {"sub"}) is found
