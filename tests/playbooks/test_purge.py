"""What is destroyed of the quarantine, and what is not."""

from pathlib import Path

from playbooks.module_utils.ghostcp import purge
from playbooks.module_utils.ghostcp.host import Host
from state import resource
from tests.playbooks.calls import look, make, send
from tests.playbooks.remote import change

STAMP = "20260101T000000Z"


def put_aside(host: Host, *names: str) -> None:
    """Folders of these names, deleted by one apply for documents of the same names."""
    folders = [
        resource.directory(f"/home/{name}", owner="root", group="root", mode="0700", data=True)
        for name in names
    ]
    make(host, *folders)
    found = look(host, *(folder.key for folder in folders))
    gone = {"action": "delete", "attributes": None, "content": None, "data": True}
    send(host, *(change(f, found[f.key]) | gone | {"document": f.name[6:]} for f in folders))


def kept(host: Host) -> set[str]:
    """The names of the folders in quarantine."""
    entries = Path(host.path("/home/.quarantine")).glob("*[!n]")
    return {entry.name.split("_")[1].removeprefix("home-") for entry in entries if entry.is_dir()}


def request(*uids: str, stamp: str = STAMP) -> dict[str, object]:
    return {"token": 1, "stamp": stamp, "uids": list(uids)}


def test_a_purge_destroys_the_data_of_its_documents_and_of_no_other_of_the_same_apply(host: Host) -> None:
    put_aside(host, "anna", "bert")
    assert kept(host) == {"anna", "bert"}
    response = purge.purge(host, request("anna"))
    assert [result["status"] for result in response["results"].values()] == ["applied"]
    assert kept(host) == {"bert"}
    assert len(list(Path(host.path("/home/.quarantine")).glob("*.json"))) == 1


def test_a_purge_of_another_apply_destroys_nothing(host: Host) -> None:
    put_aside(host, "anna")
    assert purge.purge(host, request("anna", stamp="20260101T000001Z"))["results"] == {}
    assert kept(host) == {"anna"}


def test_what_has_no_note_is_left(host: Host) -> None:
    put_aside(host, "anna")
    for note in Path(host.path("/home/.quarantine")).glob("*.json"):
        note.unlink()
    assert purge.purge(host, request("anna"))["results"] == {}
    assert kept(host) == {"anna"}


def test_an_older_token_destroys_nothing(host: Host) -> None:
    put_aside(host, "anna")
    send(host, token=2)
    assert purge.purge(host, request("anna"))["fenced"] is True
    assert kept(host) == {"anna"}
