"""From documents to the catalog: deterministic, one document's trouble is its own, nothing escapes into a text."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.compile import compile_documents
from state.compiling import Plane
from state.document import Document
from state.kinds import KINDS
from state.resource import PLACEHOLDER, THUMBPRINT
from state.templates import TemplateSet
from tests.reconciler.worlds import catalog_of
from tests.state.companies import (
    FACTS,
    FREE,
    LAW,
    Company,
    buried,
    companies,
    company,
    configs,
    site,
    templates,
    user,
)


def test_owners_come_before_what_they_own() -> None:
    keys = list(catalog_of(company(site(), user())).resources)
    assert keys.index("account:anna") < keys.index("directory:/home/anna/web/example.com")


def test_daemons_come_last_and_belong_to_no_document() -> None:
    catalog = catalog_of(company(user(), site(backend_template="PHP-8.4")))
    assert list(catalog.resources)[-2:] == ["service:nginx", "service:php8.4-fpm"]
    assert catalog.wanted_by["service:nginx"] == ""


def test_what_sites_answer_authorities_is_the_hosts_own_where_there_are_any() -> None:
    plane = Plane("THUMB-print_1")
    sites, none = company(user(), site()), company(user())
    catalog = compile_documents(sites.documents, sites.related, FACTS, templates(), plane)
    assert catalog.wanted_by[THUMBPRINT] == ""
    assert 'default "THUMB-print_1";' in str(catalog.resources[THUMBPRINT].content)
    assert (
        THUMBPRINT not in compile_documents(none.documents, none.related, FACTS, templates(), plane).resources
    )


def test_a_host_has_a_placeholder_where_it_serves_sites() -> None:
    catalog = catalog_of(company(user(), site()))
    assert catalog.wanted_by[PLACEHOLDER] == ""
    assert catalog.resources[PLACEHOLDER].attributes == {"usable": True}
    assert PLACEHOLDER not in catalog_of(company(user())).resources


def test_a_tombstone_wants_nothing() -> None:
    catalog = catalog_of(company(user(), buried(site())))
    assert catalog.outcomes["WebDomain/example.com"].keys == ()
    assert not catalog.outcomes["WebDomain/example.com"].held
    assert "config:nginx/example.com.conf" not in catalog.resources


def test_notes_are_told_of_without_holding_the_document() -> None:
    outcome = catalog_of(company(user(), site(ssl_enabled=True))).outcomes["WebDomain/example.com"]
    assert [note.code for note in outcome.notes] == ["NoCertificate"]
    assert outcome.keys
    assert not outcome.held


@pytest.mark.parametrize(
    "text",
    ["{{ nothing }}", "{{ 1 // 0 }}", "{{ root + 1 }}", "{{ addresses[0].x }}", "{% include 'absent' %}"],
)
def test_a_template_that_fails_in_whatever_way_holds_only_its_own_documents(text: str) -> None:
    sources = {"nginx/web/default": "{{ domain }}", "nginx/web/broken": text, "page/default": ""}
    documents = company(user(), site("a.example"), site("b.example", web_template="broken"))
    catalog = compile_documents(documents.documents, documents.related, FACTS, TemplateSet(sources))
    failed = catalog.outcomes["WebDomain/b.example"].failed
    assert failed is not None
    assert failed.code == "CompileFailed"
    assert catalog.outcomes["WebDomain/b.example"].keys == ()
    assert "config:nginx/a.example.conf" in catalog.resources


def test_of_two_documents_that_want_one_thing_differently_the_later_is_blocked() -> None:
    one, two = user(uid="u1"), replace(user(uid="u2"), number=7)
    catalog = catalog_of(company(two, one))
    assert catalog.wanted_by["account:anna"] == "u1"
    assert [reason.code for reason in catalog.outcomes["u2"].blocked] == ["Conflict"]
    assert "account:anna" in catalog.outcomes["u2"].blocked[0].message
    assert "u2" not in catalog.wanted_by.values()


def test_of_two_documents_that_want_the_very_same_thing_the_first_has_it_and_both_are_well() -> None:
    one, two = site(uid="s1"), site(uid="s2")
    catalog = catalog_of(company(user(), two, one))
    assert not catalog.outcomes["s2"].held
    assert catalog.outcomes["s1"].keys == catalog.outcomes["s2"].keys
    assert catalog.wanted_by["config:nginx/example.com.conf"] == "s1"


@LAW
@given(companies())
def test_compiling_again_gives_the_same(some: Company) -> None:
    one, other = catalog_of(some), catalog_of(some)
    assert list(one.resources.items()) == list(other.resources.items())
    assert (one.wanted_by, one.outcomes) == (other.wanted_by, other.outcomes)


@LAW
@given(companies())
def test_what_a_resource_requires_is_made_before_it_or_is_its_owners(some: Company) -> None:
    catalog = catalog_of(some)
    owners = {f"account:{d.owner}" for d in some.documents}
    made: set[str] = set()
    for key, resource in catalog.resources.items():
        assert set(resource.requires) <= made | owners
        made.add(key)


@LAW
@given(companies(), st.data())
def test_whatever_the_free_texts_hold_the_configurations_are_the_same(
    some: Company, data: st.DataObject
) -> None:
    def rewritten(document: Document) -> Document:
        texts = {name: data.draw(text) for name, text in FREE[document.kind].items()}
        schema = KINDS[document.kind].schema
        return replace(document, spec=schema.model_validate({**document.spec.model_dump(), **texts}))

    other = Company(tuple(map(rewritten, some.documents)))
    assert configs(catalog_of(some).resources.values()) == configs(catalog_of(other).resources.values())


@LAW
@given(
    st.text(max_size=20).filter(lambda text: not set(text) <= set("abc")), st.sampled_from(["alias", "root"])
)
def test_a_name_outside_the_closed_alphabet_never_reaches_a_configuration(text: str, where: str) -> None:
    document = site(backend_template="PHP-8.4")
    spec = document.spec.model_copy(
        update={"aliases": (text,)} if where == "alias" else {"document_root": text}
    )
    catalog = catalog_of(company(user(), replace(document, spec=spec)))
    legal = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:*@+-")
    assert set(text) <= legal or catalog.outcomes[document.uid].failed is not None
    for content in configs(catalog.resources.values()).values():
        assert set(text) <= legal or text not in str(content)


def test_the_shipped_templates_have_every_folder_that_kinds_ask_for() -> None:
    for folder in ("nginx/web", "nginx/proxy", "php/backend", "page"):
        assert templates().names(folder)
