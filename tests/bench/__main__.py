"""``python -m tests.bench``: measures, prints a table, and writes docs/benchmarks.md."""

from types import ModuleType
from typing import Annotated

import typer
from rich.console import Console

from inventories.lab import check
from tests.bench import (
    arrival,
    audience,
    change,
    crowd,
    doors,
    issuing,
    outbox,
    planning,
    report,
    sweeps,
    zones,
)
from tests.bench.figures import Line, Run

_PARTS: dict[str, ModuleType] = {
    "a": sweeps,
    "b": arrival,
    "c": change,
    "d": planning,
    "e": doors,
    "f": crowd,
    "g": outbox,
    "h": audience,
    "i": issuing,
    "z": zones,
}


def main(
    *,
    only: Annotated[str, typer.Option(help="some parts, as a,b,c")] = "",
    quick: Annotated[bool, typer.Option("--quick", help="small sizes, to see that it works")] = False,
) -> None:
    """Measure how fast things are, beside what else could be used."""
    console = Console()
    asked = [name.strip() for name in only.split(",") if name.strip()] or list(_PARTS)
    unknown = sorted(set(asked) - _PARTS.keys())
    if unknown:
        raise typer.BadParameter(f"{', '.join(unknown)}: the parts are {', '.join(_PARTS)}")
    check()
    sections: dict[str, list[Line]] = {}
    with console.status("Starting") as status:
        for name in asked:
            part = _PARTS[name]
            lines: list[Line] = part.measure(Run(quick, status.update))
            sections[part.TITLE] = lines
            console.print(report.table(part.TITLE, lines))
    if not quick and asked == list(_PARTS):
        report.PAGE.parent.mkdir(exist_ok=True)
        report.PAGE.write_text(report.page(sections, quick=quick))
        console.print(f"Written to {report.PAGE}")


if __name__ == "__main__":
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(main)
    app()
