"""What named is made to forget of zones that it signs, so that it compares what is live with all of that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from playbooks.module_utils.ghostcp import bind, bind_proof, signing, soa
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.soa import Start

TEXT = "@ 300 IN SOA a. b. {} 1 1 1 1\n{}\n"
MADE = frozenset({"a.test.zone.jnl", "a.test.zone.signed"})


@dataclass
class Machine:
    """A host with two generations of a signed zone, of which the second one is live, and what its commands say."""

    root: Path
    words: str = ""
    ran: list[tuple[str, ...]] = field(default_factory=list)
    refused: tuple[str, ...] = ()

    @property
    def host(self) -> Host:
        return Host(str(self.root), self._run)

    @property
    def old(self) -> str:
        return str(self.root / "etc/ghostcp/generations/1")

    def left(self) -> set[str]:
        """What named has made for the zone."""
        return {path.name for path in (self.root / signing.PLACE.lstrip("/")).iterdir()}

    def _run(self, argv: Sequence[str], timeout: float) -> tuple[int, str]:
        self.ran.append(tuple(argv))
        return int(tuple(argv) == self.refused), self.words if argv[0] == "journalctl" else ""


def _machine(root: Path, before: tuple[int, str], after: tuple[int, str]) -> Machine:
    for number, (serial, words) in enumerate((before, after), start=1):
        tree = root / f"etc/ghostcp/generations/{number}/named"
        tree.mkdir(parents=True)
        (tree / "a.test.conf").write_text('key-directory "/live/private/dnssec/a.test/42";\n')
        (tree / "a.test.zone").write_text(TEXT.format(serial, words))
        (tree / "plain.test.zone").write_text(TEXT.format(serial, words))
    (root / "etc/ghostcp/live").symlink_to("generations/2")
    place = root / signing.PLACE.lstrip("/")
    place.mkdir(parents=True)
    for name in MADE:
        (place / name).touch()
    return Machine(root)


@pytest.mark.parametrize(
    ("before", "after", "known", "left"),
    [
        ((3, "x"), (4, "y"), True, MADE),
        ((4, "x"), (3, "y"), True, {"a.test.zone.signed"}),
        ((3, "x"), (3, "y"), True, set()),
        ((3, "x"), (3, "x"), True, MADE),
        ((3, "x"), (4, "y"), False, {"a.test.zone.signed"}),
    ],
)
def test_before_named_starts_it_forgets_what_it_would_take_for_later_than_what_is_live(
    tmp_path: Path, before: tuple[int, str], after: tuple[int, str], known: bool, left: set[str]
) -> None:
    machine = _machine(tmp_path, before, after)
    bind.prepare(machine.host, machine.old if known else None)
    assert machine.left() == left
    assert machine.ran == []


@pytest.mark.parametrize(
    ("torn", "refused", "problem"),
    [
        (True, "", ""),
        (True, "start", "systemctl start named.service: "),
        (
            False,
            "",
            "a.test: serial 4 or a later one, signed by key 42, is wanted, and 3 signed by key 42 is served",
        ),
    ],
)
def test_what_named_cannot_put_together_with_what_it_signed_it_compares_with_all_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: bool, refused: str, problem: str
) -> None:
    machine = _machine(tmp_path, (3, "x"), (4, "y"))
    if torn:
        machine.words = "zone a.test/IN (signed): receive_secure_serial: not exact\n"
    machine.refused = ("systemctl", refused, "named.service")
    monkeypatch.setattr(bind_proof, "SECONDS", 0.1)
    started = ("systemctl", "start", "named.service")

    def answer(zones: Sequence[str]) -> Mapping[str, Start]:
        again = started in machine.ran
        assert machine.left() == (MADE - {"a.test.zone.jnl"} if again else MADE)
        plain = {"plain.test": Start(4)}
        return {"a.test": Start(4 if again else 3, frozenset({42}))} | plain

    monkeypatch.setattr(soa, "starts", answer)
    monkeypatch.setattr(soa, "keys", lambda zones: dict.fromkeys(zones, frozenset({42})))
    assert bind.load(machine.host, machine.old) == problem
    assert (started in machine.ran) == torn


def _with_another_key(machine: Machine) -> Machine:
    """The zone of before was another one of the name."""
    options = Path(machine.old) / "named/a.test.conf"
    options.write_text(options.read_text().replace("42", "7"))
    return machine


def test_before_named_starts_it_forgets_another_zone_of_the_name(tmp_path: Path) -> None:
    machine = _with_another_key(_machine(tmp_path, (3, "x"), (4, "y")))
    bind.prepare(machine.host, machine.old)
    assert machine.left() == set()


@pytest.mark.parametrize("known", [True, False])
def test_what_named_has_keys_of_another_zone_of_the_name_for_it_signs_afresh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: bool
) -> None:
    machine = _with_another_key(_machine(tmp_path, (3, "x"), (4, "y")))
    monkeypatch.setattr(bind_proof, "SECONDS", 0.1)
    started = ("systemctl", "start", "named.service")

    def keys(zones: Sequence[str]) -> Mapping[str, frozenset[int]]:
        return dict.fromkeys(zones, frozenset({42 if started in machine.ran else 7}))

    def answer(zones: Sequence[str]) -> Mapping[str, Start]:
        return {zone: Start(4, frozenset({42} if zone == "a.test" else ())) for zone in zones}

    monkeypatch.setattr(soa, "starts", answer)
    monkeypatch.setattr(soa, "keys", keys)
    assert bind.load(machine.host, machine.old if known else None) == ""
    assert started in machine.ran
    assert machine.left() == set()


def test_a_zone_that_is_told_again_signs_afresh_what_has_keys_of_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = _machine(tmp_path, (3, "x"), (4, "y"))
    monkeypatch.setattr(bind_proof, "SECONDS", 0.1)
    started = ("systemctl", "start", "named.service")
    monkeypatch.setattr(soa, "starts", lambda zones: dict.fromkeys(zones, Start(4, frozenset({42}))))
    monkeypatch.setattr(
        soa,
        "keys",
        lambda zones: dict.fromkeys(zones, frozenset({42, *(() if started in machine.ran else (7,))})),
    )
    assert bind.load_again(machine.host, ["a.test"]) == ""
    assert machine.left() == set()
