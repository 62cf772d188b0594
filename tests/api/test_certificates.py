"""One's own certificate: given, judged, kept with its key sealed, and never shown."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from state.certificates.chains import kept_chain, read_chain
from state.certificates.jobs import ask_for_one
from state.jobs import finish_job
from state.journal.tables import audit
from state.keeping import keep
from state.plans import answer as answer_plan
from state.plans import pack, take_plan, unpack
from state.reading import get
from state.tables import documents, jobs, revisions
from state.validation import dump
from tests.api.conftest import World, report_of
from tests.state.vouching import vouch

MINE = vouch("pol.example", "www.pol.example")
GIVEN = {"domain": "pol.example", "certificate": MINE.chain, "private_key": MINE.key}


def _created(world: World, **values: Any) -> Any:
    answer = world.call("bert", "POST", "/ssl", json={**GIVEN, **values})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_ones_own_is_shown_with_what_it_says_and_without_its_key(world_on_both: World) -> None:
    view = _created(world_on_both)
    assert (view["issuer"], view["subject"], view["acme_provider"]) == ("Test Trust", "CN=pol.example", None)
    assert view["valid_from"] < view["valid_until"]
    assert "private_key" not in view
    listed = world_on_both.call("bert", "GET", "/ssl?valid_until_after=2020-01-01&issuer=Test Trust").json()
    assert [each["id"] for each in listed["certificates"]] == [view["id"]]
    late = world_on_both.call("bert", "GET", f"/ssl?valid_until_before={view['valid_until']}").json()
    assert late["total"] == 0
    order = world_on_both.call("bert", "GET", "/ssl?sort=valid_until&order=desc")
    assert order.status_code == 200


def test_a_key_is_nowhere_in_clear(world: World) -> None:
    view = _created(world)
    with world.database.reading() as connection:
        secret = MINE.key.splitlines()[1]
        for table in (documents, revisions, audit):
            assert secret not in str(connection.execute(select(table)).all())
        assert get(connection, view["id"]).sealed is not None


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"private_key": None}, ["private_key"]),
        ({"certificate": "none"}, ["certificate"]),
        ({"private_key": vouch("a.example").key}, ["private_key"]),
        ({"private_key": 7}, ["private_key"]),
        ({"domain": "other.example"}, ["certificate"]),
        ({"acme_provider": "letsencrypt"}, ["acme_provider"]),
        ({"certificate": "none", "auto_renew": "yes"}, ["certificate", "auto_renew"]),
    ],
)
def test_what_does_not_fit_is_refused_with_every_field(
    world: World, body: dict[str, Any], fields: list[str]
) -> None:
    answer = world.call("bert", "POST", "/ssl", json={**GIVEN, **body})
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["details"]["errors"]] == fields
    assert "PRIVATE" not in answer.text


def test_another_one_takes_its_place_and_a_look_is_called_for(world: World) -> None:
    view = _created(world)
    other = vouch("pol.example", "www.pol.example", trust="Other Trust")
    with world.database.writing() as connection:
        connection.execute(documents.update().values(pending=False))
    body = {"certificate": other.chain, "private_key": other.key}
    changed = world.call("bert", "PUT", f"/ssl/{view['id']}", json=body)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["issuer"], changed.json()["generation"]) == ("Other Trust", 1)
    with world.database.reading() as connection:
        assert connection.execute(
            select(documents.c.pending).where(documents.c.uid == view["id"])
        ).scalar_one()


def test_ones_own_is_for_the_names_that_it_says_unless_others_are_given(world: World) -> None:
    view = _created(world)
    assert view["san_domains"] == ["pol.example", "www.pol.example"]
    path = f"/ssl/{view['id']}"
    other = vouch("*.pol.example", "pol.example", "not_a_name.pol.example")
    body = {"certificate": other.chain, "private_key": other.key}
    changed = world.call("bert", "PUT", path, json=body)
    assert (changed.status_code, changed.json()["san_domains"]) == (200, ["*.pol.example", "pol.example"])
    given = world.call("bert", "PATCH", path, json={**body, "san_domains": ["a.pol.example"]})
    assert given.json()["san_domains"] == ["a.pol.example"]
    assert world.call("bert", "PATCH", path, json={"auto_renew": False}).json()["san_domains"] == [
        "a.pol.example"
    ]


def test_ones_own_in_place_of_one_that_comes_with_a_site_is_for_the_names_of_the_site(world: World) -> None:
    _, view = _accompanying(world)
    body = {"certificate": MINE.chain, "private_key": MINE.key}
    changed = world.call("bert", "PUT", f"/ssl/{view['id']}", json=body)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["san_domains"], changed.json()["issuer"]) == (["pol.example"], "Test Trust")


@pytest.mark.parametrize("path", ["/domains", "/domains?dry_run=true"])
def test_a_site_has_no_more_names_than_its_certificate_can_have(world: World, path: str) -> None:
    body = {"domain": "pol.example", "aliases": [f"a{n}.pol.example" for n in range(100)]}
    answer = world.call("bert", "POST", path, json={**body, "letsencrypt_enabled": True})
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["details"]["errors"]] == ["aliases"]


def test_a_site_that_was_stored_with_more_names_is_read_and_corrected(world: World) -> None:
    aliases = [f"a{n}.pol.example" for n in range(100)]
    stored = world.site("pol.example", "bert", aliases=aliases)
    spec = {**dump(stored.spec), "letsencrypt_enabled": True}
    with world.database.writing() as connection:
        connection.execute(documents.update().where(documents.c.uid == stored.uid).values(spec=spec))
    path = f"/domains/{stored.uid}"
    assert len(world.call("bert", "GET", path).json()["aliases"]) == 100
    refused = world.call("bert", "PATCH", path, json={"ssl_enabled": True})
    assert [each["field"] for each in refused.json()["details"]["errors"]] == ["aliases"]
    corrected = world.call("bert", "PATCH", path, json={"aliases": aliases[1:]})
    assert corrected.status_code == 200, corrected.text
    (view,) = world.call("bert", "GET", "/ssl").json()["certificates"]
    assert len(view["san_domains"]) == 100


def test_a_dry_run_keeps_nothing(world: World, worker: None) -> None:
    answer = world.call("bert", "POST", "/ssl?dry_run=true", json=GIVEN)
    assert answer.status_code == 200, answer.text
    assert "PRIVATE" not in answer.text
    assert world.call("bert", "GET", "/ssl").json()["total"] == 0


def test_a_dry_run_is_about_the_certificate_that_was_given_and_its_sealed_key(world: World) -> None:
    asked: dict[str, Any] = {}

    def work() -> None:
        while not asked:
            with world.database.writing() as connection:
                plan = take_plan(connection)
                if plan:
                    asked.update(plan.request)
                    answer_plan(connection, plan.id, "ready", report_of(plan.request))

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        answer = world.call("bert", "POST", "/ssl?dry_run=true", json=GIVEN)
        working.result(60)
    assert answer.status_code == 200, answer.text
    (packed,) = asked["overlay"]
    foreseen = unpack(packed)
    assert foreseen.kept["names"] == ["pol.example", "www.pol.example"]
    assert foreseen.sealed is not None
    assert MINE.key.splitlines()[1] not in str(asked)
    assert "kept" not in pack(foreseen)


def test_a_key_is_in_no_document_and_that_is_said(world: World, worker: None) -> None:
    spec = {"acme_provider": None, "certificate": MINE.chain, "private_key": MINE.key}
    one = {"kind": "Certificate", "metadata": {"name": "pol.example", "owner": "bert"}, "spec": spec}
    answer = world.call("bert", "POST", "/plans", json={"documents": [one]})
    assert answer.status_code == 422
    assert "PRIVATE" not in answer.text
    told = {each["field"]: each["message"] for each in answer.json()["details"]["errors"]}
    assert told.keys() == {"documents.0.spec.certificate", "documents.0.spec.private_key"}
    assert all("give it to /api/v1/ssl" in message for message in told.values())


def test_a_plan_that_was_applied_tells_of_what_comes_with_its_documents(world: World, worker: None) -> None:
    one = {
        "kind": "WebDomain",
        "metadata": {"name": "pol.example", "owner": "bert"},
        "spec": {"letsencrypt_enabled": True},
    }
    made = world.call("bert", "POST", "/plans", json={"documents": [one]}).json()
    ready = world.call("bert", "GET", f"/plans/{made['id']}?wait=30")
    while ready.json()["status"] != "ready":
        ready = world.call("bert", "GET", f"/plans/{made['id']}")
    told = world.call("bert", "POST", f"/plans/{made['id']}/apply").json()["documents"]
    assert [each["kind"] for each in told] == ["WebDomain", "Certificate"]


def test_a_dry_run_tells_of_what_comes_with_a_document_changes_with_it_and_goes(
    world: World, worker: None
) -> None:
    spec = {"domain": "pol.example", "letsencrypt_enabled": True}

    def told(answer: httpx.Response) -> list[tuple[str, str, list[str]]]:
        assert answer.status_code == 200, answer.text
        found = answer.json()["report"]["documents"]
        return [(d["action"], d["kind"], [f["field"] for f in d["fields"]]) for d in found]

    def coming(answer: httpx.Response) -> list[tuple[str, list[str]]]:
        return [(action, fields) for action, kind, fields in told(answer) if kind == "Certificate"]

    foretold = coming(world.call("bert", "POST", "/domains?dry_run=true", json=spec))
    assert [action for action, _ in foretold] == ["create"]
    site = world.call("bert", "POST", "/domains", json=spec).json()
    one = f"/domains/{site['id']}"
    aliases = {"aliases": ["www.pol.example"]}
    assert coming(world.call("bert", "PATCH", f"{one}?dry_run=true", json=aliases)) == [
        ("update", ["san_domains"])
    ]
    assert coming(world.call("bert", "PATCH", f"{one}?dry_run=true", json={"ssl_enabled": True})) == []
    off = {"letsencrypt_enabled": False}
    assert coming(world.call("bert", "PATCH", f"{one}?dry_run=true", json=off)) == [("delete", [])]
    assert [action for action, *_ in told(world.call("bert", "DELETE", f"{one}?dry_run=true"))] == [
        "delete",
        "delete",
    ]
    assert world.call("bert", "GET", "/ssl").json()["total"] == 1


def test_a_certificate_for_another_tenants_name_is_refused(world: World) -> None:
    world.site("pol.example", "anna")
    assert world.call("bert", "POST", "/ssl", json=GIVEN).status_code == 409


def test_a_certificate_that_a_site_shows_can_be_deleted(world: World) -> None:
    view = _created(world)
    site = world.site("pol.example", "bert", ssl_enabled=True)
    with world.database.writing() as connection:
        connection.execute(documents.update().values(pending=False))
    assert world.call("bert", "DELETE", f"/ssl/{view['id']}").status_code == 204
    with world.database.reading() as connection:
        pending = select(documents.c.pending).where(documents.c.uid == site.uid)
        assert connection.execute(pending).scalar_one()


def test_a_certificate_is_renewed_when_asked_once_at_a_time(world: World) -> None:
    answer = world.call("bert", "POST", "/ssl", json={"domain": "pol.example"})
    uid = answer.json()["id"]
    made = world.call("bert", "POST", f"/ssl/{uid}/renew")
    assert made.status_code == 201, made.text
    assert made.json()["job_type"] == "ssl_issue"
    assert made.json()["parameters"] == {"certificate": "pol.example", "uid": uid, "asked": True}
    again = world.call("bert", "POST", f"/ssl/{uid}/renew")
    assert again.status_code == 409
    assert again.json()["details"]["job"] == made.json()["id"]
    world.call("bert", "DELETE", f"/jobs/{made.json()['id']}")
    assert world.call("bert", "POST", f"/ssl/{uid}/renew", json={"x": 1}).status_code == 422
    assert world.call("bert", "POST", "/ssl/x/renew").status_code == 404


def test_what_no_authority_gave_is_not_renewed_by_one(world: World) -> None:
    view = _created(world)
    answer = world.call("bert", "POST", f"/ssl/{view['id']}/renew")
    assert answer.json()["details"]["code"] == "not_from_an_authority"
    body = {"acme_provider": "letsencrypt", "is_active": False}
    assert world.call("bert", "PUT", f"/ssl/{view['id']}", json=body).status_code == 200
    answer = world.call("bert", "POST", f"/ssl/{view['id']}/renew")
    assert answer.json()["details"]["code"] == "not_active"


def _accompanying(world: World) -> tuple[Any, Any]:
    """A site and the certificate that came with it."""
    site = world.site("pol.example", "bert", letsencrypt_enabled=True)
    (view,) = world.call("bert", "GET", "/ssl").json()["certificates"]
    return site, view


def test_one_that_comes_with_a_site_stays_as_long_as_that_wants_it(world: World) -> None:
    site, view = _accompanying(world)
    for path in (f"/ssl/{view['id']}", "/documents/Certificate/pol.example"):
        answer = world.call("bert", "DELETE", path)
        assert answer.status_code == 409, answer.text
        assert answer.json()["details"]["code"] == "companion"
        assert "switch letsencrypt_enabled off" in answer.text
    assert world.call("bert", "PUT", f"/domains/{site.uid}", json={"letsencrypt_enabled": False}).is_success
    assert world.call("bert", "GET", "/ssl").json()["total"] == 0


def test_what_a_site_decides_of_its_certificate_is_changed_there(world: World) -> None:
    site, view = _accompanying(world)
    path = f"/ssl/{view['id']}"
    answer = world.call("bert", "PATCH", path, json={"san_domains": ["else.example"], "is_active": False})
    assert answer.status_code == 409
    assert answer.json()["details"]["fields"] == ["is_active", "san_domains"]
    assert "the domain pol.example" in answer.text
    same = {"auto_renew": False, "san_domains": ["pol.example"]}
    assert world.call("bert", "PATCH", path, json=same).status_code == 200
    assert world.call("bert", "PUT", f"/domains/{site.uid}", json={"aliases": ["www.pol.example"]}).is_success
    changed = world.call("bert", "GET", path).json()
    assert (changed["auto_renew"], changed["san_domains"]) == (False, ["pol.example", "www.pol.example"])


def test_one_that_somebody_wrote_is_theirs_to_change_and_delete(world: World) -> None:
    view = _created(world)
    world.site("pol.example", "bert", letsencrypt_enabled=True)
    path = f"/ssl/{view['id']}"
    assert world.call("bert", "PATCH", path, json={"san_domains": ["else.example"]}).status_code == 200
    assert world.call("bert", "DELETE", path).status_code == 204


def test_an_authority_that_wants_to_be_left_alone_and_one_that_gave_one_just_now_is_not_asked_by_hand(
    world: World,
) -> None:
    uid = world.call("bert", "POST", "/ssl", json={"domain": "pol.example"}).json()["id"]
    now = datetime.now(UTC)
    trouble = {
        "code": "RateLimited",
        "message": "too many",
        "tries": 1,
        "at": now.isoformat(),
        "retry_at": (now + timedelta(hours=2)).isoformat(),
    }
    _remember(world, uid, trouble=trouble)
    refused = world.call("bert", "POST", f"/ssl/{uid}/renew")
    assert (refused.status_code, refused.json()["details"]["code"]) == (429, "too_soon")
    assert 7100 < int(refused.headers["Retry-After"]) <= 7200
    _remember(world, uid, trouble=None, had_at=now.isoformat(), **kept_chain(read_chain(MINE.chain)))
    refused = world.call("bert", "POST", f"/ssl/{uid}/renew")
    assert refused.status_code == 429
    assert 3500 < refused.json()["details"]["retry_after"] <= 3600
    _remember(world, uid, had_at=(now - timedelta(hours=1)).isoformat())
    assert world.call("bert", "POST", f"/ssl/{uid}/renew").status_code == 201


def test_what_was_had_before_is_counted_although_its_document_went(world: World) -> None:
    uid = world.call("bert", "POST", "/ssl", json={"domain": "pol.example"}).json()["id"]
    for hours in (1, 2, 3):
        _had(world, uid, hours)
    path = f"/ssl/{uid}"
    assert world.call("bert", "DELETE", path).status_code == 204
    uid = world.call("bert", "POST", "/ssl", json={"domain": "pol.example"}).json()["id"]
    _had(world, uid, 4)
    refused = world.call("bert", "POST", f"/ssl/{uid}/renew")
    assert (refused.status_code, refused.json()["details"]["code"]) == (429, "too_soon")
    assert 164 * 3600 - 60 < int(refused.headers["Retry-After"]) <= 164 * 3600
    assert "4 certificates for just these names" in refused.text
    more = {"san_domains": ["pol.example", "www.pol.example"]}
    assert world.call("bert", "PUT", f"/ssl/{uid}", json=more).status_code == 200
    made = world.call("bert", "POST", f"/ssl/{uid}/renew")
    assert made.status_code == 201, made.text


def _had(world: World, uid: str, hours: int) -> None:
    """So many hours ago an authority gave one."""
    told = {"status": "issued", "authority": "letsencrypt", "orders": 1, "names": ["pol.example"]}
    with world.database.writing() as connection:
        job = ask_for_one(connection, get(connection, uid), "ssl_issue")
        finish_job(connection, job, "completed", {"certificate": told})
        at = datetime.now(UTC) - timedelta(hours=hours)
        connection.execute(jobs.update().where(jobs.c.id == job).values(completed_at=at))


def _remember(world: World, uid: str, **values: Any) -> None:
    with world.database.writing() as connection:
        keep(connection, uid, values)
