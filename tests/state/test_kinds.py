"""What every kind promises, whichever it is: a new kind that forgets a part fails here."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from state.files.folder import load
from state.kind import Kind
from state.kinds import KINDS
from state.spec import AdminOnly, Copied, Immutable
from tests.state.companies import FREE, LAW, SPECS

EXAMPLES = Path(__file__).parents[2] / "state/examples"
EVERY = [pytest.param(kind, id=kind.name) for kind in KINDS.values()]
OWNERS = [kind for kind in KINDS.values() if kind.owns]


@pytest.mark.parametrize("kind", EVERY)
def test_it_is_listed_by_its_own_name(kind: Kind) -> None:
    assert KINDS[kind.name] is kind
    assert kind.name.isidentifier()
    assert kind.name[0].isupper()


@pytest.mark.parametrize("kind", EVERY)
def test_a_part_is_of_a_kind_that_is_no_part_itself_and_shows_what_it_is_in(kind: Kind) -> None:
    if kind.part_of is None:
        return
    whole = KINDS[kind.part_of.kind]
    assert whole.part_of is None
    assert whole.rank < kind.rank
    assert kind.part_of.field not in kind.schema.model_fields
    assert set(kind.part_of.beside) <= kind.schema.model_fields.keys()
    name = next(kind.part_of.names({}, "example.com"))
    assert kind.check_name(name) == name
    assert kind.part_of.whole(name) == "example.com"


def test_names_and_plurals_are_of_one_kind_each() -> None:
    assert len({kind.name for kind in KINDS.values()}) == len(KINDS)
    assert len({kind.plural for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", EVERY)
def test_its_plural_can_stand_in_a_path_and_its_name_field_is_none_of_the_specification(kind: Kind) -> None:
    assert kind.plural == kind.plural.lower()
    assert kind.plural.replace("-", "").isalpha()
    assert kind.name_field.isidentifier()
    assert kind.name_field not in kind.schema.model_fields


@pytest.mark.parametrize("kind", EVERY)
def test_it_is_a_value_that_cannot_be_changed(kind: Kind) -> None:
    with pytest.raises(FrozenInstanceError):
        kind.name = "Other"


@pytest.mark.parametrize("kind", EVERY)
def test_its_schema_is_closed_and_frozen_and_says_what_it_is_for(kind: Kind) -> None:
    assert kind.schema.model_config["extra"] == "forbid"
    assert kind.schema.model_config["frozen"] is True
    assert kind.schema.__doc__
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        kind.schema.model_validate({"no_such_field": 1})


@pytest.mark.parametrize("kind", EVERY)
def test_its_module_says_what_it_is(kind: Kind) -> None:
    module = __import__(kind.schema.__module__, fromlist=["__doc__"])
    assert module.__doc__.startswith(f"{kind.name}: ")


@pytest.mark.parametrize("kind", EVERY)
def test_marks_are_values_that_are_known(kind: Kind) -> None:
    marks = (Immutable, Copied, AdminOnly)
    for info in kind.schema.model_fields.values():
        for each in info.metadata:
            assert not isinstance(each, type), f"{each} is a class: write {each.__name__}()"
    assert all(kind.marked(mark) <= kind.schema.model_fields.keys() for mark in marks)


@pytest.mark.parametrize("kind", EVERY)
def test_every_copied_field_has_a_source_to_be_copied_from(kind: Kind) -> None:
    assert kind.marked(Copied) <= KINDS["Package"].schema.model_fields.keys()


@pytest.mark.parametrize("kind", EVERY)
def test_its_limit_and_its_counter_belong_together_and_are_its_owners(kind: Kind) -> None:
    assert (kind.limit is None) == (kind.counter is None)
    if kind.limit is not None and kind.counter is not None:
        assert kind.counter == f"{kind.limit.removesuffix('_limit')}_count"
        assert all(kind.limit in owner.schema.model_fields for owner in OWNERS)


@pytest.mark.parametrize("kind", EVERY)
def test_it_can_be_searched_by_texts_of_its_own(kind: Kind) -> None:
    assert kind.search
    assert set(kind.search) <= {kind.name_field, *kind.schema.model_fields}


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_measured_is_none_of_its_specification(kind: Kind) -> None:
    assert not kind.measured.keys() & kind.schema.model_fields.keys()


@pytest.mark.parametrize("kind", EVERY)
@pytest.mark.parametrize(
    "name", ["", "-rf", "a\nb", "a b", "../x", "a;b", "a\0", "'", "{{x}}", "x" * 300, "\u202e"]
)
def test_a_name_that_could_mean_something_else_is_refused(kind: Kind, name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        kind.check_name(name)


@LAW
@given(st.sampled_from(list(KINDS.values())), st.text(max_size=40) | st.from_regex(r"[a-z0-9.-]{1,30}\n?"))
def test_a_canonical_name_is_its_own_and_plain(kind: Kind, name: str) -> None:
    try:
        canonical = kind.check_name(name)
    except ValueError:
        return
    assert kind.check_name(canonical) == canonical
    assert canonical.isascii()
    assert set(canonical) <= set("abcdefghijklmnopqrstuvwxyz0123456789._-")
    assert canonical[0] not in "-."


def test_strategies_know_every_kind() -> None:
    assert SPECS.keys() == KINDS.keys()
    assert FREE.keys() == KINDS.keys()


@pytest.mark.parametrize("kind", EVERY)
def test_there_is_an_example_of_it(kind: Kind) -> None:
    assert kind.name in {document.kind for document in load(EXAMPLES)}


@pytest.mark.parametrize("kind", EVERY)
def test_a_closed_choice_has_a_default_among_its_choices(kind: Kind) -> None:
    for info in kind.schema.model_fields.values():
        if getattr(info.annotation, "__origin__", None) is not None and not info.is_required():
            choices = get_args(info.annotation)
            assert info.default in choices or info.default in (None, ())
