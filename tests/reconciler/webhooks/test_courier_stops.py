"""When nothing is delivered any more: receivers that are gone, and webhooks that nobody wants."""

import json

from tests.reconciler.webhooks.offices import Office, numbers, until
from tests.reconciler.webhooks.receivers import Received, Receiver, listening


def _attempts(office: Office, hook: str) -> int:
    return sum(row.attempts for row in office.rows(hook))


def test_gone_disables_at_once_and_others_are_told(office: Office) -> None:
    with listening(Receiver(lambda _: 410)) as gone, listening(Receiver()) as other, office.courier():
        hook = office.hook("anna", gone, "job.started", "webhook.disabled")
        office.hook("anna", other, "webhook.disabled")
        office.happen("anna", 1, 2)
        until(lambda: other.got)
    stopped = office.webhook(hook)
    assert (stopped.is_active, "410" in stopped.disabled_reason, len(gone.got)) == (False, True, 1)
    assert json.loads(other.got[0].body)["data"]["id"] == hook


def test_a_week_of_failures_disables(office: Office) -> None:
    with listening(Receiver(lambda _: 503)) as receiver, office.courier():
        hook = office.hook("anna", receiver)
        office.happen("anna", *range(20))
        until(lambda: _attempts(office, hook))
        while office.webhook(hook).is_active:
            made = _attempts(office, hook)
            office.hands.seconds += 9 * 3600
            until(lambda: _attempts(office, hook) > made)  # noqa: B023
            assert office.hands.seconds < 30 * 86400
    assert office.hands.seconds >= 7 * 86400
    assert "week" in office.webhook(hook).disabled_reason
    assert len(office.rows(hook, "pending")) > 0


def test_what_is_deactivated_deleted_or_whose_owner_is_suspended_gets_nothing(office: Office) -> None:
    with listening(Receiver()) as receiver, listening(Receiver()) as other:
        hook, control = office.hook("anna", receiver), office.hook("bert", other)
        office.change(hook, is_active=False)
        office.happen("anna", 1)
        office.happen("bert", 1)
        with office.courier():
            until(lambda: len(office.rows(control, "delivered")) == 1)
            office.change(hook, is_active=True)
            office.suspend("anna")
            office.happen("anna", 2)
            office.happen("bert", 2)
            until(lambda: len(office.rows(control, "delivered")) == 2)
            office.suspend("anna", suspended=False)
            office.happen("anna", 3)
            until(lambda: receiver.got)
    assert numbers(receiver) == [3]


def test_a_deactivated_webhook_stops_in_the_middle_of_a_run(office: Office) -> None:
    def answer(_: Received) -> int:
        if len(receiver.got) == 3:
            office.change(hook, is_active=False)
        return 200

    with listening(Receiver(answer)) as receiver:
        hook = office.hook("anna", receiver)
        office.happen("anna", *range(10))
        with office.courier():
            until(lambda: len(office.rows(hook, "delivered")) == 3)
            with listening(Receiver()) as other:
                office.hook("bert", other)
                office.happen("bert", 1)
                until(lambda: other.got)
    assert numbers(receiver) == [0, 1, 2]
