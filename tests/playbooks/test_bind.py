"""BIND's part of the hands that needs no BIND: what differs, what a complaint is about, what an answer says."""

import re
from pathlib import Path

import dns.message
import dns.rrset
import pytest

from playbooks.module_utils.ghostcp import bind, bind_check, soa
from playbooks.module_utils.ghostcp.validate import VALIDATORS, read

COMPLAINT = """\
zone good.example/IN: good.example/MX 'mail.good.example' has no address records (A or AAAA)
zone good.example/IN: loaded serial 2024010101
zone bad.example/IN: NS 'ns1.bad.example' has no address records (A or AAAA)
zone bad.example/IN: not loaded due to errors.
dns_rdata_fromtext: /etc/ghostcp/live/named/worse.example.zone:6: near 'nonsense': bad dotted quad
zone worse.example/IN: loading from master file /etc/ghostcp/live/named/worse.example.zone failed: bad dotted quad
zone worse.example/IN: not loaded due to errors.
_default/bad.example/IN: bad zone
"""


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """Two trees with a zone in common, a changed one, and one that only either has."""
    old, new = tmp_path / "1", tmp_path / ".staged"
    for tree, own in ((old, "gone"), (new, "fresh")):
        (tree / "named").mkdir(parents=True)
        for name in ("changed.zone", f"{own}.zone", f"{own}.conf"):
            (tree / "named" / name).write_text(f"$ORIGIN x.\n@ 300 IN SOA a. b. {len(own)} 1 1 1 1\n")
    (old / "named/same.zone").write_text("same")
    (new / "named/same.zone").hardlink_to(old / "named/same.zone")
    return old, new


def test_what_differs_is_told_by_inodes(trees: tuple[Path, Path]) -> None:
    old, new = map(str, trees)
    assert bind.difference(old, new) == bind.Difference(
        frozenset({"changed", "fresh"}), frozenset({"gone"}), True
    )
    assert bind.difference(old, old) == bind.Difference()
    assert bind.difference(f"{old}/nowhere", new).changed == {"changed", "fresh", "same"}
    assert bind.everything(new).changed == {"changed", "fresh", "same"}


def test_only_what_differs_is_judged(trees: tuple[Path, Path]) -> None:
    old, new = map(str, trees)
    match = re.match("named", "named")
    assert match
    assert bind_check.options(match, old, old) == bind_check.zones(match, old, old) == ()
    assert bind_check.options(match, old, new) == (bind_check.CHECKER, bind_check.CONFIGURATION)
    *_, place = bind_check.zones(match, old, new)
    assert re.findall(r'zone "(\w+)"', Path(place).read_text()) == ["changed", "fresh"]


def test_a_complaint_is_about_the_zones_that_did_not_load_and_says_of_each_what_is_wrong_with_it() -> None:
    validator = next(each for each in VALIDATORS if each.blame)
    found = read(COMPLAINT, validator)
    assert set(found.files) == {"named/bad.example.zone", "named/worse.example.zone"}
    assert "has no address records" in found.words["named/bad.example.zone"]
    assert "line 6: near 'nonsense'" in found.words["named/worse.example.zone"]


def test_a_serial_is_found_in_a_file_and_in_an_answer(trees: tuple[Path, Path]) -> None:
    _, new = trees
    assert bind.serial(str(new), "fresh") == 5
    assert bind.serial(str(new), "same") is None
    question = dns.message.make_query("example.com", "SOA")
    assert question.to_wire()[12:29] == soa.question("example.com")
    answer = dns.message.make_response(question)
    assert soa.serial_in(answer.to_wire()) is None
    text = "ns1.example.com. hostmaster.example.com. 4294967295 1 2 3 4"
    answer.answer.append(dns.rrset.from_text("example.com.", 300, "IN", "SOA", text))
    wire = answer.to_wire()
    assert soa.serial_in(wire) == 2**32 - 1
    assert all(soa.serial_in(wire[:length]) in (None, 2**32 - 1) for length in range(12, len(wire)))
