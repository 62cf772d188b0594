"""YAML as values with lines: what it may not hold, and how far it may go."""

import time

import pytest

from state.files.yaml_source import MAX_NODES, sources


def messages(text: str) -> list[tuple[int, str, str]]:
    return [(each.line, each.field, each.message) for source in sources(text) for each in source.faults]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1\n", {"a": 1}),
        ("a: yes\nb: ~\n", {"a": True, "b": None}),
        ("a: 2024-01-01\n", {"a": "2024-01-01"}),
        ("x: &x [1]\ny: *x\n", {"x": [1], "y": [1]}),
        ("%YAML 1.1\n---\na: 1\n", {"a": 1}),
        ("\ufeffa: 1\n".lstrip("\ufeff"), {"a": 1}),
    ],
)
def test_plain_values_are_read(text: str, value: object) -> None:
    assert [source.value for source in sources(text)] == [value]
    assert messages(text) == []


def test_everything_has_its_line() -> None:
    source = next(sources("# first\n\na:\n  b:\n    - c\n    - d: 1\n"))
    found = {dotted: source.line_of(dotted) for dotted in ("a", "a.b", "a.b.1.d", "a.x.y", "", "z")}
    assert found == {"a": 3, "a.b": 4, "a.b.1.d": 6, "a.x.y": 3, "": 3, "z": 3}


def test_a_broken_document_does_not_hide_the_next() -> None:
    found = list(sources("a: 'x\n---\nb: 2\n---\nc: [\n---\nd: 4\n"))
    assert [source.value for source in found] == [None, {"b": 2}, None, {"d": 4}]
    assert [bool(source.faults) for source in found] == [True, False, True, False]


@pytest.mark.parametrize(
    ("text", "line", "field", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "a", "is given twice, first in line 1"),
        ("1: x\n", 1, "", "the key 1 is no string"),
        ("? [a]\n: x\n", 1, "", "the key a list or mapping is no string"),
        ("true: x\n", 1, "", "the key true is no string"),
        ("<<: {a: 1}\n", 1, "", "the key << is no string"),
        ("a:\n\tb: 1\n", 2, "", "is not YAML: found character that cannot start any token"),
        ("a: \x07\n", 1, "", "is not YAML: a control character"),
        ("a: &x\n  b: *x\n", 1, "a.b", "refers to itself"),
        ("a: *x\n", 1, "", "is not YAML: found undefined alias"),
        ("a: !!binary aGk=\n", 1, "a", "has the tag"),
        ("a: !mine {}\n", 1, "a", "has the tag '!mine'"),
        ("a: !!int x\n", 1, "a", "is no int: 'x'"),
        ("a: .inf\n", 1, "a", "must be a finite number"),
        (f"a: {'9' * 5000}\n", 1, "a", "is no int"),
        ("\na: " + "[" * 60 + "]" * 60, 2, "", "is nested more than 50 levels deep"),
        ("a: " + "[" * 200_000, 1, "", "is nested more than 50 levels deep"),
    ],
)
def test_a_fault_has_its_line(text: str, line: int, field: str, message: str) -> None:
    found = messages(text)
    assert found[0][:2] == (line, field)
    assert found[0][2].startswith(message)


def test_aliases_cannot_multiply_without_end() -> None:
    bomb = "a0: &a0 [x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    began = time.monotonic()
    assert [message for _, _, message in messages(bomb)] == ["holds too many values: split it"]
    assert time.monotonic() - began < 20


def test_aliases_cannot_nest_without_end() -> None:
    chain = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 3000))
    assert {message for _, _, message in messages(chain)} == {"is nested too deeply"}


def test_a_large_document_is_read() -> None:
    text = "a:\n" + "  - x\n" * (MAX_NODES - 2)
    assert messages(text) == []
