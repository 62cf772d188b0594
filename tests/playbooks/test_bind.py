"""BIND's part of the hands that needs no BIND: what differs, what a complaint is about, what an answer says."""

import os
import re
import struct
from collections.abc import Sequence
from pathlib import Path

import dns.dnssec
import dns.message
import dns.rrset
import pytest

from playbooks.module_utils.ghostcp import bind, bind_check, bind_proof, generations, signing, soa
from playbooks.module_utils.ghostcp.bind_proof import Due
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.soa import Start
from playbooks.module_utils.ghostcp.validate import VALIDATORS, read
from playbooks.module_utils.ghostcp.wire import Change, Outcome

SIGNED = frozenset({1})

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
    assert bind_proof.serial(str(new), "fresh") == 5
    assert bind_proof.serial(str(new), "same") is None
    question = dns.message.make_query("example.com", "SOA")
    assert question.to_wire()[12:29] == soa.question("example.com")
    answer = dns.message.make_response(question)
    assert soa.start_in(answer.to_wire()) == Start()
    text = "ns1.example.com. hostmaster.example.com. 4294967295 1 2 3 4"
    answer.answer.append(dns.rrset.from_text("example.com.", 300, "IN", "SOA", text))
    for covered, tag in (("SOA", 4711), ("NS", 4712)):
        said = f"{covered} 13 2 300 20260401000000 20260301000000 {tag} example.com. AAAA"
        answer.answer.append(dns.rrset.from_text("example.com.", 300, "IN", "RRSIG", said))
    wire = answer.to_wire()
    assert soa.start_in(wire) == Start(2**32 - 1, frozenset({4711}))
    (signature,) = soa.start_in(wire).signatures
    assert struct.unpack_from("!H", signature, 16) == (4711,)
    assert all(soa.start_in(wire[:length]).serial in (None, 2**32 - 1) for length in range(12, len(wire)))


def test_the_tags_of_keys_are_found_in_an_answer() -> None:
    question = dns.message.make_query("example.com", "DNSKEY")
    assert question.to_wire()[12:29] == soa.question("example.com", 48)
    answer = dns.message.make_response(question)
    assert soa.keys_in(answer.to_wire()) == frozenset()
    keys = dns.rrset.from_text_list(
        "example.com.", 300, "IN", "DNSKEY", ["257 3 13 AAAB", "256 3 8 //8BAg=="]
    )
    answer.answer.append(keys)
    wire = answer.to_wire()
    assert soa.keys_in(wire) == {dns.dnssec.key_id(key) for key in keys}
    assert soa.keys_in(wire[:40]) == soa.keys_in(wire[:7]) == frozenset()


