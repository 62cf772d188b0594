"""Secrets on their way to a host: revealed for it, and in nothing that anybody is shown."""

import json
from typing import Any

import pytest

from reconciler.apply import apply, rehearse
from reconciler.changes import Action, Cause, Change, Plan
from reconciler.report import change_report
from state.resource import Secret, private_config, sha256

KEY = private_config("nginx", "a.key", Secret("SEALED", "key"), sha256("SESAME"))
CHANGE = Change(Action.CREATE, KEY.key, "uid", Cause.INTENDED, None, KEY.attributes, KEY)
NEWER = {"fenced": False, "results": {}, "observed": {}, "services": {}}


class Wire:
    """A host that takes every request and says nothing."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def __call__(self, _playbook: str, _target: str, request: Any) -> Any:
        self.sent.append(request["changes"][0])
        return NEWER


def _reveal(secret: Secret) -> str | None:
    return {"key": "SESAME"}.get(secret.name)


@pytest.mark.parametrize("verb", ["apply", "rehearse"])
def test_a_secret_is_revealed_only_to_its_host(verb: str) -> None:
    wire = Wire()
    if verb == "apply":
        apply(wire, "web1", Plan((CHANGE,)), 1, "stamp", _reveal)
    else:
        rehearse(wire, "web1", (CHANGE,), 1, _reveal)
    assert wire.sent[0]["content"] == "SESAME"
    assert wire.sent[0]["attributes"]["mode"] == "0600"
    assert "SESAME" not in repr(CHANGE)
    shown = json.dumps(change_report(CHANGE, None))
    assert "SESAME" not in shown
    assert "SEALED" not in shown


def test_a_secret_that_cannot_be_read_is_not_made_up() -> None:
    wire = Wire()
    apply(wire, "web1", Plan((CHANGE,)), 1, "stamp", lambda _: None)
    assert wire.sent[0]["content"] is None


def test_a_group_may_read_what_its_daemon_has_to() -> None:
    found = private_config("named", "a", Secret("", "a"), "00", group="bind").attributes
    assert (found["group"], found["mode"]) == ("bind", "0640")
