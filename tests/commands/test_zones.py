"""`import zone` and `export zone`."""

from pathlib import Path
from typing import Any

from tests.commands.conftest import Run
from tests.commands.stub import Api

READY = {"type": "Ready", "status": True, "reason": "Converged", "message": ""}
REPORT = {
    "mode": "replace",
    "added": ["www 60 IN A 192.0.2.1"],
    "changed": [{"before": "a 60 IN A 192.0.2.1", "after": "a 70 IN A 192.0.2.1"}],
    "deleted": ["b 60 IN A 192.0.2.1"],
    "unchanged": 3,
    "left_out": [{"line": 7, "record": "x LOC 1", "reason": "not served here"}],
}


def answers(api: Api, *conditions: dict[str, Any], **more: Any) -> None:
    zone = {"domain": "example.com", "conditions": list(conditions)}
    api.answers[("POST", "/dns/import")] = [(201, {"zone": zone, "import": REPORT, **more}, {})]


def test_a_zone_file_is_brought_in_and_told_line_by_line(ask: Run, api: Api, tmp_path: Path) -> None:
    file = tmp_path / "example.zone"
    file.write_text("www A 192.0.2.1\n")
    answers(api, READY)
    ended = ask("import", "zone", "example.com", file, "--replace")
    assert ended.status == 0, ended.err
    assert ended.out.splitlines() == [
        "- b 60 IN A 192.0.2.1",
        "- a 60 IN A 192.0.2.1",
        "+ a 70 IN A 192.0.2.1",
        "+ www 60 IN A 192.0.2.1",
        "! 7: x LOC 1: left out: not served here",
    ]
    assert "1 added, 1 changed, 1 deleted, 3 as they were" in ended.err
    assert api.queries[-1] == "wait=30"
    assert api.bodies[-1] == {"domain": "example.com", "mode": "replace", "zone_file": "www A 192.0.2.1\n"}


def test_what_keeps_it_from_being_served_is_said(ask: Run, api: Api, tmp_path: Path) -> None:
    (tmp_path / "zone").write_text("www A 192.0.2.1\n")
    blocked = {**READY, "status": False, "reason": "NoNameServer", "message": "add one"}
    for condition, words in (([blocked], "NoNameServer: add one"), ([], "nobody has looked at it")):
        answers(api, *condition)
        ended = ask("import", "zone", "example.com", tmp_path / "zone", "--wait", "0")
        assert (ended.status, words in ended.err) == (1, True)


def test_a_dry_run_changes_nothing_and_says_whether_something_would(
    ask: Run, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "zone").write_text("www A 192.0.2.1\n")
    report = {"targets": [], "guard": {"allowed": True, "message": ""}, "totals": {}, "documents": []}
    answers(api, report=report)
    ended = ask("import", "zone", "example.com", tmp_path / "zone", "--dry-run")
    assert api.queries[-1] == "dry_run=true"
    assert (ended.status, "+ www 60 IN A 192.0.2.1" in ended.out, "Total:" in ended.out) == (2, True, True)


def test_a_transfer_is_asked_for_with_a_key_from_a_file(ask: Run, api: Api, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text('key "move" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0c2VjcmV0";\n};\n')
    answers(api, READY)
    api.answers[("GET", "/users")] = [(200, {"users": [{"id": "u-1"}]}, {})]
    options = ("--server", "ns1.example.net", "--port", "5353", "--key", key, "--user", "anna")
    assert ask("import", "zone", "example.com", *options).status == 0
    assert api.queries[-2:] == ["username=anna", "wait=30"]
    assert api.bodies[-1] == {
        "domain": "example.com",
        "mode": "merge",
        "server": "ns1.example.net",
        "port": 5353,
        "tsig": {"name": "move", "algorithm": "hmac-sha256", "secret": "c2VjcmV0c2VjcmV0"},
        "user_id": "u-1",
    }


def test_what_is_wrong_is_said_before_anything_is_asked(ask: Run, api: Api, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("nonsense")
    for arguments, words in (
        ((), "either a FILE or a --server"),
        ((tmp_path / "zone", "--server", "a"), "either a FILE or a --server"),
        ((tmp_path / "absent",), "cannot be read"),
        (("--server", "a", "--key", tmp_path / "key"), "holds no key"),
    ):
        ended = ask("import", "zone", "example.com", *arguments)
        assert (ended.status, words in ended.err) == (1, True)
    assert api.asked == []


def test_a_zone_is_written_out(ask: Run, api: Api) -> None:
    api.answers[("GET", "/dns")] = [(200, {"zones": [{"id": "z-1"}]}, {})]
    api.answers[("GET", "/dns/z-1/export")] = [(200, "$ORIGIN example.com.\n", {})]
    ended = ask("export", "zone", "example.com")
    assert (ended.status, ended.out) == (0, "$ORIGIN example.com.\n")
    api.answers[("GET", "/dns")] = [(200, {"zones": []}, {})]
    assert "no 'other.example'" in ask("export", "zone", "other.example").err
    assert "ghostcp export zone x" in ask("export", "folder", "x").err


def test_why_it_cannot_be_written_out_is_said(ask: Run, api: Api) -> None:
    api.answers[("GET", "/dns")] = [(200, {"zones": [{"id": "z-1"}]}, {})]
    problem = {"error": "its template cannot be used", "status": 409, "details": {"code": "template_failed"}}
    api.answers[("GET", "/dns/z-1/export")] = [(409, problem, {})]
    ended = ask("export", "zone", "example.com")
    assert (ended.status, "its template cannot be used" in ended.err) == (1, True)


def test_a_replacement_that_would_delete_much_is_told_as_a_plan_is(
    ask: Run, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "zone").write_text("www A 192.0.2.1\n")
    guard = {"allowed": False, "message": "9000 of 9001 records would be deleted"}
    answers(api, report={"targets": [], "guard": guard, "totals": {}, "documents": []})
    dry = ask("import", "zone", "example.com", tmp_path / "zone", "--replace", "--dry-run")
    assert (dry.status, "9000 of 9001 records" in dry.out) == (3, True)
    problem = {"error": f"the guard blocks this: {guard['message']}", "details": {"code": "plan_blocked"}}
    api.answers[("POST", "/dns/import")] = [(409, problem, {})]
    refused = ask("import", "zone", "example.com", tmp_path / "zone", "--replace", "--allow-deletes", "7")
    assert (refused.status, "9000 of 9001 records" in refused.err) == (3, True)
    assert api.bodies[-1]["allow_deletes"] == 7