@pytest.mark.parametrize(
    ("starts", "keys", "found"),
    [
        ({"s": Start(5, SIGNED)}, {"s": SIGNED}, {"s": Start(5, SIGNED)}),
        ({"s": Start(5, SIGNED)}, {"s": frozenset({2})}, {"s": Start(5, frozenset({1, 2}))}),
        ({"s": Start(5)}, {"s": SIGNED}, {"s": Start(5)}),
        ({"s": Start(5, SIGNED)}, {}, {}),
        ({"p": Start(5)}, {}, {"p": Start(5)}),
        ({}, {}, {}),
    ],
)
def test_what_is_served_of_a_signed_zone_is_its_start_with_all_of_its_keys(
    starts: dict[str, Start],
    keys: dict[str, frozenset[int]],
    found: dict[str, Start],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(soa, "starts", lambda zones: {zone: starts[zone] for zone in zones if zone in starts})
    monkeypatch.setattr(soa, "keys", lambda zones: {zone: keys[zone] for zone in zones if zone in keys})
    due = {"s": Due(5, 1), "p": Due(5)}
    assert bind_proof.served(due) == found
    assert bind_proof.of_others(due) == [zone for zone, tags in keys.items() if tags == {2}]


@pytest.mark.parametrize(
    ("due", "met"),
    [
        (Due(), [Start()]),
        (Due(5), [Start(5)]),
        (Due(5, 1), [Start(5, SIGNED), Start(6, SIGNED)]),
        (Due(5, 1, beyond=5), [Start(6, SIGNED)]),
        (Due(2**32 - 1, 1), [Start(5, SIGNED), Start(6, SIGNED)]),
    ],
)
def test_what_is_due_is_met_by_that_alone(due: Due, met: list[Start]) -> None:
    several = (Start(), Start(4), Start(5), Start(6), *(Start(n, SIGNED) for n in (4, 5, 6)))
    other = [Start(n, frozenset({2})) for n in (5, 6)]
    assert [each for each in (*several, *other) if due.met(each)] == (
        met if due.serial != 2**32 - 1 else [Start(4, SIGNED), *met]
    )
    assert not due.met(None)


def test_a_zone_is_due_as_its_files_are_and_beyond_what_is_served_where_it_was_signed_before(
    trees: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = trees
    for tree, serial in ((old, 7), (new, 8)):
        (tree / "named/changed.conf").write_text('key-directory "/live/private/dnssec/changed/42";\n')
        (tree / "named/changed.zone").write_text(f"@ 300 IN SOA a. b. {serial} 1 1 1 1\n")
    monkeypatch.setattr(soa, "starts", lambda zones: dict.fromkeys(zones, Start(9, frozenset({42}))))
    found = bind_proof.due(bind.difference(str(old), str(new)), str(new), str(old))
    assert {zone: (each.serial, each.tag, each.beyond) for zone, each in found.items()} == {
        "changed": (8, 42, 9),
        "fresh": (5, None, None),
        "gone": (None, None, None),
    }
    afresh = bind_proof.due(bind.everything(str(new)), str(new), None)
    assert (afresh["changed"].serial, afresh["changed"].beyond) == (8, None)


@pytest.mark.parametrize(
    ("loaded", "text", "back"),
    [
        (7, "mine", {}),
        (8, "mine", {}),
        (8, "yours", {"changed": True}),
        (9, "mine", {"changed": False}),
        (None, "mine", {}),
    ],
)
def test_a_signed_zone_goes_back_to_an_earlier_serial_or_to_another_text_of_the_same(
    trees: tuple[Path, Path], loaded: int | None, text: str, back: dict[str, bool]
) -> None:
    old, new = trees
    (new / "named/changed.zone").write_text("@ 300 IN SOA a. b. 8 1 1 1 1\nmine\n")
    before = "" if loaded is None else f"@ 300 IN SOA a. b. {loaded} 1 1 1 1\n{text}\n"
    (old / "named/changed.zone").write_text(before)
    assert bind_proof.gone_back(Host("/", silent), ["changed"], str(new), str(old)) == back


@pytest.mark.parametrize(
    ("said", "back"), [("serial: 9\n", {"changed": False}), ("serial: 8\n", {}), ("", {})]
)
def test_what_named_says_of_a_signed_zone_counts_where_it_is_not_known_what_it_loaded(
    trees: tuple[Path, Path], said: str, back: dict[str, bool]
) -> None:
    _, new = trees
    (new / "named/changed.zone").write_text("@ 300 IN SOA a. b. 8 1 1 1 1\n")
    host = Host("/", lambda *_: (0 if said else 1, said))
    assert bind_proof.gone_back(host, ["changed"], str(new), None) == back


@pytest.mark.parametrize("same", [False, True])
def test_what_is_forgotten_of_a_signed_zone_that_goes_back(host: Host, same: bool) -> None:
    place = Path(host.path(signing.PLACE))
    place.mkdir(parents=True)
    for ending in ("", ".jnl", ".signed", ".signed.jnl"):
        (place / f"a.test.zone{ending}").touch()
    signing.forget(host, {"a.test": same, "b.test": same})
    left = {each.name for each in place.iterdir()}
    assert left == ({"a.test.zone"} if same else {f"a.test.zone{e}" for e in ("", ".signed", ".signed.jnl")})


def test_the_place_of_a_signed_zone_is_a_link_and_goes_with_all_that_was_made_beside_it(host: Host) -> None:
    place = Path(host.path(signing.PLACE))
    assert signing.observe(host, ["a.test"]) == {"a.test": None}
    assert make("a.test", host).status == "failed"
    place.mkdir(parents=True)
    assert make("a.test", host).good
    assert signing.observe(host, ["a.test", "b.test", "../x"]) == {
        "a.test": {"source": "/there"},
        "b.test": None,
        "../x": {"obstructed": "invalid name"},
    }
    (place / "a.test.zone.signed").touch()
    (place / "b.test.zone").touch()
    assert signing.observe(host, ["b.test"]) == {"b.test": {"obstructed": "file"}}
    gone = Change("delete", "signing:a.test")
    assert all(outcome.good for outcome in signing.apply(host, [gone, gone]).values())
    assert [each.name for each in place.iterdir()] == ["b.test.zone"]


def test_the_place_of_signed_zones_is_not_looked_for_behind_a_link(host: Host, tmp_path: Path) -> None:
    place = Path(host.path(signing.PLACE))
    place.parent.mkdir(parents=True)
    place.symlink_to(tmp_path)
    assert make("a.test", host).status == "failed"
    assert signing.observe(host, ["a.test"]) == {"a.test": {"obstructed": "symlink"}}
    assert not (tmp_path / "a.test.zone").is_symlink()


def test_what_named_wrote_late_of_zones_that_are_gone_goes_before_the_next_one_comes(host: Host) -> None:
    place = Path(host.path(signing.PLACE))
    place.mkdir(parents=True)
    assert make("tmp-shop.test", host).good
    strays = ("tmp-0aBcDeFgHi", "gone.test.zone.signed", "gone.test.zone.signed.jnl")
    kept = (
        "tmp-shop.test.zone.jnl",
        "tmp-shop.test.zone.signed",
        "tmp-young.txt",
        "README",
        "live.test.zone.signed",
    )
    live = Path(host.path(generations.LIVE)) / "named"
    live.mkdir(parents=True)
    (live / "live.test.conf").write_text('key-directory "/live/private/dnssec/live.test/42";\n')
    for name in (*strays, *kept):
        (place / name).touch()
        os.utime(place / name, (0, 0))
    (place / "tmp-1aBcDeFgHi").touch()
    (place / "tmp-2aBcDeFgHi").mkdir()
    os.utime(place / "tmp-2aBcDeFgHi", (0, 0))
    (place / "gone.test.zone.jnl").touch()
    assert make("gone.test", host).good
    assert {each.name for each in place.iterdir()} == {
        *kept,
        "tmp-shop.test.zone",
        "gone.test.zone",
        "tmp-1aBcDeFgHi",
        "tmp-2aBcDeFgHi",
    }


def make(zone: str, host: Host) -> Outcome:
    change = Change("create", f"signing:{zone}", attributes={"source": "/there"})
    return signing.apply(host, [change])[change.key]


def silent(argv: Sequence[str], timeout: float) -> tuple[int, str]:
    return 1, ""
