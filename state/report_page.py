"""A plan's report as a page of HTML: nothing in it is taken for markup."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from state.report import differences, totals_line, where

Report = Mapping[str, Any]


def as_html(report: Report) -> str:
    """For a browser; a whole page, without styles or scripts."""
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8"><title>Plan</title></head>',
        "<body>",
        "<h1>Plan</h1>",
        _line("p", totals_line(report)),
        *_verdict(report.get("guard")),
        *_documents(report.get("documents", ())),
        *(line for part in report["targets"] for line in _target(part)),
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _line(tag: str, text: object) -> str:
    return f"<{tag}>{_text(text)}</{tag}>"


def _text(value: object) -> str:
    """Text that is shown as it is; what cannot be shown is told as in a Python string."""
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in escape(str(value)))


def _verdict(guard: Report | None) -> Iterator[str]:
    if guard is not None and not guard["allowed"]:
        yield f"<p><strong>Blocked by the guard:</strong> {_text(guard['message'])}</p>"


def _documents(documents: Any) -> Iterator[str]:
    if not documents:
        return
    yield _line("h2", "Documents")
    yield "<table>"
    yield _row("th", ("action", "document", "owner", "field", "before", "after"))
    for each in documents:
        named = (each["action"], f"{each['kind']} {each['name']}", each["owner"])
        for field in differences(each) or [{"field": "", "before": "", "after": ""}]:
            yield _row("td", (*named, field["field"], _value(field["before"]), _value(field["after"])))
    yield "</table>"


def _row(tag: str, cells: tuple[object, ...]) -> str:
    return f"<tr>{''.join(_line(tag, cell) for cell in cells)}</tr>"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value)


def _target(part: Report) -> Iterator[str]:
    yield _line("h2", where(part))
    if part.get("error"):
        yield f"<p><strong>Could not be looked at:</strong> {_text(part['error'])}</p>"
        return
    yield from _verdict(part.get("guard"))
    yield "<ul>"
    for change in part["changes"]:
        yield from _change(change)
    for word, told in (("blocked", part["blocked"]), ("warning", part.get("warnings", ()))):
        for each in told:
            what = f"{each['kind']} {each['document']}: {each['reason']}: {each['message']}"
            yield f"<li><strong>{word}</strong> {_text(what)}</li>"
    yield from (f"<li><strong>not ours</strong> <code>{_text(key)}</code></li>" for key in part["unmanaged"])
    yield from (
        f"<li><strong>becomes ours</strong> <code>{_text(key)}</code></li>" for key in part["adopted"]
    )
    yield f"<li>{part['unchanged']} unchanged</li>"
    yield "</ul>"


def _change(change: Report) -> Iterator[str]:
    effect = "" if change["effect"] == "none" else f", {change['effect']} of {change['service']}"
    whose = f"for {change['kind']} {change['document']} ({change['cause']}{effect})"
    yield f"<li><strong>{_text(change['action'])}</strong> <code>{_text(change['resource'])}</code> {_text(whose)}"
    if change["fields"]:
        yield "<ul>"
        for each in change["fields"]:
            yield _line("li", f"{each['field']}: {_value(each['before'])} → {_value(each['after'])}")
        yield "</ul>"
    if change["diff"]:
        yield _line("pre", change["diff"])
    yield "</li>"
