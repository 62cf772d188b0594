"""Configurations on a real host: nginx and php-fpm judge, reload, refuse and fall back."""

from collections.abc import Iterator
from typing import Any

import pytest

from state import resource
from state.resource import Resource
from tests.playbooks.remote import Hands, change, hands

pytestmark = pytest.mark.lab
FPM = "php8.4-fpm"


@pytest.fixture(scope="module")
def host() -> Iterator[Hands]:
    with hands("hostconfigs") as found:
        yield found


def vhost(name: str, more: str = "") -> Resource:
    text = f'server {{ listen 80; server_name {name}.test; return 200 "I am {name}{more}"; }}\n'
    return resource.config("nginx", f"{name}.conf", text)


def broken(name: str) -> Resource:
    return resource.config("nginx", f"{name}.conf", "server { listen 80; nonsense; }\n")


def pool(name: str, *, user: str = "www-data", folder: str = "/run/php") -> Resource:
    listen = f"listen = {folder}/{name}.sock\nlisten.owner = www-data"
    text = f"[{name}]\nuser = {user}\ngroup = www-data\n{listen}\npm = ondemand\npm.max_children = 2\n"
    return resource.config(FPM, f"{name}.conf", text)


def served(host: Hands, name: str) -> str:
    return host.run("curl", "-s", "-H", f"Host: {name}.test", "http://127.0.0.1/")


def statuses(response: dict[str, Any]) -> list[str]:
    return [result["status"] for result in response["results"].values()]


def current(host: Hands, *units: str) -> list[dict[str, bool]]:
    found = host.look(*(f"service:{unit}" for unit in units))
    return [found[f"service:{unit}"] for unit in units]


def test_what_is_applied_is_served_when_the_answer_comes(host: Hands) -> None:
    for n in range(3):
        assert statuses(host.make(vhost("alice", str(n)), pool("alice", folder=f"/run/php/{n}"[:8]))) == [
            "applied",
            "applied",
        ]
        assert served(host, "alice") == f"I am alice{n}"
        assert current(host, "nginx", FPM) == [{"active": True, "current": True}] * 2


def test_a_bad_site_is_refused_with_nginx_s_words_and_the_others_go_live(host: Hands) -> None:
    host.make(vhost("bob"))
    response = host.make(broken("bob"), vhost("carol"))
    assert statuses(response) == ["refused", "applied"]
    message = response["results"]["config:nginx/bob.conf"]["message"]
    assert 'unknown directive "nonsense"' in message
    assert "nginx/bob.conf:1" in message
    assert [served(host, name) for name in ("bob", "carol")] == ["I am bob", "I am carol"]


def test_a_pool_of_an_unknown_user_is_refused_by_its_section(host: Hands) -> None:
    response = host.make(pool("dave"), pool("eve", user="nobody2"))
    assert statuses(response) == ["applied", "refused"]
    assert "pool eve" in response["results"][f"config:{FPM}/eve.conf"]["message"]


def test_fifty_bad_of_many_are_all_found_and_the_rest_go_live(host: Hands) -> None:
    sites = [broken(f"s{n:03}") if n % 10 == 0 else vhost(f"s{n:03}") for n in range(200)]
    response = host.make(*sites)
    assert statuses(response) == ["refused" if n % 10 == 0 else "applied" for n in range(200)]
    assert served(host, "s199") == "I am s199"


def test_a_conflict_with_a_file_that_did_not_change_is_the_new_one_s_fault(host: Hands) -> None:
    zone = "limit_req_zone $binary_remote_addr zone=x:1m rate=1r/s;\n"
    host.make(resource.config("nginx", "zz-old.conf", zone))
    clash = resource.config("nginx", "aa-new.conf", "limit_req_zone $uri zone=x:1m rate=1r/s;\n")
    response = host.make(clash, vhost("frank"))
    assert statuses(response) == ["refused", "applied"]
    assert "already bound" in response["results"][clash.key]["message"]


