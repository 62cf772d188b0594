"""Specs as they were stored."""

from state.kinds import KINDS
from state.validation import dump

SITE = KINDS["WebDomain"].schema


def test_a_stored_spec_is_the_one_that_was_stored() -> None:
    spec = SITE.model_validate(
        {"document_root": "/home/a/web/b.example/public_html", "aliases": ["c.example"]}
    )
    read = SITE.stored(dump(spec))
    assert dump(read) == dump(spec)
    assert read.model_fields_set == set(SITE.model_fields)
    assert dump(SITE.stored({"document_root": "/x"}))["web_template"] == "default"


def test_a_stored_spec_is_the_same_in_whatever_order_its_fields_are() -> None:
    """PostgreSQL keeps them in an order of its own."""
    values = dump(SITE.model_validate({"document_root": "/home/a/web/b.example/public_html"}))
    assert list(vars(SITE.stored(dict(reversed(values.items())))).items()) == list(values.items())


def test_a_stored_spec_has_all_of_its_fields_though_one_has_another_name_now() -> None:
    values = dump(SITE.model_validate({"document_root": "/x"}))
    renamed = {
        ("web_templates" if field == "web_template" else field): value for field, value in values.items()
    }
    assert vars(SITE.stored(renamed))["web_template"] == "default"


def test_what_is_no_field_is_left_out_whatever_it_is_called() -> None:
    values = {"cls": 1, "self": 1, "_fields_set": 1, "document_root": "/x"}
    assert vars(SITE.stored(values)) == vars(SITE.stored({"document_root": "/x"}))
    assert SITE.stored(values).model_fields_set == {"document_root"}


def test_what_is_no_object_of_fields_any_more_is_read_as_one_without_any() -> None:
    assert SITE.stored([1, 2]).model_dump() == SITE.model_construct().model_dump()
