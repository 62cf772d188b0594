"""Texts of configuration files: complete or not at all, and of words that mean nothing to any service."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError

from state.templates import TemplateSet, load_templates
from tests.state.companies import LAW

LEGAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:*@+-"
FORBIDDEN = [
    "\n",
    "\r",
    "\0",
    '"',
    "'",
    "`",
    "{",
    "}",
    ";",
    "$",
    "\\",
    " ",
    "\t",
    "#",
    "<",
    ">",
    "|",
    "&",
    "(",
    "~",
]
USES = [
    "{{ value }}",
    "{{ value ~ value }}",
    "{% for each in [value] %}{{ each }}{% endfor %}",
    "{% set other = value %}{{ other }}",
    "{{ value | upper }}",
]


def _rendered(text: str, value: object) -> str:
    return TemplateSet({"web/x": text}).render("web", "x", {"value": value})


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("character", FORBIDDEN, ids=repr)
def test_a_value_with_a_character_that_means_something_is_refused(use: str, character: str) -> None:
    for value in (character, f"a{character}", f"{character}b", f"a{character}b"):
        with pytest.raises(ValueError, match="may not stand in a configuration file"):
            _rendered(use, value)


@LAW
@given(st.text(min_size=1).filter(lambda text: not set(text) <= set(LEGAL)), st.sampled_from(USES[:4]))
def test_a_value_outside_the_closed_alphabet_never_reaches_a_text(value: str, use: str) -> None:
    with pytest.raises(ValueError, match="may not stand"):
        _rendered(use, value)


@LAW
@given(st.text(LEGAL, max_size=80))
def test_a_word_of_the_closed_alphabet_stands_as_it_is(value: str) -> None:
    assert _rendered("name {{ value }};\n", value) == f"name {value};\n"


@pytest.mark.parametrize(("value", "text"), [(3, "3"), (True, "True"), (None, "None")])
def test_plain_values_stand_as_words(value: object, text: str) -> None:
    assert _rendered("{{ value }}", value) == text


@pytest.mark.parametrize("value", [["a", "b"], {"a": "b"}])
def test_a_list_or_mapping_is_no_word(value: object) -> None:
    with pytest.raises((ValueError, TemplateError)):
        _rendered("{{ value }}", value)


def test_a_text_that_a_template_made_can_stand_whole_in_another() -> None:
    templates = TemplateSet({"proxy/x": "location / {\n}\n", "web/x": "server {\n{{ value }}}\n"})
    inner = templates.render("proxy", "x", {})
    assert templates.render("web", "x", {"value": inner}) == "server {\nlocation / {\n}\n}\n"


def test_the_same_text_from_elsewhere_cannot() -> None:
    with pytest.raises(ValueError, match="may not stand"):
        _rendered("{{ value }}", "location / {\n}\n")


def test_a_value_is_never_a_template() -> None:
    with pytest.raises(ValueError, match="may not stand"):
        _rendered("{{ value }}", "{{ 7 * 7 }}")


@pytest.mark.parametrize(
    "text", ["{{ absent }}", "{{ value.absent }}", "{% if absent %}x{% endif %}", "{% if %}"]
)
def test_a_template_that_asks_for_what_is_not_there_or_is_none_fails(text: str) -> None:
    with pytest.raises(TemplateError):
        _rendered(text, "a")


def test_an_absent_template_fails() -> None:
    with pytest.raises(TemplateError):
        TemplateSet({}).render("web", "x", {})


def test_names_are_those_of_one_folder_in_order() -> None:
    templates = TemplateSet({"nginx/web/b": "", "nginx/web/a": "", "nginx/proxy/c": ""})
    assert templates.names("nginx/web") == ("a", "b")
    assert templates.names("nginx") == ()


def test_files_are_named_without_their_endings_and_later_folders_win(tmp_path: Path) -> None:
    for folder, name, text in [
        ("ours", "default.conf.j2", "ours"),
        ("ours", "plain.conf.j2", "plain"),
        ("theirs", "default.conf.j2", "theirs"),
        ("theirs", "PHP-fast.conf.j2", ""),
        ("theirs", "readme.txt", ""),
    ]:
        place = tmp_path / folder / "nginx/web" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
    templates = load_templates([tmp_path / "ours", tmp_path / "theirs", tmp_path / "absent"])
    assert templates.names("nginx/web") == ("PHP-fast", "default", "plain")
    assert templates.render("nginx/web", "default", {}) == "theirs"
    assert templates.render("nginx/web", "plain", {}) == "plain"
