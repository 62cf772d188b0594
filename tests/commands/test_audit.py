"""`audit verify` on a database of its own."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from state.database import Database
from state.journal.audit import Entry, append
from state.journal.tables import audit

Verify = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def written(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path}/ghostcp.db")
    database.migrate()
    for number in range(3):
        with database.writing() as connection:
            append(connection, tmp_path, Entry(actor=f"user{number}", action="POST /domains", result="done"))
    return database


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "ghostcp", "audit", "verify", *arguments]
        environment = {**os.environ, "GHOSTCP_VAR": str(tmp_path)}
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=60
        )

    return run


def test_a_whole_audit_is_said_to_be_whole_with_its_head(written: Database, verify: Verify) -> None:
    ended = verify()
    assert (ended.returncode, ended.stderr) == (0, "")
    told = re.fullmatch(r"3 entries, as they were written\. Head: (3:[0-9a-f]{64})\n", ended.stdout)
    assert told
    assert verify("--expect-head", told[1]).returncode == 0


def test_what_was_changed_is_told_and_ends_with_one(written: Database, verify: Verify) -> None:
    with written.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_UPDATE")
        connection.execute(update(audit).where(audit.c.id == 2).values(actor="nobody"))
    ended = verify()
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "entry 2 was changed" in ended.stderr


def test_a_time_that_cannot_be_read_is_told(written: Database, verify: Verify) -> None:
    with written.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_UPDATE")
        connection.exec_driver_sql("UPDATE audit SET at = 'yesterday' WHERE id = 2")
    ended = verify()
    assert ended.returncode == 1
    assert "cannot be read" in ended.stderr


def test_another_head_than_the_one_noted_ends_with_one(written: Database, verify: Verify) -> None:
    ended = verify("--expect-head", f"9:{'a' * 64}")
    assert ended.returncode == 1
    assert "entry 9 is not the one that was noted" in ended.stderr


@pytest.mark.parametrize("head", ["x", "3", "3:abc", f":{'a' * 64}", f"-1:{'a' * 64}"])
def test_what_is_no_head_is_told(written: Database, verify: Verify, head: str) -> None:
    ended = verify(f"--expect-head={head}")
    assert ended.returncode == 1
    assert "is no head" in ended.stderr
