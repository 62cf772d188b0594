"""The plays, run as a controller runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from state import resource
from tests.playbooks.remote import Hands, change, hands

pytestmark = pytest.mark.lab
PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
SECRET = "{{ lookup('pipe', 'id') }} s3cret"


@pytest.fixture(scope="module")
def host() -> Iterator[Hands]:
    with hands("hostansible") as found:
        yield found


def play(
    host: Hands, folder: Path, name: str, request: Mapping[str, Any], *more: str
) -> "subprocess.CompletedProcess[str]":
    asked, answer = folder / "request.json", folder / "response.json"
    asked.write_text(json.dumps(request))
    answer.unlink(missing_ok=True)
    ansible = Path(sys.executable).with_name("ansible-playbook")
    return subprocess.run(
        [
            *(str(ansible), "-vvv", "-i", str(host.host.inventory), str(PLAYBOOKS / name)),
            *("-e", f"request={asked}", "-e", f"response={answer}", *more),
        ],
        env={**os.environ, "ANSIBLE_PIPELINING": "1", "ANSIBLE_LOG_PATH": str(folder / "log")},
        capture_output=True,
        text=True,
        check=False,
    )


def response(folder: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads((folder / "response.json").read_text())
    return answer


def test_nothing_of_a_request_is_evaluated_shown_or_logged(host: Hands, tmp_path: Path) -> None:
    item = resource.seed("/root/{{ 7 * 7 }}", SECRET, owner="root", group="root", mode="0600")
    request = {"version": 1, "token": 1, "stamp": "20260101T000000Z", "changes": [change(item, None)]}
    done = play(host, tmp_path, "apply.yml", request)
    assert done.returncode == 0, done.stdout
    assert response(tmp_path)["results"][item.key]["status"] == "applied"
    assert (tmp_path / "response.json").stat().st_mode & 0o777 == 0o600
    assert host.shell("cat '/root/{{ 7 * 7 }}'") == SECRET
    said = done.stdout + done.stderr + (tmp_path / "log").read_text() + host.shell("journalctl -q --no-pager")
    assert "s3cret" not in said
    assert "7 * 7" not in said
    assert '"applied": 1' in done.stdout


def test_observing_answers_in_a_file(host: Hands, tmp_path: Path) -> None:
    done = play(host, tmp_path, "observe.yml", {"version": 1, "resources": {"service:nginx": ""}})
    assert done.returncode == 0, done.stdout
    assert "changed=0" in done.stdout
    assert response(tmp_path)["differing"] == {"service:nginx": {"active": True, "current": True}}


def test_check_mode_only_validates(host: Hands, tmp_path: Path) -> None:
    item = resource.config("nginx", "x.conf", "nonsense;\n")
    request = {"version": 1, "token": 1, "stamp": "20260101T000000Z", "changes": [change(item, None)]}
    assert play(host, tmp_path, "apply.yml", request, "--check").returncode == 0
    assert response(tmp_path)["results"][item.key]["status"] == "refused"
    assert response(tmp_path)["generation"] == 0


def test_becoming_root_hands_the_request_on(host: Hands, tmp_path: Path) -> None:
    request = {"version": 1, "resources": {"account:root": ""}}
    done = play(host, tmp_path, "observe.yml", request, "--become", "--become-method", "su")
    assert done.returncode == 0, done.stdout
    assert response(tmp_path)["differing"]["account:root"]["uid"] == 0


def test_a_damaged_request_fails_and_leaves_no_response(host: Hands, tmp_path: Path) -> None:
    done = play(host, tmp_path, "observe.yml", {"version": 9})
    assert done.returncode != 0
    assert "use the same release" in done.stdout
    assert not (tmp_path / "response.json").exists()
