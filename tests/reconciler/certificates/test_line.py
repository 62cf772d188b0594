"""Answers that never end, or are too much: whoever gives them is left, and said to have failed."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from reconciler.certificates import authority, line
from reconciler.certificates.answers import Failed
from reconciler.certificates.authority import Desk
from state.certificates.authorities import Authority
from tests.reconciler.certificates.stub import Answer, limited, say, stub, until_the_order
from tests.reconciler.certificates.test_authority import BY_ITSELF
from tests.state.vouching import pem

KEY = pem(generate_private_key(SECP256R1()))


def _asked(known: Authority) -> Failed:
    with pytest.raises(Failed) as caught:
        Desk(known, KEY, None, threading.Event()).obtain(["a.test"], BY_ITSELF)
    return caught.value


def _ordered(answer: Callable[[BaseHTTPRequestHandler], None]) -> Answer:
    """Answers an order so, and all else as one should."""

    def answers(handler: BaseHTTPRequestHandler) -> None:
        if not until_the_order(handler):
            answer(handler)

    return answers


def _begin(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(201)
    handler.send_header("Content-Length", str(1 << 40))
    handler.end_headers()


def _drip(handler: BaseHTTPRequestHandler) -> None:
    _begin(handler)
    while True:
        handler.wfile.write(b" ")
        time.sleep(0.05)


def _drip_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 201 Created\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.05)


def _pour(handler: BaseHTTPRequestHandler) -> None:
    _begin(handler)
    while True:
        handler.wfile.write(b" " * 65536)


def _send_on(handler: BaseHTTPRequestHandler) -> None:
    if handler.path.startswith("/dir"):
        say(handler, 302, "", Location=f"https://{handler.headers['Host']}/dir{handler.path[4:]}x")


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (_drip, "AuthorityDown", "cannot be reached"),
        (_drip_headers, "AuthorityDown", "cannot be reached"),
        (_pour, "BadAnswer", "does not come to an end"),
    ],
)
def test_an_answer_that_does_not_end_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, code: str, words: str
) -> None:
    monkeypatch.setattr(line, "SECONDS", 1.0)
    with stub(tmp_path, _ordered(answer)) as known:
        failed = _asked(known)
    assert failed.code == code
    assert words in failed.message


def test_who_sends_on_without_end_is_left(tmp_path: Path) -> None:
    with stub(tmp_path, _send_on) as known:
        assert _asked(known).code == "AuthorityDown"


def test_an_order_as_a_whole_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(authority, "ORDER_SECONDS", 0.0)
    with stub(tmp_path, limited) as known:
        assert _asked(known).code == "AuthoritySlow"


def test_what_is_packed_is_not_unpacked(tmp_path: Path) -> None:
    def packed(handler: BaseHTTPRequestHandler) -> None:
        body = gzip.compress(b" " * (1 << 26))
        handler.send_response(200)
        handler.send_header("Content-Encoding", "gzip")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with stub(tmp_path, _ordered(packed)) as known:
        assert _asked(known).code == "BadAnswer"


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        json.dumps({"authorizations": [7]}),
        json.dumps({"authorizations": 7}),
        json.dumps({"identifiers": None, "expires": "+999999999-01-01T00:00:00Z"}),
    ],
)
def test_what_no_library_expects_is_a_failure_of_theirs(tmp_path: Path, body: str) -> None:
    with stub(tmp_path, _ordered(lambda handler: say(handler, 201, body, Location="x"))) as known:
        assert _asked(known).code in {"BadAnswer", "AuthorityDown"}


@pytest.mark.parametrize(
    "wait",
    ["99999999999999999", "9" * 5000, "Fri, 31 Dec 9999 23:59:59 -0000", "-5", "soon"],
    ids=["ages", "digits", "no zone", "below nothing", "a word"],
)
def test_who_asks_to_wait_for_ever_is_asked_again_all_the_same(tmp_path: Path, wait: str) -> None:
    with stub(tmp_path, lambda handler: limited(handler, wait)) as known:
        failed = _asked(known)
    assert failed.code == "RateLimited"
    assert failed.wait is not None
    assert failed.wait <= timedelta(days=7)


def test_what_an_authority_says_can_be_stored(tmp_path: Path) -> None:
    with stub(tmp_path, lambda handler: limited(handler, detail="a\x00b\ud800" + "c" * 9000)) as known:
        failed = _asked(known)
    assert failed.message.startswith("the authority says: a b ")
    assert len(failed.message) == 4000
    failed.message.encode()


def test_only_https_is_spoken(tmp_path: Path) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        names = ("newNonce", "newAccount", "newOrder")
        say(handler, 200, json.dumps({name: f"http://{handler.headers['Host']}/{name}" for name in names}))

    with stub(tmp_path, elsewhere) as known:
        assert _asked(known).code == "AuthorityDown"
