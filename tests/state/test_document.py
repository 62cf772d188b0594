"""Documents, and what is known of them."""

from datetime import UTC, datetime

from state.document import Condition, Ref, Status
from tests.state.companies import buried, site

MORNING, NOON = datetime(2026, 5, 1, 8, tzinfo=UTC), datetime(2026, 5, 1, 12, tzinfo=UTC)


def _ready(status: bool, at: datetime, reason: str = "Because") -> Condition:
    return Condition("Ready", status, reason, "", 1, at)


def test_a_reference_reads_as_kind_and_name() -> None:
    assert str(Ref("User", "anna")) == "User/anna"


def test_a_document_is_referred_to_by_its_kind_and_name() -> None:
    assert site().ref == Ref("WebDomain", "example.com")


def test_a_document_is_deleted_once_it_is_known_since_when() -> None:
    assert not site().deleted
    assert buried(site()).deleted


def test_a_new_condition_is_added_to_the_others() -> None:
    blocked = Condition("Blocked", False, "Free", "", 1, MORNING)
    assert Status("u", conditions=(blocked,)).having(_ready(True, NOON)).conditions == (
        blocked,
        _ready(True, NOON),
    )


def test_a_condition_that_stays_as_it_was_keeps_its_time_whatever_its_reason() -> None:
    status = Status("u").having(_ready(True, MORNING)).having(_ready(True, NOON, "Otherwise"))
    assert status.conditions == (_ready(True, MORNING, "Otherwise"),)


def test_a_condition_that_turns_takes_the_new_time() -> None:
    status = Status("u").having(_ready(True, MORNING)).having(_ready(False, NOON))
    assert status.conditions == (_ready(False, NOON),)
