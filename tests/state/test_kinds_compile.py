"""What every kind's documents refer to, claim and compile to, whichever it is."""

import builtins
import json
import os
import socket
import subprocess
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from state.compiling import Context, Plane
from state.document import Document
from state.errors import GhostError
from state.files.folder import load
from state.kind import Kind
from state.kinds import KINDS
from tests.state.companies import DAY, FACTS, LAW, Company, companies, templates, with_material

EXAMPLES = Path(__file__).parents[2] / "state/examples"
EVERY = [pytest.param(kind, id=kind.name) for kind in KINDS.values()]


@LAW
@given(companies())
def test_what_a_document_refers_to_is_of_a_known_kind_of_lower_rank(some: Company) -> None:
    for document in some.documents:
        for ref in KINDS[document.kind].references(document):
            assert KINDS[ref.kind].rank < KINDS[document.kind].rank


def test_ranks_are_in_the_order_of_the_table() -> None:
    ranks = [kind.rank for kind in KINDS.values()]
    assert ranks == sorted(ranks)


@LAW
@given(companies())
def test_a_document_claims_its_names_once(some: Company) -> None:
    for document in some.documents:
        claims = KINDS[document.kind].claims(document)
        assert len(set(claims)) == len(claims)
        assert all(claim.space and claim.name for claim in claims)


@LAW
@given(companies())
def test_a_stored_specification_compiles_to_the_same_as_a_given_one(some: Company) -> None:
    for document in some.documents:
        stored = json.loads(json.dumps(document.spec.model_dump(mode="json")))
        again = replace(document, spec=KINDS[document.kind].schema.model_construct(**stored))
        assert _compiled(again, some) == _compiled(document, some)


@LAW
@given(companies())
def test_a_specification_survives_being_written_and_read(some: Company) -> None:
    for document in some.documents:
        text = document.spec.model_dump_json()
        assert KINDS[document.kind].schema.model_validate_json(text) == document.spec


@LAW
@given(companies())
def test_completing_a_complete_specification_changes_nothing(some: Company) -> None:
    for document in some.documents:
        kind, values = KINDS[document.kind], document.spec.model_dump()
        completed = kind.complete(values, document.name, document.owner, some.related.get, document.spec)
        assert kind.schema.model_validate(completed) == document.spec


@LAW
@given(companies())
def test_a_document_compiles_to_different_things_that_are_its_alone_to_name(some: Company) -> None:
    for document in some.documents:
        compiled = _compiled(document, some)
        keys = [resource.key for resource in compiled.resources]
        assert len(set(keys)) == len(keys)
        assert not (compiled.blocked and compiled.resources)
        assert all(key.count(":") >= 1 and "\n" not in key for key in keys)
    for one, other in combinations([d for d in some.documents if not d.deleted], 2):
        assert not _keys(one, some) & _keys(other, some)


@LAW
@given(companies())
def test_what_is_on_no_host_compiles_to_nothing(some: Company) -> None:
    for document in some.documents:
        if not KINDS[document.kind].placed:
            assert _compiled(document, some).resources == ()


@LAW
@given(companies())
def test_a_reason_has_a_code_for_machines_and_a_sentence_for_people(some: Company) -> None:
    for document in some.documents:
        compiled = _compiled(document, some)
        for reason in (*compiled.blocked, *compiled.notes):
            assert reason.code.isidentifier()
            assert len(reason.message) > 20


def test_compiling_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    some = Company(tuple(_examples()))
    for document in some.documents:
        _compiled(document, some)

    def refused(*_: Any, **__: Any) -> Any:
        raise GhostError("a kind did IO")

    for place, name in [
        (builtins, "open"),
        (os, "open"),
        (os, "stat"),
        (socket, "socket"),
        (subprocess, "Popen"),
    ]:
        monkeypatch.setattr(place, name, refused)
    made = [_compiled(document, some).resources for document in some.documents]
    monkeypatch.undo()
    assert any(made)


@pytest.mark.parametrize("kind", EVERY)
def test_its_example_compiles_to_what_it_should(kind: Kind) -> None:
    some = Company(tuple(_examples()))
    compiled = [_compiled(d, some) for d in some.documents if d.kind == kind.name]
    assert not [reason for each in compiled for reason in each.blocked]
    assert not [reason for each in compiled for reason in each.left_out.values()]
    assert any(each.resources for each in compiled) is (kind.placed and kind.part_of is None)


def _examples() -> list[Document]:
    default = Document("Package/default", "Package", "default", "admin", "", KINDS["Package"].schema())
    known, made = {default.ref: default}, [default]
    found = sorted(load(EXAMPLES), key=lambda each: KINDS[each.kind].rank)
    for number, each in enumerate(found, start=1):
        kind = KINDS[each.kind]
        values = kind.complete(each.spec, each.name, each.owner, known.get, None)
        spec = kind.schema.model_validate(values)
        uid = f"{each.kind}/{each.name}"
        part_of = kind.part_of
        whole = f"{part_of.kind}/{part_of.whole(each.name)}" if part_of else ""
        one = Document(uid, each.kind, each.name, each.owner, "web1", spec, number=number, whole=whole)
        made.append(_given(one) if kind.name == "Certificate" else one)
        known[made[-1].ref] = made[-1]
    return made


def _given(certificate: Document) -> Document:
    """The certificate once its owner has given it and switched it on."""
    return with_material(replace(certificate, spec=certificate.spec.model_copy(update={"is_active": True})))


def _compiled(document: Document, some: Company) -> Any:
    parts = some.parts.get(document.uid, ())
    return KINDS[document.kind].compile(
        Context(document, FACTS, templates(), some.related.get, Plane(day=DAY), parts)
    )


def _keys(document: Document, some: Company) -> set[str]:
    return {resource.key for resource in _compiled(document, some).resources}
