"""Which records BIND loads is asked of BIND: the rules of the API are as strict as it is, and no stricter."""

import time
from itertools import groupby, islice
from random import Random

import pytest

from inventories import lab
from playbooks.module_utils.ghostcp.bind_check import _HEAD
from state.dns.authority import Start
from state.dns.values import PRIORITISED, rdata
from state.dns.zone import Entry, sort_out, zone_file
from tests.state.dns.odd import odd
from tests.state.dns.rules import LOADED, REFUSED

pytestmark = pytest.mark.lab
ZONE = "rules.test"
START = Start("ns1.example.net.", "a.example.net.", 3600, 1800, 1209600, 60)
NS = Entry("@", "NS", 60, "ns1.example.net.")


def loaded(host: lab.LabHost, texts: list[str]) -> list[bool]:
    """Whether named would load a zone with these lines, for each of the texts."""
    script = "mkdir -p /tmp/rules; cd /tmp/rules\n"
    for n, text in enumerate(texts):
        script += f"cat > zone <<'END'\n{text}\nEND\n"
        script += (
            f"""echo '{_HEAD.strip()} zone "{ZONE}" {{ type primary; file "/tmp/rules/zone"; }};' > conf\n"""
        )
        script += f"named-checkconf -z conf >/dev/null && echo {n} yes || echo {n} no\n"
    done = lab.exec(host, ["sh", "-s"], stdin=script + "rm -r /tmp/rules\n")
    assert done.returncode == 0, done.stderr
    return [line.endswith("yes") for line in done.stdout.splitlines()]


def test_bind_loads_what_is_taken_and_not_what_is_refused(lab_host: lab.LabHost) -> None:
    rules = [*LOADED, *REFUSED]
    texts = []
    for rule in rules:
        name, record_type, value, priority = rule
        said = f"{priority} {value}" if record_type in PRIORITISED else value
        text = rdata(record_type, value, priority, ZONE) if rule in LOADED else said
        texts.append(zone_file(ZONE, START, 1, [NS], tail=[f"{name} 60 IN {record_type} {text}"]))
    found = loaded(lab_host, texts)
    assert [rule for rule, right in zip(rules, found, strict=True) if right != (rule in LOADED)] == []


def test_bind_loads_whatever_odd_is_taken(lab_host: lab.LabHost) -> None:
    entries = [NS]
    for n, (name, record_type, text) in enumerate(islice(odd(Random(time.time_ns())), 4000)):
        entries.append(Entry(f"{name}.{n}", record_type, 60, text))
        entries += [Entry(f"{name}.{n}", "NS", 60, NS.text)] if record_type == "DS" else []
    taken = sort_out(entries, ZONE)[0]
    if loaded(lab_host, [zone_file(ZONE, START, 1, taken)]) != [True]:
        alone = [[NS, *found] for _, found in groupby(taken[1:], key=lambda entry: entry.name)]
        each = loaded(lab_host, [zone_file(ZONE, START, 1, found) for found in alone])
        assert [found[1:] for found, right in zip(alone, each, strict=True) if not right] == []
        pytest.fail("these records are loaded one by one, and not together")


def test_bind_loads_as_much_at_one_name_as_is_taken(lab_host: lab.LabHost) -> None:
    def text(*sizes: int) -> str:
        return zone_file(ZONE, START, 1, [NS, *taken(*sizes)])

    def taken(*sizes: int) -> list[Entry]:
        texts = (rdata("TXT", f"{n}{'x' * size}", 0, ZONE) for n, size in enumerate(sizes))
        entries = [Entry("www", "TXT", 60, text, str(n)) for n, text in enumerate(texts)]
        return [entry for entry in sort_out([NS, *entries], ZONE)[0] if entry != NS]

    assert [len(taken(*sizes)) for sizes in ((29_000, 29_000), (29_000, 35_000), (59_000,))] == [2, 1, 1]
    assert loaded(lab_host, [text(29_000, 29_000), text(29_000, 35_000), text(59_000)]) == [True] * 3


@pytest.mark.parametrize(
    ("server", "beside"),
    [
        ("ns1", []),
        ("a.b", []),
        ("ns1", [Entry("ns1", "TXT", 60, '"x"')]),
        ("ns1", [Entry("below.ns1", "TXT", 60, '"x"')]),
        ("a.b", [Entry("b", "TXT", 60, '"x"')]),
        ("a.b", [Entry("b", "TXT", 60, '"x"'), Entry("*.b", "A", 60, "192.0.2.1")]),
    ],
)
def test_bind_sees_the_addresses_of_wildcards_that_we_see(
    lab_host: lab.LabHost, server: str, beside: list[Entry]
) -> None:
    name = Entry("@", "NS", 60, f"{server}.{ZONE}.")
    entries = [name, *beside, Entry("*", "A", 60, "192.0.2.1")]
    taken = name in sort_out(entries, ZONE)[0]
    assert loaded(lab_host, [zone_file(ZONE, START, 1, entries)]) == [taken]
