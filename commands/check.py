"""`ghostcp check`: what of the configuration is unsafe or will not work, and what to do about it."""

import json
from collections.abc import Sequence
from enum import Enum
from typing import Annotated

import typer

from commands.console import out, plain, table
from commands.safety import Finding, examine, is_safe
from state.settings import settings


class Format(Enum):
    """How findings are shown."""

    TEXT = "text"
    JSON = "json"


def check(
    *, format_: Annotated[Format, typer.Option("--format", help="how it is shown")] = Format.TEXT
) -> None:
    """Tell what of the configuration is unsafe or will not work, and what to do.

    Exit status: 0 nothing but advice, 1 something.
    """
    from commands.inspection import gather  # noqa: PLC0415 - slow to import

    found = examine(gather(settings()))
    if format_ is Format.JSON:
        plain(json.dumps({"safe": is_safe(found), "findings": [_values(each) for each in found]}, indent=2))
    else:
        _show(found)
    if not is_safe(found):
        raise typer.Exit(1)


def _show(found: Sequence[Finding]) -> None:
    if found:
        rows = [_values(each).values() for each in found]
        out.print(table("Findings", ("severity", "what", "why", "what to do"), rows))
    plain("The configuration is safe." if is_safe(found) else "The configuration is not safe.")


def _values(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.severity.value,
        "subject": finding.subject,
        "message": finding.message,
        "remedy": finding.remedy,
    }