def test_a_reload_that_fails_is_taken_back_and_the_other_service_goes_on(host: Hands) -> None:
    host.make(pool("grace"))
    response = host.make(pool("grace", folder="/nowhere"), vhost("heidi"))
    assert statuses(response) == ["failed", "applied"]
    assert "/nowhere/grace.sock" in response["results"][f"config:{FPM}/grace.conf"]["message"]
    assert not response["services"][FPM]["ok"]
    assert served(host, "heidi") == "I am heidi"
    assert host.shell("test -S /run/php/grace.sock && systemctl is-active php8.4-fpm") == "active\n"
    assert current(host, "nginx", FPM) == [{"active": True, "current": True}] * 2


def test_a_stopped_service_is_started_when_it_is_asked_for(host: Hands) -> None:
    host.shell("systemctl stop nginx")
    wanted = resource.service("nginx")
    found = host.look(wanted.key)[wanted.key]
    assert found == {"active": False, "current": False}
    response = host.apply(change(wanted, found))
    assert response["services"]["nginx"]["action"] == "start"
    assert response["observed"][wanted.key] == wanted.attributes


def test_a_daemon_that_missed_a_swap_is_seen_and_a_restart_makes_it_current(host: Hands) -> None:
    host.make(vhost("ivan"))
    host.shell("cd /run/ghostcp && echo '{}' > loaded/nginx")
    assert current(host, "nginx") == [{"active": True, "current": False}]
    host.shell("systemctl restart nginx")
    assert current(host, "nginx") == [{"active": True, "current": True}]
    host.shell("echo pending > /run/ghostcp/swapped")
    assert current(host, "nginx") == [{"active": True, "current": False}]
    response = host.apply(services=["nginx"])
    assert response["services"]["nginx"]["action"] == "reload"
    assert current(host, "nginx") == [{"active": True, "current": True}]


def test_a_tenant_s_words_in_a_log_are_no_alarm(host: Hands) -> None:
    host.shell(
        "echo '[01-Jan-2026 00:00:00] WARNING: [pool x] said: \"ERROR: no\"' >> /var/log/php8.4-fpm.log"
    )
    assert statuses(host.make(pool("judy"))) == ["applied"]


def test_validation_does_not_touch_what_is_live(host: Hands) -> None:
    before = host.shell("readlink /etc/ghostcp/live; ls -1 /etc/ghostcp/live/nginx | wc -l; findmnt | wc -l")
    response = host.apply(change(vhost("mallory"), None), change(broken("oscar"), None), validate_only=True)
    assert statuses(response) == ["accepted", "refused"]
    assert (
        host.shell("readlink /etc/ghostcp/live; ls -1 /etc/ghostcp/live/nginx | wc -l; findmnt | wc -l")
        == before
    )


def test_a_foreign_file_that_breaks_nginx_is_named(host: Hands) -> None:
    host.shell("echo 'oops;' > /etc/nginx/conf.d/foreign.conf")
    try:
        response = host.make(vhost("peggy"))
        assert statuses(response) == ["failed"]
        assert "/etc/nginx/conf.d/foreign.conf" in response["results"]["config:nginx/peggy.conf"]["message"]
    finally:
        host.shell("rm /etc/nginx/conf.d/foreign.conf")


def test_texts_of_what_differs_come_back_and_strangers_are_listed(host: Hands) -> None:
    host.make(vhost("victor"))
    found = host.observe([vhost("victor", "2")], listing=True, texts=True)
    assert found["texts"] == {"config:nginx/victor.conf": vhost("victor").content}
    assert "config:nginx/carol.conf" in found["extra"]
    assert found["facts"]["php"] == ["8.4"]
    assert found["facts"]["ipv4"] == [host.host.ipv4]


def test_a_file_that_is_included_from_elsewhere_is_named_and_not_quoted(host: Hands) -> None:
    host.shell("echo 'secret:hash:1;' > /etc/elsewhere")
    site = resource.config("nginx", "walter.conf", "include /etc/elsewhere;\n")
    (result,) = host.make(site)["results"].values()
    assert result["status"] == "refused"
    assert 'unknown directive "…" in /etc/elsewhere:1' in result["message"]
    assert "secret" not in result["message"]
