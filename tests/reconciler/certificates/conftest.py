"""A control plane whose certificates are had from a real authority."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.database import Database
from tests.lab.difficult import difficult
from tests.lab.pebble import pebble
from tests.reconciler.certificates.office import EASY, Office
from tests.state.conftest import Company


@pytest.fixture
def office(sqlite: Database, tmp_path: Path) -> Iterator[Office]:
    company = Company(sqlite)
    company.user("anna")
    with pebble("127.0.0.1", tmp_path, **EASY) as authority, difficult(authority, tmp_path) as door:
        yield Office(company, door, tmp_path)
