"""What could not be looked at is set apart: nothing is concluded of it, and it is tried again."""

from dataclasses import replace

from reconciler.subject import Subject
from reconciler.unread import retried, say_unread, set_apart
from state.compiling import Reason
from state.document import Document, Status
from tests.reconciler.worlds import NOON, catalog_of, condition
from tests.state.companies import TARGET, Company, company, document, part, user

ZONE = document("DnsZone", "example.com", "anna")
ZONED = company(user(), ZONE, part(ZONE, "ns1", name="ns1", record_type="A", value="192.0.2.1"))
WHY = Reason("RateLimited", "too many questions")


def _subject(company: Company, **applied: dict[str, str]) -> Subject:
    statuses = {d.uid: Status(d.uid, applied=applied.get(d.uid, {})) for d in company.documents}
    return Subject(TARGET, {d.uid: d for d in company.documents}, company.related, statuses)


def _named(company: Company, kind: str) -> Document:
    return next(d for d in company.documents if d.kind == kind)


def test_without_trouble_everything_stays() -> None:
    subject = _subject(ZONED)
    assert set_apart(subject, catalog_of(ZONED), {}) == (subject, ())


def test_who_wants_what_was_not_read_is_set_apart_with_its_parts() -> None:
    zone, record = _named(ZONED, "DnsZone"), _named(ZONED, "DnsRecord")
    subject, unread = set_apart(_subject(ZONED), catalog_of(ZONED), {f"config:named/{zone.name}.zone": WHY})
    assert {each.document.uid for each in unread} == {zone.uid, record.uid}
    assert (
        subject.documents.keys()
        == subject.statuses.keys()
        == {d.uid for d in ZONED.documents if d.kind in {"Package", "User"}}
    )
    assert retried(unread) == {zone.uid}
    for status in say_unread(unread, NOON):
        told = condition(status, "Ready")
        assert (told.status, told.reason) == (False, "RateLimited")
        assert told.message == "too many questions; tried again soon"


def test_who_holds_what_was_not_read_is_set_apart_too() -> None:
    zone = _named(ZONED, "DnsZone")
    gone = replace(ZONED, documents=tuple(d for d in ZONED.documents if d.kind == "User"))
    subject = replace(
        _subject(ZONED, **{zone.uid: {"rrset:old.example/@/NS": "x"}}),
        documents={d.uid: d for d in ZONED.documents if d.kind != "DnsRecord"},
    )
    left, unread = set_apart(subject, catalog_of(gone), {"rrset:old.example/@/NS": WHY})
    assert [each.document.uid for each in unread] == [zone.uid]
    assert left.documents.keys() == {d.uid for d in ZONED.documents if d.kind in {"Package", "User"}}
