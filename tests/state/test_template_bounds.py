"""A template that goes astray fails soon, without much memory, and for itself alone."""

import os
import time
import tracemalloc
from pathlib import Path

import pytest

from state.template_bounds import MAX_TEXT, TooMuch
from state.templates import TemplateSet, load_templates

ENDLESS = {
    "a long loop": "{% for i in range(1000000000) %}x{% endfor %}",
    "many loops": "{% for i in range(99999) %}{% for j in range(99999) %}x{% endfor %}{% endfor %}",
    "silent loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "long literals": "{% for i in range(99999) %}" + "x" * 100_000 + "{% endfor %}",
    "literals in a macro": "{% macro m() %}{% for i in range(99999) %}"
    + "x" * 100_000
    + "{% endfor %}{% endmacro %}{{ m() }}",
    "a macro in a loop": "{% macro m() %}"
    + "x" * 100_000
    + "{% endmacro %}{% for i in range(99999) %}{{ m() }}{% endfor %}",
    "calls": "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "a list": "{{ range(1000000000) | list | length }}",
    "a product": "{{ 'x' * 100000000000 }}",
    "a product of lists": "{{ (100000000000 * [1]) | length }}",
    "a power": "{{ 9 ** 9 ** 9 }}",
    "doubling": "{% set all = namespace(x=value) %}{% for i in range(99) %}{% set all.x = all.x ~ all.x %}"
    "{% endfor %}",
    "doubling by sums": "{% set all = namespace(x=value) %}{% for i in range(99) %}"
    "{% set all.x = all.x + all.x %}{% endfor %}",
    "values": "{% for i in range(99999) %}{{ value }}{{ value }}{{ value }}{% endfor %}",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_would_take_for_ever_fails_soon(name: str) -> None:
    templates = TemplateSet({"web/x": ENDLESS[name], "web/good": "{{ value }}"})
    began = time.process_time()
    with pytest.raises(TooMuch, match="template web/x: "):
        templates.render("web", "x", {"value": "a" * 253})
    assert time.process_time() - began < 5
    assert templates.render("web", "good", {"value": "a"}) == "a"


@pytest.mark.parametrize("name", sorted(ENDLESS.keys() - {"many loops", "silent loops", "calls"}))
def test_nor_does_it_take_much_memory(name: str) -> None:
    templates = TemplateSet({"web/x": ENDLESS[name]})
    tracemalloc.start()
    try:
        with pytest.raises(TooMuch):
            templates.render("web", "x", {"value": "a" * 253})
        assert tracemalloc.get_traced_memory()[1] < 32 * 2**20
    finally:
        tracemalloc.stop()


def test_one_that_includes_itself_twice_fails_soon() -> None:
    templates = TemplateSet({"web/x": "{% include 'web/x' %}{% include 'web/x' %}"})
    began = time.process_time()
    with pytest.raises((TooMuch, RecursionError)):
        templates.render("web", "x", {})
    assert time.process_time() - began < 5


def test_what_is_as_long_as_it_may_be_is_made() -> None:
    text = "x" * (MAX_TEXT // 1000)
    templates = TemplateSet({"web/x": f"{{% for i in range(999) %}}{text}{{% endfor %}}"})
    assert templates.render("web", "x", {}) == text * 999
    assert templates.render("web", "x", {}) == text * 999


def test_products_and_texts_that_are_short_are_as_ever() -> None:
    text = "{{ 3 * 4 }} {{ 'ab' * 2 }} {{ value ~ '/' ~ 1 }} {{ 1 + 2 }} {{ 1.5 * 2 }}"
    assert TemplateSet({"web/x": text}).render("web", "x", {"value": "a"}) == "12 abab a/1 3 3.0"


def test_a_template_that_is_no_file_or_too_large_holds_only_who_uses_it(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    os.mkfifo(tmp_path / "web" / "pipe.conf.j2")
    (tmp_path / "web" / "large.conf.j2").write_text("x" * (MAX_TEXT + 1))
    (tmp_path / "web" / "good.conf.j2").write_text("x")
    templates = load_templates([tmp_path])
    assert templates.render("web", "good", {}) == "x"
    for name, why in (("pipe", "it is no file"), ("large", "it is larger than 1 MiB")):
        with pytest.raises(ValueError, match=f"template web/{name} cannot be read: {why}"):
            templates.render("web", name, {})
