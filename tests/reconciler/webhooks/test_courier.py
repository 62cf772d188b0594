"""Delivering: in order, at least once, whatever receivers and senders do."""

import base64
import hashlib
import hmac
import json
import threading
import time
from datetime import UTC, datetime

import pytest

from reconciler.webhooks.attempts import DELAYS
from reconciler.webhooks.fan_out import fan_out
from reconciler.webhooks.outgoing import Exchange
from state.errors import Invalid
from state.journal.deliveries import ping
from state.journal.event import Event
from state.journal.events import emit
from state.journal.signing import new_secret
from tests.reconciler.webhooks.offices import LOOPBACK, SOON, Office, numbers, until
from tests.reconciler.webhooks.receivers import Received, Receiver, listening, speaking


def test_events_arrive_in_order_and_once(office_on_both: Office) -> None:
    with listening(Receiver()) as receiver, office_on_both.courier():
        hook = office_on_both.hook("anna", receiver)
        office_on_both.happen("anna", *range(120))
        until(lambda: len(office_on_both.rows(hook, "delivered")) == 120)
    assert numbers(receiver) == list(range(120))
    assert receiver.ids == [row.id for row in office_on_both.rows(hook)]
    assert {row.attempts for row in office_on_both.rows(hook)} == {1}


def test_what_is_told(office: Office) -> None:
    with listening(Receiver()) as receiver, office.courier():
        office.hook("anna", receiver)
        office.happen("anna", 1)
        until(lambda: receiver.got)
    body = json.loads(receiver.got[0].body)
    assert (set(body), body["event"]) == ({"event", "data", "timestamp"}, "job.started")
    told = datetime.fromisoformat(body["timestamp"])
    assert abs((datetime.now(UTC) - told).total_seconds()) < 60
    assert receiver.got[0].headers["Content-Type"] == "application/json"


def test_an_event_has_the_name_by_which_it_was_asked_for(office: Office) -> None:
    with listening(Receiver()) as receiver, office.courier():
        office.hook("anna", receiver, "domain.ssl.renewed")
        office.happen("anna", 1, name="ssl.certificate.renewed")
        until(lambda: receiver.got)
    assert json.loads(receiver.got[0].body)["event"] == "domain.ssl.renewed"


@pytest.mark.parametrize("secret", ["webhook-secret-key", new_secret()], ids=["any", "ours"])
def test_both_signatures_are_as_their_specifications_say(office: Office, secret: str) -> None:
    with listening(Receiver()) as receiver, office.courier():
        office.hook("anna", receiver, secret=secret)
        office.happen("anna", 1)
        until(lambda: receiver.got)
    got, headers = receiver.got[0], receiver.got[0].headers
    assert headers["X-GhostCP-Signature"] == hmac.new(secret.encode(), got.body, hashlib.sha256).hexdigest()
    key = base64.b64decode(secret[6:]) if secret.startswith("whsec_") else secret.encode()
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + got.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


def test_who_is_told_of_what(office: Office) -> None:
    receivers = {name: Receiver() for name in ("admin", "resi", "anna", "bert")}
    with (
        listening(receivers["admin"]),
        listening(receivers["resi"]),
        listening(receivers["anna"]),
        listening(receivers["bert"]),
        office.courier(),
    ):
        hooks = {name: office.hook(name, receiver) for name, receiver in receivers.items()}
        office.happen("anna", 1)
        office.happen("bert", 2)
        office.happen("resi", 3)
        office.happen("", 4)
        until(lambda: sum(len(office.rows(hook, "delivered")) for hook in hooks.values()) == 8)
    told = {name: numbers(receiver) for name, receiver in receivers.items()}
    assert told == {"admin": [1, 2, 3, 4], "resi": [1, 3], "anna": [1], "bert": [2]}


