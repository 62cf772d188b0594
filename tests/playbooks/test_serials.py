"""What serial is out of a zone whose file is not as wanted, by the name server and by the file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from playbooks.module_utils.ghostcp import facts, observe, resources, serials, soa
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.wire import digest

RIGHT = {"sha256": "0"}


@pytest.fixture
def folder(host: Host) -> Path:
    """Where the zones lie that are live."""
    generation = Path(host.path("/etc/ghostcp/generations/1"))
    (generation / "named").mkdir(parents=True)
    Path(host.path("/etc/ghostcp/live")).symlink_to("generations/1")
    return generation / "named"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The zones that the name server was asked for, of which it has one."""
    names: list[str] = []

    def answer(zones: Sequence[str]) -> Mapping[str, int | None]:
        names.extend(zones)
        return {zone: 5 if zone.startswith("served") else None for zone in zones}

    monkeypatch.setattr(soa, "serials", answer)
    return names


def _key(zone: str) -> str:
    return f"config:named/{zone}.zone"


def test_the_later_one_of_what_is_served_and_what_the_file_has_is_out(
    host: Host, folder: Path, asked: list[str]
) -> None:
    for zone, serial in (("served4", 4), ("served6", 6), ("file7", 7)):
        (folder / f"{zone}.zone").write_text(f"@ 300 IN SOA a. b. {serial} 1 1 1 1\n")
    (folder / "folder.zone").mkdir()
    found = {**dict.fromkeys(map(_key, ("served4", "served6", "file7")), RIGHT), _key("served"): None}
    found |= {_key("none"): None, _key("folder"): {"obstructed": "directory"}}
    others = dict.fromkeys(("config:nginx/a.zone", "config:named/a.conf", "served:a.test"))
    assert serials.out(host, {**found, **others}) == {
        _key("served4"): 5,
        _key("served6"): 6,
        _key("file7"): 7,
        _key("served"): 5,
    }
    assert asked == ["file7", "none", "served", "served4", "served6"]


def test_only_of_zones_that_are_wanted_otherwise_it_is_told(
    host: Host, folder: Path, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(facts, "gather", lambda _: {})
    (folder / "a.zone").write_text("a")
    response = observe.observe(host, {"resources": {_key("served"): "x", _key("served2"): ""}})
    assert response["out"] == {_key("served"): 5}
    assert asked == ["served"]
    right = digest(resources.observe(host, [_key("a")])[_key("a")] or {})
    assert observe.observe(host, {"resources": {_key("a"): right}})["out"] == {}
    assert asked == ["served"]
