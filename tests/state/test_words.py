"""What may stand in a configuration file."""

import pytest

from state.templates import TemplateSet
from state.words import Rendered, Words

BAD = ["a b", "a;b", "a\nb", "a{b", 'a"b', "a'b", "a\\b", "a$b", "a\0b", "a#b", "ä"]


@pytest.mark.parametrize("bad", BAD)
def test_a_value_outside_the_alphabet_is_refused_wherever_it_hides(bad: str) -> None:
    for values in ({"x": bad}, {"x": ("good", bad)}, {"x": ["good", bad]}, {"ok": "y", "x": [[bad]]}):
        with pytest.raises(ValueError, match="may not stand"):
            Words(values)


def test_a_template_is_never_given_a_value_that_was_not_checked() -> None:
    templates = TemplateSet({"t/plain": "{{ x }}"})
    with pytest.raises(ValueError, match="may not stand"):
        templates.render("t", "plain", {"x": "a;b"})


def test_several_words_cannot_be_taken_for_one() -> None:
    templates = TemplateSet({"t/whole": "{{ x }}", "t/each": "{% for one in x %}{{ one }} {% endfor %}"})
    with pytest.raises(ValueError, match="one by one"):
        templates.render("t", "whole", {"x": ("a", "b")})
    assert templates.render("t", "each", {"x": ("a", "b")}) == "a b "


def test_what_a_template_made_is_taken_in_whole() -> None:
    templates = TemplateSet({"t/inner": "{ {{ x }}; }", "t/outer": "{% if y %}{{ y }}{% endif %}"})
    words = Words({"x": 1})
    inner = templates.render("t", "inner", words)
    assert templates.render("t", "outer", words.having("y", inner)) == "{ 1; }"
    assert templates.render("t", "outer", Words({"y": Rendered("{}")})) == "{}"
    assert "y" not in words
