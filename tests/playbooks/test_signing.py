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
        (tree / "private/dnssec/a.test").mkdir(parents=True)
        (tree / "private/dnssec/a.test/Ka.test.+013+00042.private").touch()
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
    assert bind.load(machine.host, machine.old) == problem
    assert (started in machine.ran) == torn
