"""`plan`, `apply` and `diff`: what they print, what they do, and how they end."""

import json
from pathlib import Path

import pytest

from tests.commands.conftest import Run
from tests.commands.stub import Api

USER = "apiVersion: ghostcp/v1\nkind: User\nmetadata: {name: anna}\nspec: {email: a@anna.example}\n"
PACKAGE = "---\napiVersion: ghostcp/v1\nkind: Package\nmetadata: {name: p}\nspec: {}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "desired"
    place.mkdir()
    (place / "all.yaml").write_text(USER + PACKAGE)
    return place


def test_a_plan_changes_nothing_and_says_so_by_its_status(ask: Run, api: Api, folder: Path) -> None:
    ended = ask("plan", "-f", folder)
    assert ended.status == 2
    assert "+ User anna" in ended.out
    assert api.documents == {}


def test_a_plan_without_changes_ends_with_zero(ask: Run, folder: Path) -> None:
    assert ask("apply", "-f", folder).status == 0
    assert ask("plan", "-f", folder).status == 0


def test_a_plan_that_the_guard_forbids_ends_with_three(ask: Run, api: Api, folder: Path) -> None:
    api.guard = "9 of 9 documents would be deleted"
    assert ask("plan", "-f", folder, "--prune").status == 3
    ended = ask("apply", "-f", folder, "--prune")
    assert ended.status == 3
    assert "9 of 9 documents would be deleted" in ended.err
    assert api.documents == {}


def test_a_plan_can_be_had_as_json_and_markdown(ask: Run, folder: Path) -> None:
    assert json.loads(ask("plan", "-f", folder, "--format", "json").out)["version"] == 1
    assert ask("plan", "-f", folder, "--format", "markdown").out.startswith("# Plan")


def test_a_plan_that_no_worker_takes_is_given_up(
    ask: Run, api: Api, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.plans._TAKEN", 0.1)
    api.worker = False
    ended = ask("plan", "-f", folder)
    assert ended.status == 1
    assert "is one running (ghostcp worker)?" in ended.err


def test_nothing_is_sent_of_a_folder_with_a_fault(ask: Run, api: Api, folder: Path) -> None:
    (folder / "half.yaml").write_text("apiVersion: ghostcp/v1\nkind: Us")
    ended = ask("apply", "-f", folder, "--prune")
    assert ended.status == 1
    assert "half.yaml:2: kind: 'Us' is none of" in ended.err
    assert api.asked == []


def test_apply_stores_and_waits_until_all_is_ready(ask: Run, api: Api, folder: Path) -> None:
    ended = ask("apply", "-f", folder)
    assert (ended.status, len(api.documents)) == (0, 2)
    assert min(api.looks.values()) >= 2
    assert "All is ready: 2 documents." in ended.err


def test_apply_prunes_only_when_told(ask: Run, api: Api, folder: Path) -> None:
    ask("apply", "-f", folder)
    (folder / "all.yaml").write_text(USER)
    ask("apply", "-f", folder)
    assert len(api.documents) == 2
    assert ask("apply", "-f", folder, "--prune").status == 0
    assert list(api.documents) == [("User", "anna")]


@pytest.mark.parametrize(
    ("condition", "word"), [("Blocked", "blocked"), ("Ready", "refused"), ("Drifted", "waiting")]
)
def test_apply_tells_what_is_not_ready_and_why(
    ask: Run, api: Api, folder: Path, condition: str, word: str
) -> None:
    ready = {"type": "Ready", "status": False, "reason": "Waiting", "message": "no such shell"}
    other = {**ready, "type": condition, "status": condition != "Ready", "reason": "Refused"}
    api.conditions["anna"] = [ready, other]
    ended = ask("apply", "-f", folder, "--timeout", "2")
    assert ended.status == 1
    assert word in ended.out
    assert "no such shell" in ended.out
    assert "1 of 2 documents are not ready" in ended.err


def test_faults_that_the_api_finds_name_file_and_line(ask: Run, api: Api, folder: Path) -> None:
    errors = [
        {"field": "documents.0.spec.email", "message": "is taken"},
        {"field": "documents.1", "message": "is there twice"},
    ]
    body = {"error": "invalid", "status": 422, "details": {"errors": errors}}
    api.answers["POST", "/plans"] = [(422, body, {})]
    ended = ask("plan", "-f", folder)
    assert ended.status == 1
    assert ended.err.splitlines() == [
        "invalid (422)",
        "  all.yaml:1: spec.email: is taken",
        "  all.yaml:6: is there twice",
    ]


def test_a_document_that_the_api_does_not_take_is_named_by_file_and_line(
    ask: Run, api: Api, folder: Path
) -> None:
    details = {"errors": [{"field": "documents.1", "message": "is taken"}]}
    api.answers["POST", "/plans"] = [(409, {"error": "is taken", "status": 409, "details": details}, {})]
    ended = ask("plan", "-f", folder)
    assert (ended.status, ended.err.splitlines()) == (1, ["is taken (409)", "  all.yaml:6: is taken"])


def test_a_plan_that_could_not_be_made_is_an_error(ask: Run, api: Api, folder: Path) -> None:
    api.answers["GET", "/plans/0"] = [(200, {"id": "0", "status": "failed", "report": {"error": "boom"}}, {})]
    ended = ask("plan", "-f", folder)
    assert (ended.status, "boom" in ended.err) == (1, True)


def test_diff_asks_for_everything_that_is_stored(ask: Run, api: Api) -> None:
    assert ask("diff").status == 0
    assert api.asked[0] == ("POST", "/plans")
    assert api.plans[0]["posted"] == {}


@pytest.mark.parametrize(
    "command",
    [("plan", "--no-such-option"), ("plan",), ("apply", "-f", ".", "--allow-deletes", "x"), ("nothing",)],
)
def test_a_command_that_is_used_wrongly_ends_with_one(run: Run, command: tuple[str, ...]) -> None:
    ended = run(*command)
    assert ended.status == 1
    assert "Usage: " in ended.err
