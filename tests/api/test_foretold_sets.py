"""What a plan of a posted set lists is what applying it leaves, or it is stale."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from state.tables import documents
from tests.api.conftest import World
from tests.api.foretelling import (
    ALIAS,
    NAME,
    OTHERS,
    SECURE,
    applied,
    became,
    berts,
    certificate,
    listed,
    may_know,
    ones_own,
    stored,
)


def _set_that_takes(world: World) -> dict[str, Any]:
    certificate(world, "anna", NAME)
    return {"documents": [berts("WebDomain", NAME, **SECURE), berts("WebDomain", "bert.example")]}


def _set_that_takes_from_itself(_: World) -> dict[str, Any]:
    """What is made first goes again, to the site above it."""
    lost = {"kind": "Certificate", "metadata": {"name": "lost.take.example", "owner": "anna"}}
    return {"documents": [berts("WebDomain", NAME), lost]}


def _set_that_changes_a_document_twice(world: World) -> dict[str, Any]:
    """The certificate is as it is, and follows the site, which is another one."""
    world.site(NAME, "bert", aliases=[ALIAS], **SECURE)
    names = {"san_domains": [NAME, ALIAS], "auto_renew": False}
    return {"documents": [berts("WebDomain", NAME, **SECURE), berts("Certificate", NAME, **names)]}


def _set_without_ones_own(world: World) -> dict[str, Any]:
    """The site has a companion then, since its own certificate is not among the documents."""
    ones_own(world)
    other = berts("Certificate", "bert.example", acme_provider="letsencrypt")
    return {"documents": [berts("WebDomain", NAME, **SECURE), other], "prune": True, "owner": "bert"}


def _set_without_sites(world: World) -> dict[str, Any]:
    for name in ("one.example", "two.example", "three.example"):
        world.site(name, "bert", **SECURE)
    posted = [berts("WebDomain", "kept.example")]
    return {"documents": posted, "prune": True, "owner": "bert", "allow_deletes": 6}


def _set_without_a_user(world: World) -> dict[str, Any]:
    world.site(NAME, "anna", **SECURE)
    user = {"kind": "User", "metadata": {"name": "bert"}, "spec": {"email": "bert@example.com"}}
    return {"documents": [user], "prune": True, "allow_deletes": 10}


def _set_in_which_a_companion_comes_and_goes(world: World) -> dict[str, Any]:
    """The site's own certificate goes, and then the site with its owner."""
    ones_own(world)
    other = {"kind": "Certificate", "metadata": {"name": "other.example", "owner": "anna"}}
    return {"documents": [*OTHERS, other], "prune": True, "allow_deletes": 10}


def _set_without_its_owner(world: World) -> dict[str, Any]:
    """What is written here goes with whose it is."""
    world.site(NAME, "bert")
    posted = [berts("WebDomain", NAME, aliases=[ALIAS]), berts("WebDomain", "new.example"), *OTHERS]
    return {"documents": posted, "prune": True, "allow_deletes": 10}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("prepare", "who"),
    [
        (_set_that_takes, "bert"),
        (_set_that_takes, "admin"),
        (_set_that_takes_from_itself, "admin"),
        (_set_that_changes_a_document_twice, "bert"),
        (_set_without_ones_own, "bert"),
        (_set_without_ones_own, "admin"),
        (_set_without_sites, "bert"),
        (_set_without_a_user, "admin"),
        (_set_without_its_owner, "admin"),
        (_set_in_which_a_companion_comes_and_goes, "admin"),
    ],
)
def test_a_plan_lists_what_applying_it_leaves(
    world: World, prepare: Callable[[World], dict[str, Any]], who: str
) -> None:
    body = prepare(world)
    before = stored(world)
    report, answer = applied(world, who, body)
    assert answer.status_code == 200, answer.text
    done = may_know(who, became(before, stored(world)))
    assert done
    assert listed(report) == done
    told = {(d["kind"], d["name"], d["owner"], d["deleted"]) for d in answer.json()["documents"]}
    assert told >= {(kind, name, owner, action == "delete") for action, kind, name, owner in done}
    assert who == "admin" or {owner for *_, owner, _ in told} == {"bert"}


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(
    ("asks", "applies", "stale"), [("admin", "admin", True), ("bert", "admin", True), ("bert", "bert", False)]
)
def test_a_plan_that_would_delete_more_than_it_told_is_stale_for_who_may_know(
    world: World, asks: str, applies: str, stale: bool
) -> None:
    made = world.call(asks, "POST", "/plans?wait=20", json={"documents": [berts("WebDomain", NAME)]}).json()
    certificate(world, "anna", ALIAS)
    answer = world.call(applies, "POST", f"/plans/{made['id']}/apply")
    assert ALIAS not in answer.text
    assert answer.status_code == (409 if stale else 200)
    assert not stale or answer.json()["details"]["code"] == "stale_plan"


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize(("allow", "allowed"), [(0, False), (4, True)])
def test_what_goes_with_a_document_is_counted_and_confirmed_like_it(
    world: World, allow: int, allowed: bool
) -> None:
    for name in ("one.example", "two.example"):
        world.site(name, "bert", **SECURE)
    body = {"documents": [berts("WebDomain", "kept.example")], "prune": True, "allow_deletes": allow}
    report, answer = applied(world, "bert", body)
    assert (report["guard"]["allowed"], answer.is_success) == (allowed, allowed)
    assert allowed or "allow_deletes: 4" in report["guard"]["message"]
    with world.database.reading() as connection:
        query = select(documents.c.confirmed).where(documents.c.deleted_at.is_not(None))
        assert connection.execute(query).scalars().all() == [True] * 4 * allowed
