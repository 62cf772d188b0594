"""Writing documents."""

import pytest
from sqlalchemy import func, select

from state import store
from state.document import Document, Ref
from state.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from state.kind import Kind
from state.kinds import KINDS
from state.reading import find, get, pending
from state.tables import claims, documents, revisions
from state.tombstones import forget
from tests.state.conftest import Company, at_once


def _find(company: Company, kind: str, name: str) -> Document | None:
    with company.database.reading() as connection:
        return find(connection, Ref(kind, name))


def test_a_new_document_is_at_generation_one_with_a_revision_and_waits_to_be_looked_at(
    company: Company,
) -> None:
    user = company.user("anna")
    with company.database.reading() as connection:
        revision = connection.execute(select(revisions).where(revisions.c.uid == user.uid)).one()
        waiting = pending(connection, user.target)
    assert (user.generation, revision.generation, revision.actor) == (1, 1, "test")
    assert [document.uid for document in waiting] == [user.uid]


def test_a_change_adds_one_to_the_generation_and_keeps_the_former_spec(company: Company) -> None:
    user = company.user("anna")
    changed = company.change(user, email="new@example.com")
    with company.database.reading() as connection:
        query = select(revisions.c.spec).where(revisions.c.uid == user.uid).order_by(revisions.c.generation)
        emails = [spec["email"] for spec in connection.execute(query).scalars()]
    assert changed.generation == 2
    assert emails == ["anna@example.com", "new@example.com"]


def test_a_change_that_changes_nothing_keeps_the_generation(company: Company) -> None:
    user = company.user("anna")
    assert company.change(user, email="anna@example.com").generation == 1


def test_an_immutable_field_stays_as_it_was_created(company: Company) -> None:
    with pytest.raises(Invalid):
        company.change(company.user("anna"), role="admin")


def test_limits_are_copied_from_the_package_once(company: Company) -> None:
    with company.database.writing() as connection:
        package = find(connection, Ref("Package", "default"))
        assert package is not None
        store.change(connection, package, {"web_domains_limit": 99}, actor="test")
    before = company.user("anna")
    with company.database.writing() as connection:
        package = find(connection, Ref("Package", "default"))
        assert package is not None
        store.change(connection, package, {"web_domains_limit": 1}, actor="test")
    after = company.change(before, full_name="Anna")
    assert getattr(before.spec, "web_domains_limit", None) == 99
    assert getattr(after.spec, "web_domains_limit", None) == 99


def test_what_was_given_overrides_the_package(company: Company) -> None:
    assert getattr(company.user("anna", web_domains_limit=7).spec, "web_domains_limit", None) == 7


def test_all_faults_are_told_at_once(company: Company) -> None:
    with pytest.raises(Invalid) as caught:
        company.user("Root!", email="nobody", timezone="../etc", unknown=1)
    assert {fault.field for fault in caught.value.faults} == {"username", "email", "timezone", "unknown"}


def test_a_full_plan_refuses_another(company: Company) -> None:
    company.user("anna", web_domains_limit=1)
    company.site("example.com", "anna")
    with pytest.raises(Forbidden) as caught:
        company.site("example.net", "anna")
    assert caught.value.code == "limit_reached"


def test_simultaneous_creates_do_not_exceed_a_limit(company: Company) -> None:
    company.user("anna", web_domains_limit=2)
    results = at_once(*(lambda i=i: company.site(f"example{i}.com", "anna") for i in range(6)))
    assert sum(isinstance(each, Document) for each in results) == 2
    assert sum(isinstance(each, Forbidden) for each in results) == 4


def test_a_limit_of_zero_is_none(company: Company) -> None:
    company.user("anna", web_domains_limit=0)
    for i in range(7):
        company.site(f"example{i}.com", "anna")


def test_a_stale_change_is_refused(company: Company) -> None:
    user = company.user("anna")
    company.change(user, full_name="Anna")
    with pytest.raises(Stale), company.database.writing() as connection:
        store.change(connection, user, {"full_name": "Other"}, actor="test", generation=1)


