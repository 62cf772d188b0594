"""Packages: what new users and sites take their values from."""

import pytest
from pydantic import ValidationError

from state.kinds.package import PACKAGE


@pytest.mark.parametrize("name", ["default", "gold-2026", "1.x_y", "a" * 63])
def test_a_plain_name_is_legal(name: str) -> None:
    assert PACKAGE.check_name(name) == name


@pytest.mark.parametrize("name", ["", "Gold", "-x", ".x", "a/b", "a" * 64, "x\n"])
def test_any_other_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="must be 1-63"):
        PACKAGE.check_name(name)


@pytest.mark.parametrize("value", [-1, 2**53 + 1, 1.5, "many"])
def test_a_count_that_no_json_number_can_hold_is_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        PACKAGE.schema.model_validate({"disk_quota": value})


@pytest.mark.parametrize("template", ["../secret", "-x", "a b", "a\n", "", "{{x}}"])
def test_a_template_is_a_plain_word(template: str) -> None:
    with pytest.raises(ValidationError):
        PACKAGE.schema.model_validate({"web_template": template})
