"""Documents laid over those that are stored, for a dry run."""

from dataclasses import replace

from reconciler.subject import Subject, with_overlay
from state.document import Ref, Status
from tests.reconciler.worlds import Host
from tests.state.companies import TARGET, buried, company, document, site, user

STORED = company(user(), site())
KNOWN = Status("User/anna", applied={"account:anna": "x"})


def _subject() -> Subject:
    documents = {d.uid: d for d in STORED.documents if d.target == TARGET}
    return Subject(TARGET, documents, STORED.related, {"User/anna": KNOWN}, 2)


def test_a_new_document_joins_with_nothing_known_of_it() -> None:
    subject = with_overlay(_subject(), [site("new.example")])
    assert subject.documents.keys() == {"User/anna", "WebDomain/example.com", "WebDomain/new.example"}
    assert subject.statuses["WebDomain/new.example"] == Status("WebDomain/new.example")
    assert subject.statuses["User/anna"] is KNOWN
    assert subject.total == 2


def test_a_changed_document_takes_the_stored_ones_place() -> None:
    changed = replace(user(full_name="Anna"), generation=2)
    subject = with_overlay(_subject(), [changed])
    assert subject.documents["User/anna"] is changed
    assert subject.related[Ref("User", "anna")] is changed


def test_a_document_that_is_on_no_host_can_be_referred_to() -> None:
    package = document("Package", "gold")
    subject = with_overlay(_subject(), [package])
    assert subject.related[Ref("Package", "gold")] is package
    assert package.uid not in subject.documents


def test_a_deleted_document_can_be_referred_to_no_more() -> None:
    subject = with_overlay(_subject(), [buried(user())])
    assert Ref("User", "anna") not in subject.related
    assert subject.documents["User/anna"].deleted


def test_a_document_deleted_and_made_again_can_be_referred_to() -> None:
    again = user(uid="again")
    subject = with_overlay(_subject(), [buried(user()), again])
    assert subject.related[Ref("User", "anna")] is again


def test_why_documents_are_held_is_told_by_uid() -> None:
    broken = site("b.example")
    broken = replace(broken, spec=broken.spec.model_copy(update={"aliases": ("a;b",)}))
    survey = Host().survey(
        company(user(), site("a.example", web_template="missing"), broken, site("c.example"))
    )
    assert {uid: [r.code for r in reasons] for uid, reasons in survey.held.items()} == {
        "WebDomain/a.example": ["TemplateMissing"],
        "WebDomain/b.example": ["CompileFailed"],
    }
