"""Streams of events: everything once and in order, to those who may know of it, and for as long as they may."""

import socket
import threading
import time

import httpx
import pytest
from sqlalchemy import event

from api.listener import MOST_WAITING
from state.cursors import FANNED_OUT, move
from state.jobs import add_job
from state.journal.event import Event
from state.journal.events import emit
from state.journal.tables import events
from tests.api.conftest import BASE, World
from tests.api.streams import following, serving
from tests.reconciler.webhooks.offices import until


def happen(world: World, owner: str, *numbers: int, name: str = "job.started", filling: str = "") -> None:
    """Events, all in one transaction."""
    with world.database.writing() as connection:
        emit(connection, *(Event(name, owner, {"number": n, "filling": filling}) for n in numbers))


def test_what_happens_is_told_as_webhooks_tell_it(world_on_both: World) -> None:
    world = world_on_both
    with serving(world) as url, following(world, url, "anna") as stream:
        created = world.call("anna", "POST", "/domains", json={"domain": "anna.example"})
        assert created.status_code == 201
        until(lambda: stream.events)
    number, name, told = stream.events[0]
    assert (name, told["event"], set(told)) == (
        "domain.created",
        "domain.created",
        {"event", "data", "timestamp"},
    )
    assert (told["data"]["id"], number > 0) == (created.json()["id"], True)


def test_each_sees_its_own(world: World) -> None:
    with serving(world) as url:
        streams = {}
        with (
            following(world, url, "admin") as streams["admin"],
            following(world, url, "resi") as streams["resi"],
            following(world, url, "anna") as streams["anna"],
            following(world, url, "bert") as streams["bert"],
        ):
            for number, owner in enumerate(("anna", "bert", "resi", ""), 1):
                happen(world, owner, number)
            for who in streams:
                happen(world, who, 9)
            until(lambda: all(9 in stream.numbers for stream in streams.values()))
            until(lambda: len(streams["admin"].events) == 8)
    seen = {who: [n for n in stream.numbers if n != 9] for who, stream in streams.items()}
    assert seen == {"admin": [1, 2, 3, 4], "resi": [1, 3], "anna": [1], "bert": [2]}


@pytest.mark.parametrize(("who", "expected"), [("admin", [1, 2, 3]), ("resi", [1, 3]), ("anna", [1])])
def test_what_was_missed_is_told_to_the_same(world_on_both: World, who: str, expected: list[int]) -> None:
    world = world_on_both
    for number, owner in enumerate(("anna", "bert", "resi"), 1):
        happen(world, owner, number)
    with serving(world) as url, following(world, url, who, "?wait=0&event=job.started", after=0) as stream:
        until(lambda: stream.over)
    assert stream.numbers == expected


def test_a_stream_goes_on_after_the_last_event_that_was_seen(world_on_both: World) -> None:
    world = world_on_both
    happen(world, "anna", *range(1200))
    with serving(world) as url:
        with following(world, url, "anna", "?event=job.started&wait=0", after=0) as stream:
            until(lambda: stream.over)
        assert stream.numbers == list(range(1200))
        last = stream.events[700][0]
        with following(world, url, "anna", "?event=job.started", after=last) as stream:
            happen(world, "anna", 1200)
            until(lambda: 1200 in stream.numbers)
        assert stream.numbers == list(range(701, 1201))


def test_nothing_is_lost_or_doubled_while_others_write(world_on_both: World) -> None:
    world, writers, each = world_on_both, 4, 40

    def write(writer: int) -> None:
        for number in range(each):
            happen(world, "anna", writer * each + number)

    with serving(world) as url:
        threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
        with following(world, url, "anna") as stream:
            for thread in threads:
                thread.start()
            until(lambda: len(stream.events) > each)
            with following(world, url, "anna", "?event=job.started", after=0) as late:
                until(lambda: len(stream.events) == len(late.events) == writers * each)
        for thread in threads:
            thread.join()
    ids = [number for number, _, _ in stream.events]
    assert ids == sorted(set(ids)) == [number for number, _, _ in late.events]
    assert sorted(stream.numbers) == list(range(writers * each))


def test_names_can_be_chosen_by_either_name(world: World) -> None:
    with (
        serving(world) as url,
        following(world, url, "anna", "?event=domain.ssl.renewed,job.failed") as stream,
    ):
        happen(world, "anna", 1)
        happen(world, "anna", 2, name="ssl.certificate.renewed")
        happen(world, "anna", 3, name="job.failed")
        until(lambda: len(stream.events) == 2)
    assert stream.numbers == [2, 3]


@pytest.mark.parametrize(
    ("query", "field"),
    [("?event=user.exploded", "event"), ("?wait=-1", "wait"), ("?wait=3601", "wait"), ("?x=1", "x")],
)
def test_what_cannot_be_asked_for(world: World, query: str, field: str) -> None:
    answer = world.call("anna", "GET", f"/events{query}")
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["errors"]] == [field]


@pytest.mark.parametrize("last", ["x", "-1", "", "1" * 19])
def test_a_number_that_is_none_is_refused(world: World, last: str) -> None:
    assert world.call("anna", "GET", "/events", headers={"Last-Event-ID": last}).status_code == 422


