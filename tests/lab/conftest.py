"""Real hosts for tests: one that a whole session shares, more of them, or one that a module has to itself."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inventories import lab
from inventories.lab import LabHost


@pytest.fixture(scope="session")
def lab_var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where this session keeps its labs; they go down at its end. Fails, with the reason, if none can run."""
    var = tmp_path_factory.mktemp("var")
    lab.check(var)
    try:
        yield var
    finally:
        lab.down_all(var)


@pytest.fixture(scope="session")
def lab_hosts(lab_var: Path) -> Callable[[int], tuple[LabHost, ...]]:
    """A function that gives the first so many hosts of this session's lab, started when first asked for."""

    def first(count: int) -> tuple[LabHost, ...]:
        return lab.up(f"test-{os.getpid()}", count, var=lab_var, progress=print)[:count]

    return first


@pytest.fixture(scope="session")
def lab_host(lab_hosts: Callable[[int], tuple[LabHost, ...]]) -> LabHost:
    """A bootstrapped host that the whole session shares: leave it as it was."""
    return lab_hosts(1)[0]


@pytest.fixture(scope="module")
def own_lab_host(lab_var: Path, request: pytest.FixtureRequest) -> Iterator[LabHost]:
    """A bootstrapped host that a module has to itself."""
    name = request.module.__name__.rpartition(".")[2].replace("_", "-")
    yield lab.up(name, var=lab_var)[0]
    lab.down(name, var=lab_var)
