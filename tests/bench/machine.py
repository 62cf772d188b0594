"""The machine that a run was made on, in words; nothing that would date it."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("ansible-core", "fastapi", "jinja2", "sqlalchemy", "uvicorn")


def describe() -> str:
    """Processor, memory, kernel and the versions of what matters."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {_memory():.0f} GiB; {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}; {versions}"
    )


def _processor() -> str:
    names = [
        line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")
    ]
    return names[0] if names else platform.machine()


def _memory() -> float:
    found = [line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal:")]
    return int(found[0]) / 2**20 if found else 0


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
