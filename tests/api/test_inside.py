"""Records that a zone's file carries inside: an edited one takes the place of the old one, and all else stays."""

from pathlib import Path
from typing import Any

import pytest

from commands.documents import posted
from state.files.folder import load
from tests.api.conftest import World

pytestmark = pytest.mark.usefixtures("worker")
FILE = """\
apiVersion: ghostcp/v1
kind: DnsZone
metadata: {{name: example.com, owner: anna}}
spec:
  template: none
  records:
    - {{name: "@", record_type: NS, value: ns1.example.net.}}
    - {{name: mail, record_type: A, value: {mail}}}
    - {{name: www, record_type: CNAME, value: {www}}}
"""


def _apply(world: World, folder: Path, mail: str, www: str) -> dict[str, Any]:
    return _apply_file(world, folder, FILE.format(mail=mail, www=www))


def _apply_file(world: World, folder: Path, text: str) -> dict[str, Any]:
    """The file as it is sent, planned and applied; the plan's report."""
    (folder / "zone.yaml").write_text(text)
    made = world.call("anna", "POST", "/plans?wait=20", json={"documents": posted(load(folder))})
    assert made.status_code == 201, made.text
    applied = world.call("anna", "POST", f"/plans/{made.json()['id']}/apply")
    assert applied.status_code == 200, applied.text
    return dict(made.json()["report"])


def _told(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What would be done, as lines of a zone file."""
    return sorted(
        (each["action"], each["line"]["before"] or "", each["line"]["after"] or "")
        for each in report["documents"]
    )


def _records(world: World) -> set[tuple[str, str, str]]:
    zone = world.call("anna", "GET", "/dns").json()["zones"][0]
    found = world.call("anna", "GET", f"/dns/{zone['id']}/records").json()["records"]
    return {(each["name"], each["record_type"], each["value"]) for each in found}


def test_an_edited_record_takes_the_place_of_the_old_one(world: World, tmp_path: Path) -> None:
    _apply(world, tmp_path, "192.0.2.2", "one.example.net.")
    zone = world.call("anna", "GET", "/dns").json()["zones"][0]
    by_hand = {"name": "mail", "record_type": "TXT", "value": "by hand"}
    assert world.call("anna", "POST", f"/dns/{zone['id']}/records", json=by_hand).status_code == 201
    report = _apply(world, tmp_path, "192.0.2.3", "two.example.net.")
    assert _told(report) == [
        ("create", "", "mail 3600 IN A 192.0.2.3"),
        ("create", "", "www 3600 IN CNAME two.example.net."),
        ("delete", "mail 3600 IN A 192.0.2.2", ""),
        ("delete", "www 3600 IN CNAME one.example.net.", ""),
    ]
    assert _records(world) == {
        ("@", "NS", "ns1.example.net."),
        ("mail", "A", "192.0.2.3"),
        ("mail", "TXT", "by hand"),
        ("www", "CNAME", "two.example.net."),
    }
    assert _apply(world, tmp_path, "192.0.2.3", "two.example.net.")["documents"] == []


def test_another_type_takes_the_place_of_what_cannot_be_beside_it(world: World, tmp_path: Path) -> None:
    _apply(world, tmp_path, "192.0.2.2", "mail")
    zone = world.call("anna", "GET", "/dns").json()["zones"][0]
    for name, more in (
        ("mail", {"value": "by hand"}),
        ("other", {"value": "x"}),
        ("www", {"is_active": False}),
    ):
        by_hand = {"name": name, "record_type": "TXT", "value": "off", **more}
        assert world.call("anna", "POST", f"/dns/{zone['id']}/records", json=by_hand).status_code == 201
    text = FILE.format(mail="192.0.2.2", www="mail")
    swapped = text.replace("mail, record_type: A, value: 192.0.2.2", "mail, record_type: CNAME, value: www")
    swapped = swapped.replace("www, record_type: CNAME, value: mail", "www, record_type: A, value: 192.0.2.2")
    assert _told(_apply_file(world, tmp_path, swapped)) == [
        ("create", "", "mail 3600 IN CNAME www.example.com."),
        ("create", "", "www 3600 IN A 192.0.2.2"),
        ("delete", "mail 3600 IN A 192.0.2.2", ""),
        ("delete", 'mail 3600 IN TXT "by hand"', ""),
        ("delete", "www 3600 IN CNAME mail.example.com.", ""),
    ]
    assert _records(world) == {
        ("@", "NS", "ns1.example.net."),
        ("mail", "CNAME", "www"),
        ("www", "A", "192.0.2.2"),
        ("other", "TXT", "x"),
        ("www", "TXT", "off"),
    }


def test_what_the_file_itself_has_twice_clashes_as_ever(world: World, tmp_path: Path) -> None:
    _apply(world, tmp_path, "192.0.2.2", "mail")
    (alias,) = (each for each in posted(load(tmp_path)) if each["spec"].get("name") == "www")
    spec = {"name": "www", "record_type": "A", "value": "192.0.2.2"}
    beside = {**alias, "metadata": {**alias["metadata"], "name": "www-a.example.com"}, "spec": spec}
    answer = world.call("anna", "POST", "/plans", json={"documents": [alias, beside]})
    assert answer.status_code == 422
    messages = [each["message"] for each in answer.json()["details"]["errors"]]
    assert messages == ["a CNAME stands alone at its name, and 'www' has others"] * 2
