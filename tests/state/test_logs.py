"""Logs are lines of JSON, whoever writes them, and tell no secret."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from state.logs import configure, hide_secrets


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def _written(form: Literal["json", "console"] = "json") -> io.StringIO:
    stream = io.StringIO()
    configure(form, stream)
    return stream


def _lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_our_lines_are_json_with_level_and_time() -> None:
    stream = _written()
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger().info("done", target="web1")
    line = _lines(stream)[0]
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "done", "level": "info", "target": "web1", "request_id": "r1"}


def test_lines_of_libraries_are_json_too() -> None:
    stream = _written()
    logging.getLogger("uvicorn.error").warning("port %d in use, password=%s", 80, "hunter2")
    line = _lines(stream)[0]
    assert (line["event"], line["level"]) == ("port 80 in use, password=[redacted]", "warning")


def test_warnings_are_lines_too() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        stream = _written()
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: old" in _lines(stream)[0]["event"]


def test_a_traceback_is_one_line_without_what_looks_like_a_secret() -> None:
    stream = _written()
    fault = ValueError("token: abc123 of postgresql://ghost:hunter2@db/x")
    structlog.get_logger().error("failed", exc_info=fault)
    line = _lines(stream)[0]
    assert "ValueError" in line["exception"]
    assert "abc123" not in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_lines_can_be_for_people() -> None:
    stream = _written("console")
    structlog.get_logger().warning("slow", password="hunter2")
    assert "slow" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


@given(st.recursive(st.just("hunter2"), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_what_is_called_a_secret_is_hidden_however_deep_it_lies(value: Any) -> None:
    event = hide_secrets(
        None, "info", {"event": "x", "outer": {"Password": value, "list": [{"api_token": value}]}}
    )
    assert "hunter2" not in json.dumps(event)
