"""Texts of configuration files: complete or not at all, and of words that mean nothing to any service."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateError

from state.errors import Temporary
from state.templates import TemplateSet, load_templates, stamp
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
    templates = load_templates([tmp_path / "ours", tmp_path / "theirs"])
    assert templates.names("nginx/web") == ("PHP-fast", "default", "plain")
    assert templates.render("nginx/web", "default", {}) == "theirs"
    assert templates.render("nginx/web", "plain", {}) == "plain"


@pytest.mark.parametrize("folder", ["absent", "file"])
def test_a_folder_that_cannot_be_read_is_not_an_empty_one(tmp_path: Path, folder: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Temporary, match="cannot be read"):
        load_templates([tmp_path / folder])


@pytest.mark.parametrize("fault", ["bytes", "link", "folder"])
def test_a_template_that_cannot_be_read_fails_those_alone_who_use_it(tmp_path: Path, fault: str) -> None:
    web = tmp_path / "nginx/web"
    web.mkdir(parents=True)
    (web / "good.conf.j2").write_text("good")
    bad = web / "bad.conf.j2"
    makers: dict[str, Callable[[], object]] = {
        "bytes": lambda: bad.write_bytes(b"\xff\xfe\x00"),
        "link": lambda: bad.symlink_to("nowhere"),
        "folder": bad.mkdir,
    }
    makers[fault]()
    templates = load_templates([tmp_path])
    assert templates.names("nginx/web") == ("bad", "good")
    assert templates.render("nginx/web", "good", {}) == "good"
    with pytest.raises(ValueError, match=r"template nginx/web/bad cannot be read"):
        templates.render("nginx/web", "bad", {})
    assert stamp([tmp_path]) == stamp([tmp_path])


def test_a_readable_template_of_a_later_folder_mends_an_unreadable_one(tmp_path: Path) -> None:
    for folder, text in (("ours", b"\xff"), ("theirs", b"theirs")):
        (tmp_path / folder / "page").mkdir(parents=True)
        (tmp_path / folder / "page/index.html.j2").write_bytes(text)
    templates = load_templates([tmp_path / "ours", tmp_path / "theirs"])
    assert templates.render("page", "index", {}) == "theirs"