def test_of_simultaneous_changes_of_one_generation_exactly_one_wins(company: Company) -> None:
    user = company.user("anna")

    def change(name: str) -> Document:
        with company.database.writing() as connection:
            return store.change(connection, user, {"full_name": name}, actor="test", generation=1)

    results = at_once(*(lambda n=n: change(f"Name {n}") for n in range(4)))
    assert sum(isinstance(each, Document) for each in results) == 1
    assert sum(isinstance(each, Stale) for each in results) == 3


def test_a_deleted_document_remains_as_a_tombstone_for_its_host(company: Company) -> None:
    company.user("anna")
    site = company.site("example.com", "anna")
    company.remove(site)
    with company.database.reading() as connection:
        left = get(connection, site.uid)
        row = connection.execute(select(documents.c.pending).where(documents.c.uid == site.uid)).one()
        held = connection.execute(select(func.count()).select_from(claims).where(claims.c.uid == site.uid))
        assert held.scalar_one() == 0
    assert left.deleted
    assert row.pending
    assert _find(company, "WebDomain", "example.com") is None


def test_with_a_user_goes_what_it_owns(company: Company) -> None:
    user = company.user("anna")
    site = company.site("example.com", "anna")
    company.remove(user)
    with company.database.reading() as connection:
        assert get(connection, site.uid).deleted


def test_a_reseller_with_users_is_in_use(company: Company) -> None:
    reseller = company.user("resi", role="reseller")
    company.user("anna", owner="resi")
    with pytest.raises(Conflict) as caught:
        company.remove(reseller)
    assert caught.value.code == "in_use"


def test_a_package_that_users_have_is_in_use(company: Company) -> None:
    company.user("anna")
    package = _find(company, "Package", "default")
    assert package is not None
    with pytest.raises(Conflict):
        company.remove(package)


def test_a_name_can_be_used_again_but_a_number_never(company: Company) -> None:
    first = company.user("anna")
    company.remove(first)
    second = company.user("anna")
    assert (first.name, second.name) == ("anna", "anna")
    assert second.number == (first.number or 0) + 1


def test_a_tombstone_is_forgotten_only_when_told(company: Company) -> None:
    site = company.user("anna")
    company.remove(site)
    with company.database.writing() as connection:
        forget(connection, [site.uid])
        with pytest.raises(NotFound):
            get(connection, site.uid)


def test_a_living_document_is_never_forgotten(company: Company) -> None:
    with company.database.writing() as connection:
        package = find(connection, Ref("Package", "default"))
        assert package is not None
        forget(connection, [package.uid])
        assert find(connection, Ref("Package", "default")) is not None


def test_a_site_without_its_owner_is_refused(company: Company) -> None:
    with pytest.raises(NotFound):
        company.site("example.com", "nobody-there")


def test_a_user_deleted_while_it_gets_sites_leaves_no_site_behind(company: Company) -> None:
    user = company.user("anna", web_domains_limit=0)
    actions = [lambda i=i: company.site(f"example{i}.com", "anna") for i in range(4)]
    at_once(*actions[:2], lambda: company.remove(user), *actions[2:])
    with company.database.reading() as connection:
        alive = select(documents.c.name).where(documents.c.owner == "anna", documents.c.deleted_at.is_(None))
        assert connection.execute(alive).all() == []


def test_a_change_makes_what_refers_to_it_wanted_again(company: Company) -> None:
    user = company.user("anna")
    site = company.site("example.com", "anna")
    company.change(user, is_suspended=True)
    with company.database.reading() as connection:
        assert get(connection, site.uid).wanted == site.wanted + 1


def test_new_users_go_to_the_host_with_the_fewest_documents(company: Company) -> None:
    assert {company.user("anna").target, company.user("bert").target} == {"web1", "web2"}


def test_a_rehearsed_write_is_not_kept(company: Company) -> None:
    with company.database.rehearsing() as connection:
        company.user_in(connection, "anna")
        assert find(connection, Ref("User", "anna")) is not None
    assert _find(company, "User", "anna") is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_kinds_marks_and_names_fit_its_schema(kind: Kind) -> None:
    fields = set(kind.schema.model_fields)
    assert kind.name_field not in fields
    assert set(kind.search) <= fields | {kind.name_field}
    assert not set(kind.measured) & fields
