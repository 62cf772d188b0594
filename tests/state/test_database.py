"""What SQLite keeps as text comes back as the values that it was."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text as sql
from sqlalchemy.exc import OperationalError

from state.database import Database
from state.stored_json import UNREADABLE
from state.tables import Instant, Json

NESTED = 250
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path_factory.mktemp('text') / 'text.db'}")
    yield found
    found.close()


def read(database: Database, text: str | bytes, as_type: Any) -> Any:
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


@pytest.mark.parametrize(
    "text", ["", "{", "{]", b"\xff\xfe{", "[" * 100000, "[" * 300 + "]" * 300, "9" * 5000]
)
def test_what_is_no_json_is_read_as_that(database: Database, text: str | bytes) -> None:
    assert read(database, text, Json) == UNREADABLE


def test_a_number_that_is_none_is_none_and_all_beside_it_stays(database: Database) -> None:
    assert read(database, '{"a": NaN, "b": 1e400, "c": 1.5}', Json) == {"a": None, "b": None, "c": 1.5}


BROKEN = "CAST(x'61FF62' AS TEXT)"
MANY = f"WITH some(v) AS (VALUES ('a'), ('b'), ({BROKEN}), ('d'), ({BROKEN})) SELECT v FROM some"


def test_what_is_no_text_is_read_once_more_in_whatever_way(database: Database) -> None:
    told = ["a", "b", "a\ufffdb", "d", "a\ufffdb"]
    with database.asking() as connection:
        assert connection.execute(sql(MANY)).scalars().all() == told
        assert list(connection.execute(sql(MANY)).scalars()) == told
        result = connection.execute(sql(MANY)).scalars()
        assert [list(result.fetchmany(size)) for size in (1, 2, 9, 9)] == [told[:1], told[1:3], told[3:], []]
        assert connection.execute(sql(f"SELECT {BROKEN}")).scalar_one() == "a\ufffdb"
        assert connection.connection.dbapi_connection.text_factory is str


def test_nothing_is_written_twice_since_it_is_no_text(database: Database) -> None:
    with database.writing() as connection:
        connection.execute(sql("CREATE TEMPORARY TABLE written (v TEXT)"))
        with pytest.raises(OperationalError, match="decode"):
            connection.execute(sql(f"INSERT INTO written VALUES ({BROKEN}) RETURNING v")).all()
        assert connection.execute(sql("SELECT count(*) FROM written")).scalar_one() <= 1


def test_a_time_is_that_of_utc(database: Database) -> None:
    assert read(database, "2025-01-02 03:04:05.000006", Instant) == datetime(2025, 1, 2, 3, 4, 5, 6, UTC)
