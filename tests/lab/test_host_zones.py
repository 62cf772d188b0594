"""Zones on a real host: BIND judges, loads just what differs, refuses, and falls back."""

from collections.abc import Iterator

import pytest

from state import resource
from state.resource import Resource
from tests.lab.test_host_configs import current, statuses
from tests.playbooks.remote import Hands, change, hands

pytestmark = pytest.mark.lab
LIVE = "/etc/ghostcp/live/named"


@pytest.fixture(scope="module")
def host() -> Iterator[Hands]:
    with hands("hostzones") as found:
        yield found


def zone(name: str, serial: int, *lines: str) -> Resource:
    head = f"@ 300 IN SOA ns.example.net. a.example.net. {serial} 3600 1800 1209600 300"
    text = "\n".join((f"$ORIGIN {name}.", head, "@ 300 IN NS ns.example.net.", *lines, ""))
    return resource.config("named", f"{name}.zone", text)


def options(name: str, more: str = "") -> Resource:
    file = f'file "{LIVE}/{name}.zone";'
    return resource.config("named", f"{name}.conf", f'zone "{name}" {{ type primary; {file} {more} }};\n')


def served(host: Hands, name: str) -> str:
    return host.run("dig", "+short", "@127.0.0.1", name, "SOA")


def test_new_and_changed_zones_are_served_when_the_answer_comes(host: Hands) -> None:
    for serial in (1, 2, 3):
        response = host.make(
            zone("alice.test", serial, f"www 60 IN A 192.0.2.{serial}"), options("alice.test")
        )
        assert set(statuses(response)) == {"applied"}
        assert f" {serial} " in served(host, "alice.test")
        assert host.run("dig", "+short", "@127.0.0.1", "www.alice.test", "A") == f"192.0.2.{serial}\n"
    assert current(host, "named") == [{"active": True, "current": True}]
    host.remove(zone("alice.test", 3), options("alice.test"))
    assert served(host, "alice.test") == ""


def test_bad_zones_of_many_are_found_each_with_its_words_and_the_rest_is_served(host: Hands) -> None:
    wrong = {3: "@ 60 IN NS inside", 7: "www 60 IN A nonsense", 11: "@ 60 IN CNAME x."}
    several = [zone(f"z{n}.test", 1, *([wrong[n]] if n in wrong else ())) for n in range(30)]
    response = host.make(*several, *(options(f"z{n}.test") for n in range(30)))
    found = {each.name: response["results"][each.key] for each in several}
    assert {name for name, result in found.items() if result["status"] != "applied"} == {
        f"named/z{n}.test.zone" for n in wrong
    }
    assert "has no address records" in found["named/z3.test.zone"]["message"]
    assert "bad dotted quad" in found["named/z7.test.zone"]["message"]
    assert "nonsense" not in found["named/z3.test.zone"]["message"]
    assert " 1 " in served(host, "z29.test")
    assert served(host, "z7.test") == ""


def test_a_zone_that_only_the_name_server_itself_refuses_is_refused_alone_and_at_once(host: Hands) -> None:
    """named has limits that its checker does not know: 100 records of a type at a name."""
    host.make(zone("erin.test", 1, "www 60 IN A 192.0.2.1"), options("erin.test"))
    many = [f"pool 60 IN A 10.0.0.{number}" for number in range(1, 102)]
    crowded, frank = zone("crowded.test", 1, *many), zone("frank.test", 1)
    erin = host.look("config:named/erin.test.zone")["config:named/erin.test.zone"]
    response = host.apply(
        change(zone("erin.test", 2, *many), erin, document="erin"),
        *(change(it, None, document="crowded") for it in (crowded, options("crowded.test"))),
        *(change(it, None, document="frank") for it in (frank, options("frank.test"))),
    )
    results = {key: result["status"] for key, result in response["results"].items()}
    assert results == {
        "config:named/erin.test.zone": "refused",
        "config:named/crowded.test.zone": "refused",
        "config:named/crowded.test.conf": "skipped",
        frank.key: "applied",
        options("frank.test").key: "applied",
    }
    assert "too many records" in response["results"][crowded.key]["message"]
    assert " 1 " in served(host, "frank.test")
    assert " 1 " in served(host, "erin.test")
    assert served(host, "crowded.test") == ""
    assert current(host, "named") == [{"active": True, "current": True}]


def test_bad_options_are_refused_and_the_others_go_live(host: Hands) -> None:
    bad = [zone("bob.test", 1), options("bob.test", "nonsense;")]
    response = host.make(*bad, zone("carol.test", 1), options("carol.test"))
    assert response["results"]["config:named/bob.test.conf"]["status"] == "refused"
    assert "unknown option" in response["results"]["config:named/bob.test.conf"]["message"]
    assert " 1 " in served(host, "carol.test")


def test_a_name_server_that_is_killed_meanwhile_serves_what_is_live(host: Hands) -> None:
    host.make(zone("dave.test", 1), options("dave.test"))
    host.shell("systemctl kill --signal=KILL named")
    response = host.make(zone("dave.test", 2), services=["named"])
    assert statuses(response) == ["applied"]
    assert " 2 " in served(host, "dave.test")


def test_thousands_of_zones_cost_little_and_one_of_them_less(host: Hands) -> None:
    many = [each for n in range(2000) for each in (zone(f"m{n}.test", 1), options(f"m{n}.test"))]
    response = host.make(*many)
    assert set(statuses(response)) == {"applied"}
    assert " 1 " in served(host, "m1999.test")
    response = host.make(zone("m1000.test", 2))
    assert statuses(response) == ["applied"]
    assert " 2 " in served(host, "m1000.test")
    assert response["timings"]["validate"] < 1
