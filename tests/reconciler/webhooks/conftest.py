"""An office to deliver from, on each sort of database and on SQLite."""

from pathlib import Path

import pytest

from state.database import Database
from tests.reconciler.webhooks.offices import Office


@pytest.fixture
def office(sqlite: Database, tmp_path: Path) -> Office:
    return Office(sqlite, tmp_path)


@pytest.fixture
def office_on_both(database: Database, tmp_path: Path) -> Office:
    return Office(database, tmp_path)
