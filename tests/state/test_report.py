"""Reports for people: the same text for the same report, and nothing in it that its reader's program would obey."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.report import as_markdown, as_text, totals_line
from state.report_page import as_html
from tests.state.companies import LAW

FREE: dict[str, Any] = {"allowed": True, "message": ""}
REFUSED: dict[str, Any] = {"allowed": False, "message": "too many: confirm"}


def _change(**values: Any) -> dict[str, Any]:
    return {
        "action": "update",
        "kind": "WebDomain",
        "document": "example.com",
        "owner": "anna",
        "resource": "config:nginx/example.com.conf",
        "cause": "intended",
        "effect": "reload",
        "service": "nginx",
        "fields": [
            {"field": "mode", "before": None, "after": "0644"},
            {"field": "uid", "before": 1, "after": 2.5},
        ],
        "diff": "-old\n+new\n",
        **values,
    }


def target_part(**values: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {name: [] for name in ("changes", "blocked", "unmanaged", "adopted")}
    return {"target": "web1", **empty, "unchanged": 3, "guard": FREE, "error": None, **values}


def report_of_parts(*parts: dict[str, Any], **values: Any) -> dict[str, Any]:
    totals = {"create": 0, "update": 1, "documents": 1, "resources": 4}
    return {"version": 1, "targets": list(parts), "documents": [], "guard": FREE, "totals": totals, **values}


WRITTEN = {
    "action": "create",
    "kind": "User",
    "name": "anna",
    "owner": "admin",
    "fields": [{"field": "email", "before": None, "after": "a@b.cc"}],
}
UNCHANGED = {"action": "delete", "kind": "Package", "name": "gold", "owner": "", "fields": []}
FULL = report_of_parts(
    target_part(
        changes=[
            _change(),
            _change(effect="none", service=None, diff=None, kind="Host", document="", fields=[]),
        ],
        blocked=[
            {
                "kind": "User",
                "document": "bob",
                "owner": "admin",
                "reason": "ShellMissing",
                "message": "no zsh",
            }
        ],
        warnings=[
            {
                "kind": "DnsZone",
                "document": "a.example",
                "owner": "bob",
                "reason": "DsPublished",
                "message": "stays",
            }
        ],
        unmanaged=["account:eve"],
        adopted=["account:bob"],
        guard=REFUSED,
    ),
    target_part(target="web2", error="does not answer"),
    documents=[WRITTEN, UNCHANGED],
    guard=REFUSED,
)


def test_the_text_says_everything_in_the_order_of_the_report() -> None:
    assert as_text(FULL) == (
        "Documents\n"
        "  + User anna (owner admin)\n"
        "      email: none → 'a@b.cc'\n"
        "  - Package gold\n"
        "\n"
        "Host web1\n"
        "  ~ config:nginx/example.com.conf for WebDomain example.com (intended, reload of nginx)\n"
        "      mode: none → '0644'\n"
        "      uid: 1 → 2.5\n"
        "      -old\n"
        "      +new\n"
        "  ~ config:nginx/example.com.conf for Host (intended)\n"
        "  ! User bob: ShellMissing: no zsh\n"
        "  * DnsZone a.example: DsPublished: stays\n"
        "  ? account:eve is not ours and stays as it is\n"
        "  = account:bob is right already and becomes ours\n"
        "  Blocked by the guard: too many: confirm\n"
        "  3 unchanged\n"
        "\n"
        "Host web2\n"
        "  ! does not answer\n"
        "\n"
        "Blocked by the guard: too many: confirm\n"
        "Total: 0 create, 1 update, 0 replace, 0 delete, 0 unchanged, 0 blocked, 0 unmanaged, 0 adopted; "
        "1 documents, 4 resources\n"
    )


def test_the_markdown_says_everything_too() -> None:
    text = as_markdown(FULL)
    for part in (
        "> **Blocked by the guard**: too many: confirm",
        "| + | User anna | admin | email | none | 'a@b.cc' |",
        "| - | Package gold |   | | | |",
        "## Host web1",
        "* **update** `config:nginx/example.com.conf` for WebDomain example.com (intended, reload of nginx)",
        "  * mode: none → '0644'",
        "  ```diff\n  -old\n  +new\n  ```",
        "* **blocked** User bob: ShellMissing: no zsh",
        "* **warning** DnsZone a.example: DsPublished: stays",
        "* **not ours** `account:eve`",
        "* **becomes ours** `account:bob`",
        "* **blocked by the guard**: too many: confirm",
        "**Could not be looked at**: does not answer",
    ):
        assert part in text


def test_an_empty_report_is_its_totals() -> None:
    assert as_text(report_of_parts()) == totals_line(report_of_parts()) + "\n"
    assert as_markdown(report_of_parts()) == f"# Plan\n\n{totals_line(report_of_parts())}\n"


def test_without_a_guard_nothing_is_said_of_it() -> None:
    report = report_of_parts(target_part(guard=None), guard=None)
    assert "guard" not in as_text(report) + as_markdown(report)


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    text = as_markdown(report_of_parts(target_part(changes=[_change(diff="+````\n+x\n")])))
    assert "`````diff" in text


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("directory:/home/a", "`directory:/home/a`"),
        ("directory:/home/`a`", "`` directory:/home/`a` ``"),
        ("directory:/home/``a", "``` directory:/home/``a ```"),
        ("directory:/home/a\n# x", "`directory:/home/a # x`"),
    ],
)
def test_a_key_is_shown_as_code_whatever_it_holds(key: str, shown: str) -> None:
    assert f"* **not ours** {shown}\n" in as_markdown(report_of_parts(target_part(unmanaged=[key])))


NASTY = st.text("ab|<>&*_#[]!\\\n\r\u2028\x0b\x1b ", max_size=12)


@LAW
@given(NASTY)
def test_no_text_can_begin_a_line_of_its_own_or_write_html_in_markdown(text: str) -> None:
    def made(word: str) -> str:
        field = {"field": "x", "before": word, "after": word}
        blocked = {"kind": "User", "document": word, "owner": word, "reason": "X", "message": word}
        part = target_part(
            changes=[_change(document=word, resource=f"x:{word}", fields=[field], diff=None)],
            blocked=[blocked],
            unmanaged=[f"x:{word}"],
            adopted=[f"x:{word}"],
            guard={"allowed": False, "message": f"x{word}"},
        )
        failed = target_part(error=f"x{word}", target=word)
        written = {**WRITTEN, "name": word, "fields": [field]}
        return as_markdown(report_of_parts(part, failed, documents=[written], guard=part["guard"]))

    assert len(made(text).splitlines()) == len(made("plain").splitlines())
    outside_of_code = "".join(made(text).split("`")[::2])
    assert "<" not in outside_of_code


@LAW
@given(NASTY)
def test_no_text_can_begin_a_line_of_its_own_or_steer_the_terminal(text: str) -> None:
    def made(word: str) -> str:
        blocked = {"kind": "User", "document": word, "owner": word, "reason": "X", "message": word}
        part = target_part(
            changes=[_change(document=word, resource=f"x:{word}", diff=f"-{word}")],
            blocked=[blocked],
            unmanaged=[word],
            adopted=[word],
            guard={"allowed": False, "message": f"x{word}"},
        )
        return as_text(
            report_of_parts(part, target_part(error=f"x{word}"), documents=[{**WRITTEN, "name": word}])
        )

    lines = made(text).split("\n")
    assert all(line.isprintable() for line in lines)
    assert [line[:3] for line in lines if line[:3].strip()] == [
        x[:3] for x in made("x").split("\n") if x[:3].strip()
    ]


def test_what_there_are_several_of_is_told_with_commas_and_a_provider_as_one() -> None:
    values = [{"field": "values", "before": None, "after": ["192.0.2.1", "192.0.2.2"]}]
    part = target_part(target="provider:there", changes=[_change(fields=values, diff=None)])
    text = as_text(report_of_parts(part))
    assert text.startswith("Provider there\n")
    assert "values: none → 192.0.2.1, 192.0.2.2" in text
    assert "values: none → 192.0.2.1, 192.0.2.2" in as_html(report_of_parts(part))


def test_what_people_read_in_one_line_is_told_so() -> None:
    lines = [
        ("create", None, "www 60 IN A 192.0.2.1"),
        ("update", "www 60 IN A 192.0.2.1", "www 90 IN A 192.0.2.1"),
        ("delete", "www 90 IN A 192.0.2.1", None),
    ]
    documents = [
        {
            "action": action,
            "kind": "DnsRecord",
            "name": "w.example.com",
            "owner": "anna",
            "fields": [{"field": "ttl", "before": None, "after": 60}],
            "line": {"before": before, "after": after},
        }
        for action, before, after in lines
    ]
    text = as_text(report_of_parts(documents=documents))
    assert [line for line in text.splitlines() if line.startswith("      ")] == [
        "      + www 60 IN A 192.0.2.1",
        "      - www 60 IN A 192.0.2.1",
        "      + www 90 IN A 192.0.2.1",
        "      - www 90 IN A 192.0.2.1",
    ]
    table = as_markdown(report_of_parts(documents=documents))
    assert "|  | 'www 60 IN A 192.0.2.1' | 'www 90 IN A 192.0.2.1' |" in table
    assert "ttl" not in text + table + as_html(report_of_parts(documents=documents))
