import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.module_utils.ghostcp import apply, generations, observe
from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.wire import Change
from state import resource
from state.resource import Resource, Secret, private_config, sha256
from tests.playbooks.calls import config, delete, live, look, make, send, site, statuses
from tests.playbooks.remote import change

keys = st.sampled_from([f"{kind}:/{n}" for kind in ("account", "directory", "file") for n in range(4)])


@given(st.lists(st.tuples(keys, st.lists(keys)), unique_by=lambda it: it[0]))
def test_batches_keep_every_change_in_order_and_need_nothing_of_themselves(plan: list[Any]) -> None:
    changes = [Change("create", key, requires=tuple(requires)) for key, requires in plan]
    batches = list(apply.batches(changes))
    assert [it for batch in batches for it in batch] == changes
    for batch in batches:
        assert len({it.type for it in batch}) == 1
        for place, it in enumerate(batch):
            assert not {before.key for before in batch[:place]} & set(it.requires)


def test_a_whole_site_is_made_and_a_second_look_finds_nothing_to_do(host: Host) -> None:
    response = make(host, *site("alice"))
    assert set(statuses(response).values()) == {"applied"}
    again = observe.observe(host, {"resources": {it.key: it.digest for it in site("alice")}, "listing": True})
    assert again["equal"] == [it.key for it in site("alice")]
    assert again["differing"] == {}
    assert again["extra"] == {}
    assert again["live_generation"] == 1


def test_the_response_holds_what_is_there_afterwards(host: Host) -> None:
    response = make(host, *site("alice"))
    for it in site("alice"):
        assert response["observed"][it.key] == it.attributes


def test_a_whole_site_goes_and_its_data_are_kept(host: Host) -> None:
    make(host, *site("alice"))
    response = delete(host, *site("alice"))
    assert set(statuses(response).values()) == {"applied"}
    assert live(host) == {}
    assert set(look(host, *(it.key for it in site("alice"))).values()) == {None}
    assert len(list(Path(host.path("/home/.quarantine")).glob("*/web/index.html"))) == 1


def test_an_older_token_touches_nothing(host: Host) -> None:
    make(host, config("a.conf"), token=7)
    assert send(host, change(config("b.conf"), None), token=6) == {"version": 1, "fenced": True, "highest": 7}
    assert set(live(host)) == {"nginx/a.conf"}
    assert statuses(make(host, config("b.conf"), token=7)) == {"config:nginx/b.conf": "applied"}


def test_what_changed_since_it_was_looked_at_is_not_touched(host: Host) -> None:
    make(host, config("a.conf"))
    response = send(host, change(config("a.conf", "new\n"), None))
    assert statuses(response) == {"config:nginx/a.conf": "stale"}
    assert live(host) == {"nginx/a.conf": "good\n"}


def test_what_is_right_already_is_applied_whatever_was_expected(host: Host) -> None:
    make(host, config("a.conf"))
    assert statuses(send(host, change(config("a.conf"), None))) == {"config:nginx/a.conf": "applied"}


def test_what_needs_a_failed_one_is_skipped(host: Host) -> None:
    Path(host.path("/home/alice")).write_text("in the way")
    response = make(host, *site("alice"))
    assert list(statuses(response).values()) == [
        "applied",
        "failed",
        "skipped",
        "skipped",
        "skipped",
        "applied",
    ]
    assert "directory:/home/alice" in response["results"]["directory:/home/alice/web"]["message"]


def test_a_bad_change_is_left_out_and_the_last_good_stays(host: Host) -> None:
    make(host, config("a.conf"), config("b.conf"))
    response = make(host, config("a.conf", "bad\n"), config("b.conf", "better\n"), config("c.conf"))
    assert list(statuses(response).values()) == ["refused", "applied", "applied"]
    assert (
        response["results"]["config:nginx/a.conf"]["message"] == "[emerg] unknown directive in nginx/a.conf:1"
    )
    assert live(host) == {"nginx/a.conf": "good\n", "nginx/b.conf": "better\n", "nginx/c.conf": "good\n"}


def test_a_complaint_without_a_name_is_tracked_down(host: Host) -> None:
    changes = [config(f"{n}.conf", "vague\n" if n in (3, 7) else "good\n") for n in range(10)]
    response = make(host, *changes)
    assert [it for it, status in statuses(response).items() if status == "refused"] == [
        "config:nginx/3.conf",
        "config:nginx/7.conf",
    ]
    assert len(live(host)) == 8


def _needing(name: str, needed: str) -> Resource:
    return resource.config("nginx", name, f"needs {needed}\n", requires=(f"config:nginx/{needed}",))


def test_what_requires_a_refused_one_goes_without_being_refused(host: Host) -> None:
    response = make(host, config("z.conf", "bad\n"), _needing("a.conf", "z.conf"), config("b.conf"))
    assert list(statuses(response).values()) == ["refused", "skipped", "applied"]
    assert "it needs config:nginx/z.conf" in response["results"]["config:nginx/a.conf"]["message"]
    assert set(live(host)) == {"nginx/b.conf"}


