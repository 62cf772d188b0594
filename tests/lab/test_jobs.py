"""Jobs that are asked for through the API are done on a real host."""

from pathlib import Path

import pytest

from inventories import lab
from tests.lab.control import until
from tests.lab.doors import Doors, control_plane_processes

pytestmark = pytest.mark.lab
TEXT = "/etc/ghostcp/live/nginx/jobs.example.conf"


def _done(doors: Doors, job: str) -> dict[str, object]:
    def ended() -> dict[str, object] | None:
        found: dict[str, object] = doors.json("GET", f"/jobs/{job}")
        return found if found["status"] not in {"pending", "running"} else None

    found: dict[str, object] = until(f"job {job} has ended", ended)
    return found


def test_a_host_is_swept_and_a_users_documents_are_repaired_when_asked(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    settings = {"GHOSTCP_SWEEP_SECONDS": "3600"}
    with control_plane_processes(lab_host, tmp_path, **settings) as doors:
        person = {"username": "joblab", "email": "joblab@example.com", "password": "long enough"}
        user = doors.json("POST", "/users?wait=60", 201, **person)
        doors.json("POST", "/domains?wait=60", 201, user_id=user["id"], domain="jobs.example")

        doors.run(f"echo '# mine' >> $(readlink -f {TEXT})")
        swept = _done(
            doors,
            doors.json("POST", "/jobs", 201, job_type="sweep", parameters={"host": lab_host.name})["id"],
        )
        assert swept["status"] == "completed", swept
        assert "config:nginx/jobs.example.conf" in str(swept["results"])
        assert "# mine" in str(swept["output_log"])
        until("the edit is undone", lambda: "# mine" not in doors.run(f"cat {TEXT}"))

        doors.run(f"echo '# again' >> $(readlink -f {TEXT})")
        asked = doors.json("POST", "/jobs", 201, job_type="reconcile", user_id=user["id"])
        repaired = _done(doors, asked["id"])
        assert repaired["status"] == "completed", repaired
        assert "2 of 2 documents are ready" in str(repaired["output_log"])
        assert "# again" not in doors.run(f"cat {TEXT}")
        doors.json("DELETE", f"/users/{user['id']}?wait=60", 204)
