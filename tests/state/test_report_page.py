"""A report as a page: all of it is there, and nothing in it is markup."""

from html.parser import HTMLParser
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from state.report_page import as_html
from tests.state.companies import LAW
from tests.state.test_report import FULL, REFUSED, report_of_parts, target_part

KNOWN = {
    "html",
    "head",
    "meta",
    "title",
    "body",
    "h1",
    "h2",
    "p",
    "strong",
    "table",
    "tr",
    "th",
    "td",
    "ul",
    "li",
}
KNOWN |= {"code", "pre"}


class _Tags(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_tells_all_of_a_report() -> None:
    page = as_html(FULL)
    text = _Tags(page).text
    for told in (
        "config:nginx/example.com.conf",
        "mode: none → 0644",
        "+new",
        "anna",
        "a@b.cc",
        "DsPublished: stays",
        "3 unchanged",
    ):
        assert told in text
    assert page == as_html(FULL)


def test_a_page_tells_what_the_guard_forbids_and_why_a_host_was_not_seen() -> None:
    page = as_html(
        report_of_parts(target_part(error="no route <b>"), target_part(guard=REFUSED), guard=REFUSED)
    )
    assert page.count("too many: confirm") == 2
    assert "no route &lt;b&gt;" in page


@LAW
@given(st.text())
def test_nothing_in_a_report_is_markup(text: str) -> None:
    entry: dict[str, Any] = {"kind": text, "document": text, "owner": text, "reason": text, "message": text}
    change = entry | {"action": "update", "resource": text, "cause": text, "effect": text, "service": text}
    change |= {"fields": [{"field": text, "before": text, "after": text}], "diff": text}
    part = target_part(target=text, changes=[change], blocked=[entry], unmanaged=[text], adopted=[text])
    guard = {"allowed": False, "message": text}
    written = {"action": "create", "kind": text, "name": text, "owner": text, "fields": change["fields"]}
    found = _Tags(
        as_html(report_of_parts(part, target_part(error=text or "x"), documents=[written], guard=guard))
    )
    assert found.tags <= KNOWN
    assert found.attributes == {"lang", "charset"}
    assert all(c.isprintable() or c in "\n\t" for c in found.text)