def test_a_search_puts_what_is_required_before_what_requires_it(host: Host) -> None:
    plan = [config("y.conf"), config("z.conf"), _needing("a.conf", "y.conf"), _needing("b.conf", "z.conf")]
    response = make(host, *plan, config("c.conf", "vague\n"))
    assert list(statuses(response).values()) == [*["applied"] * 4, "refused"]


def test_a_document_is_refused_as_a_whole(host: Host) -> None:
    plan = [config("a.conf", "bad\n"), config("a.conf", service="php8.4-fpm"), config("b.conf")]
    documents = ["one", "one", "two"]
    changes = [change(it, None, document=name) for it, name in zip(plan, documents, strict=True)]
    assert list(statuses(send(host, *changes)).values()) == ["refused", "skipped", "applied"]
    assert set(live(host)) == {"nginx/b.conf"}


def test_a_foreign_fault_is_named_and_the_other_service_goes_on(host: Host) -> None:
    make(host, config("a.conf"))
    Path(host.path("/etc/ghostcp/live/nginx/foreign.conf")).write_text("bad\n")
    response = make(host, config("b.conf"), config("p.conf", service="php8.4-fpm"))
    assert list(statuses(response).values()) == ["failed", "applied"]
    assert "nginx/foreign.conf" in response["results"]["config:nginx/b.conf"]["message"]


def test_no_text_is_read_from_where_secrets_lie(host: Host) -> None:
    key = private_config("nginx", "a.key", Secret("", "key"), sha256("SESAME"))
    assert statuses(send(host, change(key, None) | {"content": "SESAME"}))[key.key] == "applied"
    path = Path(host.path("/etc/ghostcp/live/nginx/private/a.key"))
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("SESAME", 0o600)
    path.chmod(0o644)
    path.write_text("another")
    response = observe.observe(host, {"resources": {key.key: key.digest}, "texts": True, "listing": True})
    assert response["differing"][key.key]["mode"] == "0644"
    assert "another" not in json.dumps(response)


def test_a_secret_that_could_not_be_read_changes_nothing(host: Host) -> None:
    key = private_config("nginx", "a.key", Secret("", "key"), sha256("SESAME"))
    response = send(host, change(key, None) | {"content": None}, change(config("b.conf"), None))
    assert statuses(response) == {key.key: "failed", "config:nginx/b.conf": "applied"}
    assert set(live(host)) == {"nginx/b.conf"}


def test_a_service_that_is_not_installed_fails_what_it_gets_but_not_what_it_loses(host: Host) -> None:
    make(host, config("old.conf"))
    Path(host.path("/usr/sbin/nginx")).unlink()
    assert statuses(delete(host, config("old.conf"))) == {"config:nginx/old.conf": "applied"}
    response = make(host, config("new.conf"))
    assert "not installed" in response["results"]["config:nginx/new.conf"]["message"]
    assert live(host) == {}


def test_validating_only_changes_nothing_that_is_live(host: Host) -> None:
    make(host, config("a.conf"))
    wanted = [config("a.conf", "new\n"), config("b.conf", "bad\n")]
    response = make(host, *wanted, *site("alice")[:2], validate_only=True)
    assert list(statuses(response).values()) == ["accepted", "refused"]
    assert live(host) == {"nginx/a.conf": "good\n"}
    assert response["generation"] == 1
    assert look(host, "account:alice") == {"account:alice": None}


@pytest.mark.parametrize(
    "name", ["nginx/../x", "nginx", "nginx/", "/nginx/x", "nginx/.x", "nginx/a\nb", "-x/a", "a/b\0"]
)
def test_a_config_name_that_could_mean_another_is_refused(host: Host, name: str) -> None:
    item = config("x")._replace(key=f"config:{name}", content="good\n")
    assert look(host, item.key) == {item.key: {"obstructed": "invalid name"}}
    assert set(statuses(make(host, item)).values()) == {"failed"}


def test_content_that_is_not_that_of_the_digest_is_refused(host: Host) -> None:
    response = send(host, change(config("a.conf"), None, content="other"))
    assert statuses(response) == {"config:nginx/a.conf": "failed"}


def test_three_generations_are_kept(host: Host) -> None:
    for n in range(6):
        make(host, config("a.conf", f"{n}\n"))
    folders = [it.name for it in Path(host.path(generations.GENERATIONS)).iterdir()]
    assert sorted(name for name in folders if name.isdigit()) == ["4", "5", "6"]
    assert [
        Path(host.path(f"{generations.GENERATIONS}/{n}/nginx/a.conf")).read_text() for n in (4, 5, 6)
    ] == [
        "3\n",
        "4\n",
        "5\n",
    ]


def test_a_live_link_that_leads_elsewhere_is_not_touched(host: Host, tmp_path: Path) -> None:
    Path(host.path(generations.LIVE)).symlink_to(tmp_path)
    with pytest.raises(generations.ForeignError):
        make(host, config("a.conf"))
    assert not (tmp_path / "nginx").exists()
