"""Speaking to an authority: a real one as difficult as it can be, and one that answers as no authority should."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from reconciler.certificates.answers import Failed
from reconciler.certificates.authority import Desk
from reconciler.certificates.proofs import Sorted
from state.certificates.authorities import Authority, authorities
from state.certificates.chains import read_chain, read_key
from tests.lab.pebble import pebble
from tests.reconciler.certificates.stub import limited, say, stub
from tests.state.vouching import pem

KEY = pem(generate_private_key(SECP256R1()))
EAB = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}
EASY = {"PEBBLE_VA_ALWAYS_VALID": "1", "PEBBLE_VA_NOSLEEP": "1"}


@dataclass(frozen=True)
class Shown:
    """A proof that is there without being told, or cannot be given for some names."""

    by: str
    problems: dict[str, str] = field(default_factory=dict)
    asked: list[set[str]] = field(default_factory=list)

    def challenge(self, name: str) -> str:
        return self.by

    def sort_out(self, _: object, names: Sequence[str]) -> Sorted:
        return tuple(names), {}

    def show(self, answers: Mapping[str, str]) -> Mapping[str, str]:
        self.asked.append(set(answers))
        return {name: why for name, why in self.problems.items() if name in answers}


BY_ITSELF = Shown("http-01")


def _desk(authority: Authority, account: str | None = None) -> Desk:
    return Desk(authority, KEY, account, threading.Event())


def test_a_certificate_is_had_although_most_nonces_are_refused(tmp_path: Path) -> None:
    with pebble("127.0.0.1", tmp_path, eab=EAB, PEBBLE_WFE_NONCEREJECT="50", **EASY) as running:
        authority = authorities(running.authorities).usable["pebble"]
        desk = _desk(authority)
        issued = desk.obtain(["a.test", "b.test"], BY_ITSELF)
        chain = read_chain(issued.chain)
        assert chain.names == ("a.test", "b.test")
        read_key(issued.key, chain)
        assert _desk(authority).account == desk.account
        assert _desk(authority, desk.account).obtain(["a.test"], BY_ITSELF).left_out == {}


def test_an_authority_that_binds_accounts_is_said_to_need_kid_and_hmac(tmp_path: Path) -> None:
    with pebble("127.0.0.1", tmp_path, eab=EAB, **EASY) as running:
        authority = authorities(running.authorities).usable["pebble"]
        with pytest.raises(Failed, match="kid and hmac") as caught:
            _desk(authority.model_copy(update={"kid": None, "hmac": None}))
        assert caught.value.code == "AccountRequired"


def test_each_name_is_shown_by_itself_and_one_that_cannot_be_is_left_out(tmp_path: Path) -> None:
    with pebble("127.0.0.1", tmp_path, **EASY, PEBBLE_AUTHZREUSE="0") as running:
        proof = Shown("dns-01", {"b.test": "it has no zone"})
        issued = _desk(authorities(running.authorities).usable["pebble"]).obtain(
            ["a.test", "*.a.test", "b.test"], proof
        )
        assert set(read_chain(issued.chain).names) == {"a.test", "*.a.test"}
        left = {name: (why.code, why.message) for name, why in issued.left_out.items()}
        assert left == {"b.test": ("NameFailed", "it has no zone")}
        assert proof.asked == [{"a.test", "*.a.test", "b.test"}, {"a.test", "*.a.test"}]


def test_an_authority_that_has_forgotten_us_says_so(tmp_path: Path) -> None:
    with pebble("127.0.0.1", tmp_path, **EASY) as running:
        authority = authorities(running.authorities).usable["pebble"]
        with pytest.raises(Failed) as caught:
            _desk(authority, f"https://localhost:{running.ports[0]}/my-account/77").obtain(
                ["a.test"], BY_ITSELF
            )
        assert caught.value.code == "NoAccount"
        with pytest.raises(Failed, match="does not offer") as other:
            _desk(authority).obtain(["a.test"], Shown("nothing-01"))
        assert other.value.code == "NoChallenge"


def test_who_is_asked_to_wait_waits(tmp_path: Path) -> None:
    with stub(tmp_path, limited) as authority, pytest.raises(Failed, match="too many") as caught:
        _desk(authority).obtain(["a.test"], BY_ITSELF)
    assert (caught.value.code, caught.value.wait) == ("RateLimited", timedelta(hours=2))


@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (200, "<html>", "BadAnswer"),
        (200, "[]", "BadAnswer"),
        (200, "{}", "BadAnswer"),
        (503, "<html>", "AuthorityDown"),
        (404, "<html>", "BadAnswer"),
    ],
)
def test_an_answer_that_is_none_is_a_failure_and_no_fault(
    tmp_path: Path, status: int, text: str, code: str
) -> None:
    with (
        stub(tmp_path, lambda handler: say(handler, status, text, Retry_After="60")) as authority,
        pytest.raises(Failed) as caught,
    ):
        _desk(authority)
    assert (caught.value.code, caught.value.wait) == (code, timedelta(minutes=1))


def test_an_authority_that_is_not_there_is_down_and_one_that_nobody_vouches_for_is_not_believed(
    tmp_path: Path,
) -> None:
    with stub(tmp_path, limited) as authority:
        strange = Authority(directory=authority.directory)
        with pytest.raises(Failed, match="certificate that is not trusted") as caught:
            _desk(strange)
        assert caught.value.code == "AuthorityDown"
    with pytest.raises(Failed, match="cannot be reached"):
        _desk(authority)
