"""The figures of a run as a table for the terminal and as a page of the documentation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from tests.bench import company, machine
from tests.bench.figures import Line

PAGE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
_HEAD = """# Benchmarks

Written by `make bench`: everything is measured in one run, on a lab host of its own, and so is each peer. The
ratio says how many times faster, or more, than the peer it is.

* Machine: {machine}. Controller and host share it.
* Sites: {mix}.
* {sizes}
"""
_COLUMNS = ("what", "measured", "peer", "ratio", "target", "met")


def table(title: str, lines: Sequence[Line]) -> Table:
    """The lines for a terminal."""
    shown = Table(title=title, title_justify="left", show_lines=False)
    for name in _COLUMNS:
        shown.add_column(name, justify="right" if name in {"measured", "ratio"} else "left", overflow="fold")
    for line in lines:
        style = "red" if line.met is False else None
        shown.add_row(*_cells(line), style=style)
    return shown


def page(sections: Mapping[str, Sequence[Line]], *, quick: bool) -> str:
    """The lines as Markdown."""
    sizes = "Sizes: a quick run, smaller than the targets are meant for." if quick else "Sizes: in each line."
    parts = [_HEAD.format(machine=machine.describe(), mix=company.MIX, sizes=sizes)]
    for title, lines in sections.items():
        rows = "\n".join("| " + " | ".join(_cells(line)) + " |" for line in lines)
        head = "| " + " | ".join(_COLUMNS) + " |\n| --- | ---: | --- | ---: | --- | --- |"
        parts.append(f"## {title}\n\n{head}\n{rows}\n")
    return "\n".join(parts)


def _cells(line: Line) -> tuple[str, ...]:
    ratio = "" if line.ratio is None else f"{line.ratio:,.0f}" if line.ratio >= 10 else f"{line.ratio:.2g}"
    met = {None: "", True: "yes", False: "no"}[line.met]
    return (line.what, line.measured, line.peer, ratio, line.target, met)
