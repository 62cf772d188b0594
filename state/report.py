"""A plan's report for people: as plain text and as Markdown, the same text for the same report."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_SIGNS = {"create": "+", "update": "~", "replace": "±", "delete": "-"}
_TOTALS = ("create", "update", "replace", "delete", "unchanged", "blocked", "unmanaged", "adopted")
Report = Mapping[str, Any]


def as_text(report: Report) -> str:
    """For a terminal."""
    lines: list[str] = []
    if report.get("documents"):
        lines += ["Documents", *(line for each in report["documents"] for line in _document(each)), ""]
    for part in report["targets"]:
        lines += [where(part), *_target(part), ""]
    lines += _verdict(report.get("guard"))
    return "\n".join(_plain(line) for line in [*lines, totals_line(report)]) + "\n"


def as_markdown(report: Report) -> str:
    """For a comment on a merge request; diffs are fenced."""
    lines: list[str] = ["# Plan", "", totals_line(report), ""]
    lines += (
        [f"> **Blocked by the guard**: {_inline(_message(report.get('guard')))}", ""]
        if _message(report.get("guard"))
        else []
    )
    if report.get("documents"):
        lines += [
            "## Documents",
            "",
            "| | document | owner | field | before | after |",
            "|---|---|---|---|---|---|",
        ]
        lines += [row for each in report["documents"] for row in _document_rows(each)]
        lines.append("")
    for part in report["targets"]:
        lines += [f"## {_inline(where(part))}", "", *_markdown_target(part)]
    return "\n".join(lines).rstrip("\n") + "\n"


def blocked_by_guard(report: Report) -> bool:
    return not all(part["guard"]["allowed"] for part in (report, *report["targets"]))


def where(part: Report) -> str:
    """What a part is about: a host, or an external provider."""
    kind, _, name = part["target"].rpartition(":")
    return f"{kind.capitalize() or 'Host'} {name}"


def totals_line(report: Report) -> str:
    """Every total, in one line."""
    totals = report["totals"]
    counts = ", ".join(f"{totals.get(name, 0)} {name}" for name in _TOTALS)
    return f"Total: {counts}; {totals.get('documents', 0)} documents, {totals.get('resources', 0)} resources"


def _plain(line: str) -> str:
    """A line that does not steer the terminal; what it breaks into stays indented below it."""
    if line.isprintable():
        return line
    escaped = (c if c.isprintable() or c in "\t\n" else repr(c)[1:-1] for c in line)
    return "".join(escaped).replace("\n", "\n      ")


def _document(each: Report) -> list[str]:
    owner = f" (owner {each['owner']})" if each["owner"] else ""
    head = f"  {_SIGNS[each['action']]} {each['kind']} {each['name']}{owner}"
    line = each.get("line")
    if line:
        signs = (("-", line["before"]), ("+", line["after"]))
        return [head, *(f"      {sign} {text}" for sign, text in signs if text is not None)]
    return [head, *(f"      {_field(field)}" for field in each["fields"])]


def differences(each: Report) -> list[Report]:
    """The fields of a document that differ, or the line that stands for all of them."""
    return [{"field": "", **each["line"]}] if each.get("line") else list(each["fields"])


def _target(part: Report) -> list[str]:
    if part.get("error"):
        return [f"  ! {part['error']}"]
    lines = [line for change in part["changes"] for line in _change(change)]
    lines += [f"  ! {b['kind']} {b['document']}: {b['reason']}: {b['message']}" for b in part["blocked"]]
    lines += [
        f"  * {w['kind']} {w['document']}: {w['reason']}: {w['message']}" for w in part.get("warnings", ())
    ]
    lines += [f"  ? {key} is not ours and stays as it is" for key in part["unmanaged"]]
    lines += [f"  = {key} is right already and becomes ours" for key in part["adopted"]]
    lines += [f"  {line}" for line in _verdict(part.get("guard"))]
    return [*lines, f"  {part['unchanged']} unchanged"]


def _change(change: Report) -> list[str]:
    head = f"  {_SIGNS[change['action']]} {_summary(change)}"
    fields = [f"      {_field(field)}" for field in change["fields"]]
    diff = [f"      {line}" for line in (change["diff"] or "").splitlines()]
    return [head, *fields, *diff]


def _summary(change: Report) -> str:
    effect = "" if change["effect"] == "none" else f", {change['effect']} of {change['service']}"
    whose = f"{change['kind']} {change['document']}".rstrip()
    return f"{change['resource']} for {whose} ({change['cause']}{effect})"


def _field(field: Report) -> str:
    return f"{field['field']}: {_value(field['before'])} → {_value(field['after'])}"


def _value(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "none" if value is None else str(value) if isinstance(value, int | float) else repr(value)


def _message(guard: Report | None) -> str:
    return "" if guard is None or guard["allowed"] else str(guard["message"])


def _verdict(guard: Report | None) -> list[str]:
    return [f"Blocked by the guard: {_message(guard)}"] if _message(guard) else []


def _document_rows(each: Report) -> Iterable[str]:
    head = (
        f"| {_SIGNS[each['action']]} | {_cell(each['kind'] + ' ' + each['name'])} | {_cell(each['owner'])} |"
    )
    found = differences(each)
    if not found:
        return [f"{head} | | |"]
    return [
        f"{head} {f['field']} | {_cell(_value(f['before']))} | {_cell(_value(f['after']))} |" for f in found
    ]


def _markdown_target(part: Report) -> list[str]:
    if part.get("error"):
        return [f"**Could not be looked at**: {_inline(part['error'])}", ""]
    lines = [line for change in part["changes"] for line in _markdown_change(change)]
    lines += [
        f"* **{word}** {_inline(b['kind'] + ' ' + b['document'])}: {b['reason']}: {_inline(b['message'])}"
        for word, told in (("blocked", part["blocked"]), ("warning", part.get("warnings", ())))
        for b in told
    ]
    lines += [f"* **not ours** {_code(key)}" for key in part["unmanaged"]]
    lines += [f"* **becomes ours** {_code(key)}" for key in part["adopted"]]
    guard = _message(part.get("guard"))
    lines += [f"* **blocked by the guard**: {_inline(guard)}"] if guard else []
    return [*lines, f"* {part['unchanged']} unchanged", ""]


def _markdown_change(change: Report) -> list[str]:
    effect = "" if change["effect"] == "none" else f", {change['effect']} of {change['service']}"
    whose = _inline(f"{change['kind']} {change['document']}".rstrip())
    head = f"* **{change['action']}** {_code(change['resource'])} for {whose} ({change['cause']}{effect})"
    fields = [f"  * {_inline(_field(field))}" for field in change["fields"]]
    return [head, *fields, *(_fenced(change["diff"]) if change["diff"] else [])]


def _fenced(diff: str) -> list[str]:
    """A fence that is longer than any in the text."""
    fence = "`" * max(3, _ticks(diff) + 1)
    return ["", f"  {fence}diff", *(f"  {line}" for line in diff.rstrip("\n").split("\n")), f"  {fence}", ""]


def _ticks(text: str) -> int:
    """The length of the longest run of backticks."""
    return max(map(len, re.findall("`+", text)), default=0)


def _code(text: str) -> str:
    line = "".join(c if c.isprintable() else " " for c in text)
    fence = "`" * (_ticks(line) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"`{line}`"


def _inline(text: str) -> str:
    """Text that Markdown and HTML leave as it is."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\`*_[]#|!" else c if c.isprintable() else " " for c in escaped)


def _cell(text: str) -> str:
    return _inline(text) or " "
