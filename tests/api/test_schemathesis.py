"""The API against its own document: schemathesis asks it, rightly and wrongly, and judges the answers."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.config import SchemathesisConfig
from schemathesis.generation.meta import TestPhase

from api.app import document
from tests.api.aiming import aim, register
from tests.api.served import Served, world_served

EXAMPLES, SCENARIOS, STEPS = 15, 25, 12
FULLY = 40
# NUL is refused everywhere: that is said once in the document, and not as a pattern of every text.
# Tokens are given to each request by us, and taken from it by the checks.
CONFIG = {"seed": 1, "generation": {"allow-x00": False, "with-security-parameters": False}}
QUICKLY = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
register()
schema = schemathesis.openapi.from_dict(document(), config=SchemathesisConfig.from_dict(CONFIG))
entered: dict[str, bool] = {}
tried: Counter[str] = Counter()


@pytest.fixture(scope="module")
def served(folder: Path, loop: asyncio.AbstractEventLoop) -> Iterator[Served]:
    """The API; every door that was knocked at must have opened."""
    with world_served(folder / "schemathesis", loop) as made:
        yield made
    assert [label for label, open_ in entered.items() if not open_] == []


def _is_one_too_many(case: Case) -> bool:
    """Of the hundreds of combinations of filters, which are all alike, one in five is tried after the first."""
    tried[case.operation.label] += case.meta.phase.name is TestPhase.COVERAGE
    return tried[case.operation.label] > FULLY and tried[case.operation.label] % 5 > 0


@schema.parametrize()
@QUICKLY
def test_every_door_keeps_its_word(case: Case, served: Served) -> None:
    if _is_one_too_many(case):
        return
    headers = aim(case, served.world)
    answer = case.call_and_validate(base_url=served.url, headers=headers, timeout=10)
    label = case.operation.label
    entered[label] = entered.get(label, False) or answer.status_code < 300


def test_doors_keep_their_word_one_after_the_other(served: Served) -> None:
    class Visitor(schema.as_state_machine()):
        def setup(self) -> None:
            """What was answered at first is answered again, or hypothesis takes us for capricious."""
            served.reset()

        def get_call_kwargs(self, case: Case) -> dict[str, object]:
            return {"base_url": served.url, "headers": aim(case, served.world), "timeout": 10}

    Visitor.run(settings=settings(QUICKLY, max_examples=SCENARIOS, stateful_step_count=STEPS))
