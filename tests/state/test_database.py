"""What SQLite keeps as text comes back as the values that it was."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql

from state.database import Database
from state.tables import Instant, Json

NESTED = 250
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path_factory.mktemp('text') / 'text.db'}")
    yield found
    found.close()


def read(database: Database, text: str, as_type: Any) -> Any:
    with database.asking() as connection:
        query = sql("SELECT :value AS value").bindparams(value=text).columns(value=as_type)
        return connection.execute(query).scalar_one()


@given(JSON)
def test_json_is_read_as_what_was_written(database: Database, value: Any) -> None:
    assert read(database, json.dumps(value), Json) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"a\\ud800b"', "a\ufffdb"),
        ('{"\\udfff": ["\\ud83d\\ude00"]}', {"\ufffd": ["\U0001f600"]}),
        ("[" * NESTED + "]" * NESTED, json.loads("[" * NESTED + "]" * NESTED)),
    ],
    ids=["a half", "a half and a pair", "deep"],
)
def test_what_the_quicker_reader_refuses_is_read_too(database: Database, text: str, value: Any) -> None:
    assert read(database, text, Json) == value


def test_what_is_no_json_is_none(database: Database) -> None:
    with pytest.raises(ValueError, match="Expecting property name"):
        read(database, "{]", Json)


def test_a_time_is_that_of_utc(database: Database) -> None:
    assert read(database, "2025-01-02 03:04:05.000006", Instant) == datetime(2025, 1, 2, 3, 4, 5, 6, UTC)