def test_names_that_hang_delay_nobody_elses_deliveries(office: Office) -> None:
    over, hung = threading.Event(), 100

    def resolve(host: str) -> list[str]:
        if host.startswith("hangs"):
            over.wait(SOON)
        return ["127.0.0.1"]

    with listening(Receiver()) as receiver:
        slow = [f"http://hangs{n}.example:{receiver.port}/" for n in range(hung)]
        owners = [f"owner{n}" for n in range(hung // 20)]
        for owner in owners:
            office.user(owner)
        hooks = [office.hook(owners[n // 20], receiver, url=url) for n, url in enumerate(slow)]
        mine = office.hook("bert", receiver, url=f"http://quick.example:{receiver.port}/")
        for owner in (*owners, "bert"):
            office.happen(owner, 1)
        with office.courier(Exchange(LOOPBACK, resolve, 2)):
            until(lambda: office.rows(mine, "delivered"))
            until(lambda: sum(bool(row.attempts) for hook in hooks for row in office.rows(hook)) == 20)
            office.happen("bert", 2)
            until(lambda: len(office.rows(mine, "delivered")) == 2)
            tried = [row for hook in hooks for row in office.rows(hook) if row.attempts]
            assert len(tried) == 20, "who waits for a look-up has not failed"
            over.set()
            until(lambda: all(row.attempts for hook in hooks for row in office.rows(hook)))
    assert [row.attempts for row in office.rows(mine)] == [1, 1]


def test_a_transaction_that_is_rolled_back_tells_nothing(office_on_both: Office) -> None:
    office = office_on_both
    with listening(Receiver()) as receiver, office.courier():
        office.hook("anna", receiver)
        with pytest.raises(Invalid):
            _emit_and_fail(office)
        with office.database.rehearsing() as connection:
            emit(connection, Event("job.started", "anna", {"number": 2}))
        office.happen("anna", 3)
        until(lambda: receiver.got)
    assert numbers(receiver) == [3]


def _emit_and_fail(office: Office) -> None:
    with office.database.writing() as connection:
        emit(connection, Event("job.started", "anna", {"number": 1}))
        raise Invalid(())


def test_what_happened_before_a_webhook_was_there_is_not_told(office: Office) -> None:
    office.happen("anna", 1)
    with listening(Receiver()) as receiver:
        office.hook("anna", receiver)
        office.happen("anna", 2)
        with office.courier():
            until(lambda: receiver.got)
    assert numbers(receiver) == [2]


def test_failures_keep_the_order_and_the_id(office: Office) -> None:
    answers = iter([500, 0, 302, 404])
    with listening(Receiver(lambda _: next(answers, 204))) as receiver, office.courier():
        hook = office.hook("anna", receiver)
        office.happen("anna", 1, 2)
        for attempts in range(1, 5):
            until(lambda: office.rows(hook)[0:1] and office.rows(hook)[0].attempts == attempts)  # noqa: B023
            office.hands.seconds += DELAYS[attempts - 1].total_seconds() * 1.2
        until(lambda: len(office.rows(hook, "delivered")) == 2)
    assert numbers(receiver) == [1, 1, 1, 1, 1, 2]
    assert len(set(receiver.ids)) == 2
    assert office.webhook(hook).failing_since is None


def test_it_waits_before_it_tries_again(office: Office) -> None:
    with listening(Receiver(lambda _: 500)) as receiver, office.courier():
        hook = office.hook("anna", receiver)
        office.happen("anna", 1)
        until(lambda: office.rows(hook)[0:1] and office.rows(hook)[0].attempts == 1)
        office.hands.seconds += DELAYS[0].total_seconds() - 1
        with listening(Receiver()) as other:
            office.hook("bert", other)
            office.happen("bert", 2)
            until(lambda: other.got)
        assert len(receiver.got) == 1


def test_a_delivery_is_given_up_after_a_day_and_the_next_goes_on(office: Office) -> None:
    def answer(received: Received) -> int:
        return 500 if b'"number":1' in received.body else 200

    with listening(Receiver(answer)) as receiver, office.courier():
        hook = office.hook("anna", receiver)
        office.happen("anna", 1, 2)
        for attempts, delay in enumerate(DELAYS, 1):
            until(lambda: office.rows(hook)[0:1] and office.rows(hook)[0].attempts == attempts)  # noqa: B023
            office.hands.seconds += delay.total_seconds() * 1.2
        until(lambda: office.rows(hook, "delivered"))
    assert [row.status for row in office.rows(hook)] == ["failed", "delivered"]
    assert 0.9 < office.hands.seconds / 1.2 / 86400 < 1.1
    assert office.webhook(hook).is_active


def test_a_slow_receiver_delays_nobody_else(office: Office) -> None:
    released = threading.Event()

    def hang(_: Received) -> int:
        released.wait(30)
        return 200

    with listening(Receiver(hang)) as slow, listening(Receiver()) as quick, office.courier():
        for _ in range(5):
            office.hook("bert", slow)
        hook = office.hook("anna", quick)
        office.happen("bert", 0)
        until(lambda: len(slow.got) == 5)
        office.happen("anna", *range(20))
        until(lambda: len(office.rows(hook, "delivered")) == 20)
        assert not released.is_set()
        released.set()


def test_an_unreadable_secret_fails_its_own_webhook_only(office: Office) -> None:
    with listening(Receiver()) as receiver, listening(Receiver()) as other, office.courier():
        hook = office.hook("anna", receiver)
        office.change(hook, secret="gAAAAbroken")
        office.hook("bert", other)
        office.happen("anna", 1)
        office.happen("bert", 2)
        until(lambda: other.got and office.rows(hook) and office.rows(hook)[0].attempts)
    assert "secret" in office.rows(hook)[0].message
    assert receiver.got == []


def test_a_receiver_that_never_answers_is_an_attempt(office: Office) -> None:
    over = threading.Event()

    def silent(ended: threading.Event):  # type: ignore[no-untyped-def]
        ended.wait()
        yield b""

    with speaking(silent) as url, office.courier():
        hook = office.hook("anna", Receiver(), url=url)
        office.happen("anna", 1)
        until(lambda: office.rows(hook)[0:1] and office.rows(hook)[0].attempts == 1)
    assert office.rows(hook)[0].message == "no answer in time"
    over.set()


def test_a_ping_goes_first_is_tried_once_and_holds_nothing_back(office: Office) -> None:
    def answer(received: Received) -> int:
        return 500 if b"webhook.ping" in received.body else 200

    with listening(Receiver(answer)) as receiver:
        hook = office.hook("anna", receiver)
        office.happen("anna", 1)
        with office.database.writing() as connection:
            fan_out(connection)
            ping(connection, hook)
        with office.courier():
            until(lambda: office.rows(hook, "delivered"))
    names = [json.loads(each.body)["event"] for each in receiver.got]
    assert names == ["webhook.ping", "job.started"]
    assert [(row.status, row.attempts) for row in office.rows(hook)] == [("failed", 1), ("delivered", 1)]


def test_a_ping_that_arrives_has_what_waits_tried_at_once(office: Office) -> None:
    mended = threading.Event()
    with listening(Receiver(lambda _: 200 if mended.is_set() else 500)) as receiver, office.courier():
        hook = office.hook("anna", receiver)
        office.happen("anna", 1, 2)
        until(lambda: office.rows(hook) and office.rows(hook)[0].attempts == 1)
        mended.set()
        with office.database.writing() as connection:
            ping(connection, hook)
        until(lambda: len(office.rows(hook, "delivered")) == 3)
    assert office.hands.seconds == 0
