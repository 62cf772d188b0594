"""What commands say: results on standard output, the rest on standard error; failures with a status."""

import os
import sys
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

_WIDTH = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 160
out = Console(highlight=False, soft_wrap=True, width=_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)

CHANGES, GUARDED = 2, 3


class Failed(Exception):  # noqa: N818 - what happened to the command
    """The command cannot go on: each line says why, or what to do."""

    def __init__(self, *lines: str, status: int = 1) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines
        self.status = status


def end(status: int) -> None:
    """Ends the command with this status, without a word. Raises Failed when it is another than 0."""
    if status:
        raise Failed(status=status)


def plain(text: str) -> None:
    """Prints `text` as it is: no markup, no wrapping."""
    out.print(text, markup=False, emoji=False)


def table(title: str, columns: Iterable[str], rows: Iterable[Iterable[object]]) -> Table:
    """A table of plain texts; nothing in a cell is taken as markup."""
    made = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Console.render_str(out, str(cell), markup=False, emoji=False) for cell in row))
    return made
