"""Settings that are wrong: said once, by name, whatever command one runs."""

import pytest

from state.settings import settings
from tests.commands.conftest import Run


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("GHOSTCP_QUARANTINE_DAYS", "0", "greater than or equal to 1"),
        ("GHOSTCP_SWEEP_SECONDS", "often", "valid number"),
    ],
)
def test_a_setting_that_is_wrong_is_named_with_what_it_may_be(
    run: Run, variable: str, value: str, why: str
) -> None:
    settings.cache_clear()
    ended = run("hosts", **{variable: value})
    settings.cache_clear()
    assert ended.status == 1
    assert ended.err.startswith(f"{variable}: ")
    assert why in ended.err
