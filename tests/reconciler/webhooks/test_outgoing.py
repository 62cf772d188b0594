"""Requests to where tenants say: what comes of them, and where they never go."""

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from reconciler.webhooks.attempts import Answer
from reconciler.webhooks.outgoing import Exchange
from tests.reconciler.webhooks.receivers import Receiver, listening, speaking

LOOPBACK = (ip_network("127.0.0.0/8"),)
BRIEF = 0.5


def post(exchange: Exchange, *urls: str) -> list[Answer]:
    async def send(url: str) -> Answer:
        async with exchange.line(url) as line:
            answer = await line.post({"X-Test": "1"}, b"{}")
            assert answer is not None
            return answer

    async def all_of_them() -> list[Answer]:
        return [await send(url) for url in urls]

    return asyncio.run(all_of_them())


def test_an_answer_is_its_status() -> None:
    with listening(Receiver()) as receiver:
        assert post(Exchange(LOOPBACK), receiver.url) == [Answer(200)]
    assert (receiver.got[0].body, receiver.got[0].headers["X-Test"]) == (b"{}", "1")
    assert receiver.got[0].headers["Host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(status: int) -> None:
    with listening(Receiver()) as target:
        moved = Receiver(lambda _: status, headers={"Location": target.url})
        with listening(moved) as receiver:
            answer = post(Exchange(LOOPBACK), receiver.url)[0]
    assert (answer.status, answer.good, target.got) == (status, False, [])
    assert "not followed" in answer.message


def test_a_dropped_connection_is_a_failure() -> None:
    with listening(Receiver(lambda _: 0)) as receiver:
        answer = post(Exchange(LOOPBACK), receiver.url)[0]
    assert answer.status is None
    assert answer.message


def _silent(over: threading.Event) -> Iterator[bytes]:
    over.wait()
    yield b""


def _dripping_head(over: threading.Event) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while not over.wait(0.02):
        yield b"a"


def _endless_head(_: threading.Event) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    yield from itertools.repeat(b"X-More: " + b"x" * 1000 + b"\r\n")


def _endless_interim(_: threading.Event) -> Iterator[bytes]:
    yield from itertools.repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 100)


def _garbage(_: threading.Event) -> Iterator[bytes]:
    yield b"220 mail.example ESMTP\r\n"


@pytest.mark.parametrize("parts", [_silent, _dripping_head, _endless_head, _endless_interim, _garbage])
def test_what_is_no_answer_ends_in_time(parts: object) -> None:
    with speaking(parts) as url:
        began = time.monotonic()
        answer = post(Exchange(LOOPBACK, seconds=BRIEF), url)[0]
    assert answer.status is None
    assert time.monotonic() - began < 10 * BRIEF


def _endless_body(_: threading.Event) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"
    yield from itertools.repeat(b"x" * 65536)


def _dripping_body(over: threading.Event) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    while not over.wait(0.02):
        yield b"x"


@pytest.mark.parametrize("parts", [_endless_body, _dripping_body])
def test_a_body_without_end_is_cut_off_and_the_status_counts(parts: object) -> None:
    with speaking(parts) as url:
        began = time.monotonic()
        assert post(Exchange(LOOPBACK, seconds=BRIEF), url) == [Answer(200)]
    assert time.monotonic() - began < 10 * BRIEF


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"]
)
def test_this_machine_is_not_called_under_any_name(host: str) -> None:
    with listening(Receiver()) as receiver:
        answer = post(Exchange(), f"http://{host}:{receiver.port}/")[0]
    assert (answer.status, receiver.got) == (None, [])
    assert "not public" in answer.message


def test_a_name_that_changes_its_answer_is_refused_when_it_is_connected_to() -> None:
    answers = iter([["127.0.0.2"], ["127.0.0.1"]])
    with listening(Receiver()) as receiver:
        exchange = Exchange((ip_network("127.0.0.2/32"),), lambda _: next(answers), BRIEF)
        url = f"http://rebound.example:{receiver.port}/"
        first, second = post(exchange, url, url)
    assert "no connection" in first.message, "the first answer was allowed, and nobody listens there"
    assert "not public" in second.message
    assert receiver.got == []


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    with listening(Receiver()) as receiver:
        exchange = Exchange((), lambda _: ["203.0.114.1", "127.0.0.1"])
        answer = post(exchange, f"http://both.example:{receiver.port}/")[0]
    assert (receiver.got, "not public" in answer.message) == ([], True)


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(Receiver()) as proxy, listening(Receiver()) as receiver:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert post(Exchange(LOOPBACK), receiver.url) == [Answer(200)]
    assert (len(receiver.got), proxy.got) == (1, [])


def test_a_name_server_that_takes_its_time_is_not_waited_for() -> None:
    over = threading.Event()

    def resolve(_: str) -> list[str]:
        over.wait(30)
        return []

    began = time.monotonic()
    answer = post(Exchange((), resolve, BRIEF), "http://slow.example/")[0]
    over.set()
    assert (answer, time.monotonic() - began < 10 * BRIEF) == (Answer(None, "no answer in time"), True)
