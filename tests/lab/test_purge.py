"""Deleted data stay in quarantine until a job of its own, with a date, destroys them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from inventories import lab
from state.job_queue import cancel_job
from state.tables import jobs as job_table
from tests.lab.control import control_plane, until

pytestmark = pytest.mark.lab


def test_a_deleted_home_is_purged_on_its_day_and_a_cancelled_purge_keeps_it(
    lab_host: lab.LabHost, tmp_path: Path
) -> None:
    with control_plane(lab_host, tmp_path) as control:
        for name in ("goner", "stayer"):
            user = control.tenant(name)
            control.ready(user)
            control.run("touch", f"/home/{name}/precious")
            control.remove(user)
            control.gone(user)
        goner, stayer = control.jobs("purge")
        assert goner.status == stayer.status == "pending"
        assert goner.scheduled_for
        assert goner.scheduled_for > datetime.now(UTC) + timedelta(days=29)
        with control.database.writing() as connection:
            cancel_job(connection, stayer.id)
            past = datetime.now(UTC) - timedelta(seconds=1)
            connection.execute(update(job_table).where(job_table.c.id == goner.id).values(scheduled_for=past))
        until("the purge is done", lambda: control.jobs("purge")[0].status == "completed")
        left = control.run("ls", "/home/.quarantine")
        assert "goner" not in left
        assert "stayer" in left