def test_it_is_said_when_what_was_missed_is_no_longer_kept(world: World) -> None:
    happen(world, "anna", 1, 2)
    with world.database.writing() as connection:
        last = connection.execute(events.select().order_by(events.c.id.desc())).first()
        assert last is not None
        assert move(connection, "pruned", 0, last.id - 1)
        connection.execute(events.delete().where(events.c.id < last.id))
        move(connection, FANNED_OUT, 0, last.id)
    with serving(world) as url, following(world, url, "anna", "?wait=0", after=0) as stream:
        until(lambda: stream.over)
    assert [(name, number) for number, name, _ in stream.events] == [
        ("reset", last.id - 1),
        ("job.started", last.id),
    ]


def test_a_name_that_was_anothers_does_not_tell_its_new_owner(world: World) -> None:
    happen(world, "carl", 1)
    world.user("carl")
    with serving(world) as url, following(world, url, "carl", "?event=job.started&wait=0", after=0) as stream:
        until(lambda: stream.over)
    assert stream.events == []


@pytest.mark.parametrize("end", ["suspended", "logged out", "password changed"])
def test_it_ends_when_who_listens_may_no_more(
    own_world: World, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr("api.tailer.CHECK_SECONDS", 0.2)
    with (
        serving(own_world) as url,
        following(own_world, url, "bert") as stream,
        following(own_world, url, "anna") as other,
    ):
        if end == "suspended":
            path, change = f"/users/{own_world.uids['bert']}", {"is_suspended": True}
            assert own_world.call("admin", "PUT", path, json=change).status_code == 200
        elif end == "logged out":
            assert own_world.call("bert", "POST", "/auth/logout").status_code == 204
        else:
            path, change = f"/users/{own_world.uids['bert']}", {"password": "another password"}
            assert own_world.call("admin", "PUT", path, json=change).status_code == 200
        until(lambda: stream.over)
        happen(own_world, "anna", 7)
        until(lambda: 7 in other.numbers)
        assert not other.over


def test_a_silent_stream_beats(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.tailer.BEAT_SECONDS", 0.1)
    with serving(world) as url, following(world, url, "anna") as stream:
        until(lambda: stream.beats >= 2)


def test_one_has_so_many_streams_and_no_more(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.tailer.MOST_EACH", 2)
    with (
        serving(world) as url,
        following(world, url, "anna") as first,
        following(world, url, "anna"),
        following(world, url, "anna") as refused,
        following(world, url, "bert") as other,
    ):
        assert (refused.status, other.status, first.over) == (429, 200, False)
    with serving(world) as url:
        for _ in range(5):
            with following(world, url, "anna", "?wait=0") as stream:
                until(lambda: stream.over)
                assert stream.status == 200


def test_logs_that_one_follows_are_counted_with_the_streams(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.tailer.MOST_EACH", 1)
    with world.database.writing() as connection:
        job = add_job(connection, "reconcile", owner="anna", target="web1", parameters={})
    path, headers = f"{BASE}/jobs/{job}/log", {"Authorization": f"Bearer {world.token('anna')}"}
    with serving(world) as url:
        with httpx.stream("GET", f"{url}{path}", headers=headers) as first:
            second = httpx.get(f"{url}{path}", headers=headers)
            with following(world, url, "anna") as refused:
                assert (first.status_code, second.status_code, refused.status) == (200, 429, 429)
            with following(world, url, "bert") as other:
                assert other.status == 200
        until(lambda: _status(world, url, "anna") == 200)


def _status(world: World, url: str, who: str) -> int:
    with following(world, url, who) as stream:
        return stream.status


def test_a_job_that_waits_is_looked_at_seldom(world: World) -> None:
    with world.database.writing() as connection:
        job = add_job(connection, "reconcile", owner="anna", target="web1", parameters={})
    headers = {"Authorization": f"Bearer {world.token('anna')}"}
    looks: list[float] = []

    @event.listens_for(world.database.engine, "before_cursor_execute")
    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "job_lines" in statement:
            looks.append(time.monotonic())

    with (
        serving(world) as url,
        httpx.stream("GET", f"{url}{BASE}/jobs/{job}/log", headers=headers, timeout=9),
    ):
        until(lambda: len(looks) == 2)
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert looks[1] - looks[0] > 1


def test_who_does_not_keep_up_is_cut_off_and_comes_back_without_a_loss(world: World) -> None:
    filling = "x" * 8192
    with serving(world) as url:
        slow = _stalled(world, url)
        with following(world, url, "anna", "?event=job.started") as other:
            for start in range(0, 3 * MOST_WAITING, 100):
                happen(world, "anna", *range(start, start + 100), filling=filling)
            until(lambda: len(other.events) == 3 * MOST_WAITING)
        read = b""
        while chunk := slow.recv(1 << 20):
            read += chunk
        slow.close()
        ids = [int(line.split()[1]) for line in read.split(b"\n") if line.startswith(b"id: ")]
        whole = read.rpartition(b"\n\n")[0].count(b"\nid: ")
        assert 0 < whole < 3 * MOST_WAITING
        last = ids[whole - 1]
        with following(world, url, "anna", "?event=job.started&wait=0", after=last) as again:
            until(lambda: again.over)
    every = [number for number, _, _ in other.events]
    assert ids[:whole] + [number for number, _, _ in again.events] == every


def _stalled(world: World, url: str) -> socket.socket:
    """A client that asks, and does not read what it is told."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    host, port = url.removeprefix("http://").split(":")
    client.connect((host, int(port)))
    head = f"GET {BASE}/events?event=job.started HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {world.token('anna')}"
    client.sendall(f"{head}\r\n\r\n".encode())
    assert client.recv(10).startswith(b"HTTP/1.1")
    client.settimeout(30)
    return client
