"""The audit: append-only, and whatever somebody with the whole database in hand does to it is found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, delete, insert, select, update
from sqlalchemy.exc import DBAPIError

from state.database import Database
from state.errors import Unreadable
from state.journal.audit import Entry, append, begin
from state.journal.chain import START
from state.journal.tables import audit, audit_head
from state.journal.verifying import Head, verify
from tests.conftest import Stage
from tests.state.conftest import at_once

Harm = Callable[[Connection], Any]
HEAD = update(audit_head)


def _entry(number: int, **values: Any) -> Entry:
    after = {"email": f"{number}@example.com", "n": number}
    return Entry(**{"actor": "anna", "action": "PUT /users/{id}", "result": "done", "after": after, **values})


def _write(database: Database, var: Path, count: int = 5) -> None:
    for number in range(1, count + 1):
        with database.writing() as connection:
            append(connection, var, _entry(number))


def _faults(database: Database, var: Path, noted: Head | None = None) -> tuple[str, ...]:
    with database.reading() as connection:
        return verify(connection, var, noted).faults


def _head(database: Database, var: Path) -> Head:
    with database.reading() as connection:
        return verify(connection, var).head


def _harm(database: Database, harm: Harm) -> None:
    """What somebody does who may do anything to the database, and has not the key."""
    with database.writing() as connection:
        if database.sqlite:
            for verb in ("UPDATE", "DELETE", "replacement"):
                connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS audit_no_{verb}")
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER ALL")
        harm(connection)


def _set(number: int, **values: Any) -> Harm:
    return lambda connection: connection.execute(update(audit).where(audit.c.id == number).values(**values))


def _cut(number: int) -> Harm:
    return lambda connection: connection.execute(delete(audit).where(audit.c.id == number))


def _row(connection: Connection, number: int) -> dict[str, Any]:
    return dict(connection.execute(select(audit).where(audit.c.id == number)).mappings().one())


def _swap(connection: Connection) -> None:
    second, third = _row(connection, 2), _row(connection, 3)
    connection.execute(delete(audit).where(audit.c.id.in_((2, 3))))
    connection.execute(insert(audit), [second | {"id": 3}, third | {"id": 2}])


def _insert_between(connection: Connection) -> None:
    rows = [_row(connection, number) for number in (3, 4, 5)]
    connection.execute(delete(audit).where(audit.c.id >= 3))
    forged = rows[0] | {"actor": "mallory"}
    connection.execute(insert(audit), [forged, *(row | {"id": row["id"] + 1} for row in rows)])


def _cut_the_end(connection: Connection) -> None:
    connection.execute(delete(audit).where(audit.c.id == 5))
    connection.execute(HEAD.values(last=4, digest=_row(connection, 4)["digest"]))


def _put_behind(connection: Connection) -> None:
    last = _row(connection, 5)
    connection.execute(insert(audit), last | {"id": 6, "previous": last["digest"], "digest": "0" * 64})


def _put_before(connection: Connection) -> None:
    first = _row(connection, 1)
    connection.execute(insert(audit), [first | {"id": 0}, first | {"id": -(2**63)}])


def _wipe(connection: Connection) -> None:
    connection.execute(delete(audit))
    connection.execute(HEAD.values(last=0, digest=START, seal=""))


def _put_behind_and_move_the_head(connection: Connection) -> None:
    _put_behind(connection)
    connection.execute(HEAD.values(last=6, digest="0" * 64))


HARMS: dict[str, tuple[Harm, str]] = {
    "who": (_set(3, actor="bert"), "entry 3 was changed"),
    "when": (
        lambda c: c.execute(update(audit).where(audit.c.id == 2).values(at=_row(c, 1)["at"])),
        "2 was changed",
    ),
    "what": (_set(3, action="GET /users"), "entry 3 was changed"),
    "as whom": (_set(3, actor_id="x"), "entry 3 was changed"),
    "from where": (_set(3, address="::1"), "entry 3 was changed"),
    "how it was": (_set(3, before={"a": 1}), "entry 3 was changed"),
    "how it became": (_set(3, after={"email": "3@example.com", "n": 4}), "entry 3 was changed"),
    "how it became, none": (_set(3, after=None), "entry 3 was changed"),
    "how it went": (_set(3, result="forbidden"), "entry 3 was changed"),
    "its hash": (_set(3, digest="0" * 64), "entry 3 was changed"),
    "its link": (_set(3, previous="0" * 64), "entry 3 does not follow"),
    "one in the middle": (_cut(3), "entries 3 to 3 are missing"),
    "the first": (_cut(1), "entries 1 to 1 are missing"),
    "the last": (_cut(5), "entries after 4 are missing"),
    "the last with its record": (_cut_the_end, "the record of the last entry was changed"),
    "all": (lambda c: c.execute(delete(audit)), "entries after 0 are missing"),
    "all with its record": (_wipe, "the record of the last entry was changed"),
    "one more before": (_put_before, "entry 0 was put before the first one"),
    "one more far before": (_put_before, f"entry {-(2**63)} was put before the first one"),
    "no record": (lambda c: c.execute(delete(audit_head)), "the record of the last entry is gone"),
    "no seal": (lambda c: c.execute(HEAD.values(seal="")), "the record of the last entry was changed"),
    "two of them": (_swap, "entry 2 was changed"),
    "one more in between": (_insert_between, "entry 3 was changed"),
    "one more behind": (_put_behind, "entry 6 was put behind the last one"),
    "one more behind, with its record": (
        _put_behind_and_move_the_head,
        "the record of the last entry was changed",
    ),
    "the record": (
        lambda c: c.execute(HEAD.values(seal="0" * 64)),
        "the record of the last entry was changed",
    ),
}


@pytest.mark.parametrize("name", HARMS)
def test_every_harm_is_found(database: Database, tmp_path: Path, name: str) -> None:
    harm, told = HARMS[name]
    begin(database, tmp_path)
    _write(database, tmp_path)
    assert _faults(database, tmp_path) == ()
    _harm(database, harm)
    assert any(told in fault for fault in _faults(database, tmp_path)), _faults(database, tmp_path)


@pytest.mark.parametrize("written", [0, 3])
def test_a_wipe_is_found_also_after_others_were_written(
    database: Database, tmp_path: Path, written: int
) -> None:
    begin(database, tmp_path)
    _write(database, tmp_path, written)
    _harm(database, _wipe)
    _write(database, tmp_path, 2)
    assert _faults(database, tmp_path) == ("the record of the last entry was changed",)
    begin(database, tmp_path)
    assert _faults(database, tmp_path) != ()


def test_an_audit_that_was_used_before_it_was_begun_is_begun_by_verifying(
    database: Database, tmp_path: Path
) -> None:
    _write(database, tmp_path, 2)
    assert _faults(database, tmp_path) == ()
    _harm(database, _wipe)
    assert _faults(database, tmp_path) == ("the record of the last entry was changed",)


def test_what_was_rolled_back_before_it_was_begun_is_no_harm(database: Database, tmp_path: Path) -> None:
    with database.rehearsing() as connection:
        append(connection, tmp_path, _entry(1))
    assert _faults(database, tmp_path) == ()
    begin(database, tmp_path)
    begin(database, tmp_path)
    assert _faults(database, tmp_path) == ()


def test_without_its_record_the_audit_does_not_go_on(database: Database, tmp_path: Path) -> None:
    _write(database, tmp_path, 2)
    _harm(database, lambda connection: connection.execute(delete(audit_head)))
    with pytest.raises(Unreadable, match="is gone"):
        _write(database, tmp_path, 1)


ALIEN = {
    "actor = x'ff'": "entry 2 cannot be read",
    "actor = CAST(x'ff' AS TEXT)": "entry 2 was changed",
    "before = x'ff'": "entry 2 was changed",
    "after = '{'": "entry 2 was changed",
    "at = x'00'": "entry 2 cannot be read",
    "at = 'yesterday'": "entry 2 cannot be read",
    "digest = x'00'": "entry 2 cannot be read",
    "digest = 'ß'": "entry 2 was changed",
}


@pytest.mark.parametrize("change", ALIEN)
def test_what_no_column_should_hold_is_told_with_its_entry(
    sqlite: Database, tmp_path: Path, change: str
) -> None:
    _write(sqlite, tmp_path, 4)
    _harm(sqlite, lambda c: c.exec_driver_sql(f"UPDATE audit SET {change} WHERE id = 2"))
    assert ALIEN[change] in _faults(sqlite, tmp_path)
    assert _head(sqlite, tmp_path).number == 4
    _harm(sqlite, lambda c: c.exec_driver_sql("UPDATE audit_head SET last = x'02', seal = 'ß'"))
    assert any("the record of the last entry is gone" in fault for fault in _faults(sqlite, tmp_path))


def test_entries_written_with_another_key_are_found(database: Database, tmp_path: Path) -> None:
    _write(database, tmp_path, 2)
    _write(database, tmp_path / "mallory", 1)
    assert "entry 3 was changed" in _faults(database, tmp_path)


def test_an_earlier_state_put_back_whole_is_found_by_a_head_noted_elsewhere(
    database: Database, tmp_path: Path
) -> None:
    _write(database, tmp_path, 3)
    with database.reading() as connection:
        earlier = connection.execute(select(audit_head)).mappings().one()
    _write(database, tmp_path, 2)
    noted = _head(database, tmp_path)
    _harm(
        database,
        lambda c: (c.execute(delete(audit).where(audit.c.id > 3)), c.execute(HEAD.values(**earlier))),
    )
    assert _faults(database, tmp_path) == ()
    assert _faults(database, tmp_path, noted) == ("entry 5 is not the one that was noted",)


def test_a_head_noted_earlier_is_still_in_the_chain(database: Database, tmp_path: Path) -> None:
    _write(database, tmp_path, 2)
    noted = _head(database, tmp_path)
    _write(database, tmp_path, 2)
    assert _faults(database, tmp_path, noted) == ()
    assert _faults(database, tmp_path, Head(2, "0" * 64)) != ()


def test_an_empty_audit_holds(database: Database, tmp_path: Path) -> None:
    assert _faults(database, tmp_path) == ()
    assert _head(database, tmp_path) == Head(0, START)
    assert _faults(database, tmp_path, Head(0, START)) == ()


@pytest.mark.parametrize(
    "statement", [update(audit).values(actor="x"), delete(audit)], ids=["update", "delete"]
)
def test_entries_are_neither_changed_nor_deleted(database: Database, tmp_path: Path, statement: Any) -> None:
    _write(database, tmp_path, 1)
    with pytest.raises(DBAPIError, match="append-only"), database.writing() as connection:
        connection.execute(statement)


@pytest.mark.parametrize("number", [2, 1, 0, -1, -(2**63)])
def test_no_entry_takes_the_place_of_another_or_one_before_the_first(
    database: Database, tmp_path: Path, number: int
) -> None:
    _write(database, tmp_path, 3)
    with database.reading() as connection:
        forged = _row(connection, 2) | {"id": number, "actor": "mallory"}
    statement = insert(audit).prefix_with("OR REPLACE", dialect="sqlite")
    with pytest.raises(DBAPIError), database.writing() as connection:
        connection.execute(statement, forged)
    assert _faults(database, tmp_path) == ()


def test_what_is_rolled_back_leaves_no_gap(database: Database, tmp_path: Path) -> None:
    _write(database, tmp_path, 1)
    with database.rehearsing() as connection:
        append(connection, tmp_path, _entry(9))
    _write(database, tmp_path, 1)
    assert _faults(database, tmp_path) == ()
    assert _head(database, tmp_path).number == 2


def test_the_chain_holds_whoever_writes_at_once(database: Database, tmp_path: Path) -> None:
    def write() -> None:
        for number in range(10):
            with database.writing() as connection:
                append(connection, tmp_path, _entry(number), _entry(number))

    assert at_once(*[write] * 8) == [None] * 8
    assert _faults(database, tmp_path) == ()
    assert _head(database, tmp_path).number == 160


def test_verifying_beside_writers_finds_nothing_wrong(database: Database, tmp_path: Path) -> None:
    found: list[tuple[str, ...]] = []

    def look() -> None:
        found.extend(_faults(database, tmp_path) for _ in range(20))

    at_once(look, *[lambda: _write(database, tmp_path, 15)] * 3)
    assert set(found) == {()}


TEXT = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)))
NUMBER = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBER | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(view=st.dictionaries(st.sampled_from(["a", "b"]), JSON))
def test_whatever_a_view_says_its_entry_holds(
    database: Database, tmp_path: Path, view: dict[str, Any]
) -> None:
    with database.writing() as connection:
        append(connection, tmp_path, _entry(1, before=view))
    assert _faults(database, tmp_path) == ()


def test_entries_hold_in_whatever_zone_the_database_tells_times(
    postgresql_stage: Stage, tmp_path: Path
) -> None:
    postgresql_stage.reset("migrated")
    _write(postgresql_stage.database, tmp_path, 2)
    there = create_engine(
        postgresql_stage.database.url, connect_args={"options": "-c timezone=Asia/Kathmandu"}
    )
    with there.connect() as connection:
        assert verify(connection, tmp_path).faults == ()
    there.dispose()
