"""What vouches for a certificate: taken when others would believe it, else refused with what to do."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from state.certificates.chains import Chain, read_chain
from state.certificates.links import refuse_broken
from tests.state.vouching import Link, vouch

NOW = datetime.now(UTC)
SHORT = rsa.generate_private_key(65537, 1024)
AGAIN = "get a newer chain from who issued yours"


def _chain(*links: Link, days: float = 90) -> Chain:
    return read_chain(vouch("a.example", links=links, days=days).chain)


@pytest.mark.parametrize(
    "links",
    [
        [],
        [Link()],
        [Link(signs=True, depth=0)],
        [Link("Upper", depth=1), Link("Lower", depth=0)],
        [Link("Upper", depth=1), Link("Upper"), Link("Lower", key=rsa.generate_private_key(65537, 2048))],
    ],
    ids=["root", "one", "says all", "two", "self-issued"],
)
def test_a_chain_that_others_believe_is_taken(links: Sequence[Link]) -> None:
    refuse_broken(_chain(*links), NOW)


@pytest.mark.parametrize(
    ("links", "words"),
    [
        ([Link(days=-1, since=9)], r"certificate 2 \(Between\) ended on "),
        ([Link(days=-1, since=9), Link("Lower")], r"certificate 3 \(Between\) ended on "),
        ([Link(days=9, since=-2)], r"certificate 2 \(Between\) begins on "),
        ([Link(authority=False)], "is no authority's"),
        ([Link(authority=None)], "is no authority's"),
        ([Link(authority=None), Link("Lower")], r"certificate 3 \(Between\) is no authority's"),
        ([Link(signs=False)], "may not sign certificates"),
        ([Link("Upper", depth=0), Link("Lower")], r"certificate 3 \(Upper\) may have 0 authorities below it"),
        ([Link(key=SHORT)], "has a key of 1024 bits, and browsers want 2048"),
    ],
)
def test_a_chain_that_nobody_believes_is_refused_with_which_one_and_what_to_do(
    links: Sequence[Link], words: str
) -> None:
    with pytest.raises(ValueError, match=f"{words}.*: {AGAIN}$"):
        refuse_broken(_chain(*links), NOW)


def test_a_link_with_a_signature_that_can_be_forged_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = _chain(Link(digest=hashes.SHA384()))
    refuse_broken(chain, NOW)
    monkeypatch.setattr("state.certificates.links.WEAK", {"sha384"})
    with pytest.raises(ValueError, match="is signed with SHA384"):
        refuse_broken(chain, NOW)


def test_a_root_that_has_ended_is_to_be_left_out_and_its_own_signature_is_no_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = _chain(Link(digest=hashes.SHA384(), days=5000), days=5000)
    monkeypatch.setattr("state.certificates.links.WEAK", {"sha256"})
    refuse_broken(chain, NOW)
    with pytest.raises(ValueError, match=r"certificate 3 \(Test Trust\) ended on .*: leave it out"):
        refuse_broken(chain, NOW + timedelta(days=4000))


def test_one_with_nothing_above_it_is_taken() -> None:
    refuse_broken(read_chain(vouch("a.example").certificate), NOW)
