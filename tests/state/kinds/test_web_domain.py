"""Sites: valid or refused with the field, completed from their owner's package, and made into folders and texts."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from state.certificates.sites import file_name
from state.compiling import Compiled, Context, Facts
from state.document import Document, Ref
from state.kinds.web_domain import WEB_DOMAIN
from state.names import Claim
from state.resource import Resource
from tests.state.companies import FACTS, company, document, site, templates, user, with_material

BASE = "/home/anna/web/example.com"
VHOST = "config:nginx/example.com.conf"
POOL = "config:php8.4-fpm/example.com.conf"
GOLD = document("Package", "gold", backend_template="PHP-8.4", proxy_template="app-socket")


def _compile(one: Document, *others: Document, facts: Facts = FACTS) -> Compiled:
    return WEB_DOMAIN.compile(Context(one, facts, templates(), company(*(others or (user(),))).related.get))


def _made(one: Document, *others: Document) -> dict[str, Resource]:
    compiled = _compile(one, *others)
    assert compiled.blocked == ()
    return {resource.key: resource for resource in compiled.resources}


def _text(one: Document, key: str = VHOST, *others: Document) -> str:
    return str(_made(one, *others)[key].content)


@pytest.mark.parametrize(
    "values",
    [
        {"ip_address": "192.0.2.256"},
        {"ip_address": "2001:db8::1"},
        {"ipv6_address": "192.0.2.1"},
        {"web_template": "../default"},
        {"backend_template": "PHP 8.4"},
        {"proxy_template": "x;y"},
        {"document_root": "x" * 1025},
        {"aliases": ["a b.example.com"]},
        {"aliases": ["co.uk"]},
        {"aliases": [f"a{n}.example.com" for n in range(101)]},
        {"ssl_enabled": "perhaps"},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_value_that_can_never_be_right_is_refused_with_its_field(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        WEB_DOMAIN.schema.model_validate({"document_root": f"{BASE}/x", **values})
    assert {error["loc"][0] for error in caught.value.errors()} == set(values)


def test_aliases_are_canonical_and_each_once() -> None:
    assert site(aliases=["WWW.example.com", "www.example.com", "bücher.example"]).spec.model_dump()[
        "aliases"
    ] == (
        "www.example.com",
        "xn--bcher-kva.example",
    )


def test_addresses_are_written_as_text_in_their_shortest_form() -> None:
    values = site(ip_address="192.0.2.10", ipv6_address="2001:0db8:0::10").spec.model_dump(mode="json")
    assert (values["ip_address"], values["ipv6_address"]) == ("192.0.2.10", "2001:db8::10")
    assert site().spec.model_dump()["ip_address"] is None


def _faults(**values: Any) -> list[str]:
    one = site(**values)
    return [field for field, _ in WEB_DOMAIN.check(one.name, one.owner, one.spec)]


@pytest.mark.parametrize(
    "root",
    [
        "/etc",
        "/home/anna",
        BASE,
        f"{BASE}/",
        f"{BASE}/../other",
        f"{BASE}/a/../../other/x",
        f"{BASE}/a//b",
        f"{BASE}/-rf",
        f"{BASE}/.ssh",
        f"{BASE}/a b",
        f"{BASE}/a\nb",
        f"{BASE}/a;b",
        f"{BASE}/{'x' * 256}",
        "/home/anna/web/example.com.evil/x",
        "public_html",
    ],
)
def test_a_document_root_is_a_plain_path_below_the_site(root: str) -> None:
    assert _faults(document_root=root) == ["document_root"]


@pytest.mark.parametrize("root", [f"{BASE}/public_html", f"{BASE}/a/b.c/_d-e", f"{BASE}/{'x' * 255}"])
def test_any_plain_path_below_the_site_is_a_document_root(root: str) -> None:
    assert _faults(document_root=root) == []


def test_a_sites_own_name_is_no_alias() -> None:
    assert _faults(aliases=["example.com"]) == ["aliases"]


@pytest.mark.parametrize(
    ("aliases", "values", "over"),
    [
        (99, {}, 0),
        (100, {}, 1),
        (98, {"letsencrypt_wildcard": True}, 0),
        (100, {"letsencrypt_wildcard": True}, 2),
        (100, {"letsencrypt_enabled": False}, 0),
    ],
)
def test_a_site_that_is_to_have_a_certificate_has_as_many_names_as_one_can_be_for(
    aliases: int, values: dict[str, Any], over: int
) -> None:
    names = [f"a{n}.example.com" for n in range(aliases)]
    one = site(aliases=names, **{"letsencrypt_enabled": True, **values})
    faults = WEB_DOMAIN.check(one.name, one.owner, one.spec)
    assert [field for field, _ in faults] == (["aliases"] if over else [])
    assert all(
        f"{100 + over} names in all, and authorities take 100: leave out {over}" in told for _, told in faults
    )


def test_wildcards_that_its_certificate_is_not_for_do_not_count() -> None:
    names = [f"a{n}.example.com" for n in range(99)]
    assert _faults(aliases=[*names, "*.example.com"], letsencrypt_enabled=True) == []
    below = {"letsencrypt_enabled": True, "letsencrypt_wildcard": True}
    assert _faults(aliases=[*names[1:], "*.example.com"], **below) == []
    assert _faults(aliases=[*names, "*.example.com"], **below) == ["aliases"]


def test_a_site_refers_to_its_owner_and_claims_all_of_its_names() -> None:
    one = site(aliases=["*.example.com"])
    assert WEB_DOMAIN.references(one) == (Ref("User", "anna"), Ref("Certificate", "example.com"))
    assert WEB_DOMAIN.claims(one) == (Claim("hosts", "example.com"), Claim("hosts", "*.example.com"))


def _complete(values: dict[str, Any], previous: Any = None, *known: Document) -> Any:
    return WEB_DOMAIN.complete(values, "example.com", "anna", {d.ref: d for d in known}.get, previous)


def test_a_new_site_has_its_root_and_the_templates_of_its_owners_package() -> None:
    assert _complete({}, None, user(package_name="gold"), GOLD) == {
        "document_root": f"{BASE}/public_html",
        "web_template": "default",
        "backend_template": "PHP-8.4",
        "proxy_template": "app-socket",
    }


def test_a_given_null_means_no_backend_and_no_proxy() -> None:
    given = {"backend_template": None, "proxy_template": None, "web_template": None}
    completed = _complete(given, None, user(package_name="gold"), GOLD)
    assert (completed["backend_template"], completed["proxy_template"]) == (None, None)
    assert completed["web_template"] == "default"


@pytest.mark.parametrize("known", [(), (user(package_name="gold"),)])
def test_without_an_owner_or_package_the_defaults_hold(known: tuple[Document, ...]) -> None:
    assert _complete({}, None, *known) == {"document_root": f"{BASE}/public_html"}


def test_what_was_chosen_once_is_kept_unless_given() -> None:
    previous = site(backend_template="PHP-8.3", document_root=f"{BASE}/dist").spec
    completed = _complete({"backend_template": "PHP-8.4"}, previous, user(package_name="gold"), GOLD)
    assert completed == {
        "document_root": f"{BASE}/dist",
        "web_template": "default",
        "backend_template": "PHP-8.4",
        "proxy_template": None,
    }


def test_another_kinds_specification_is_nothing_to_keep() -> None:
    assert _complete({}, user().spec) == {"document_root": f"{BASE}/public_html"}


def test_a_site_is_its_folders_a_first_page_and_a_server() -> None:
    made = _made(site(document_root=f"{BASE}/a/b"))
    assert list(made) == [
        f"directory:{BASE}",
        f"directory:{BASE}/a",
        f"directory:{BASE}/a/b",
        f"file:{BASE}/a/b/index.html",
        VHOST,
    ]
    assert made[f"directory:{BASE}"].data
    assert made[f"directory:{BASE}"].requires == ("account:anna",)
    assert made[VHOST].requires == (f"directory:{BASE}/a/b",)
    assert made[f"file:{BASE}/a/b/index.html"].once


def test_the_server_has_all_names_and_the_root() -> None:
    text = _text(site(aliases=["www.example.com", "*.example.com"]))
    assert "server_name example.com www.example.com *.example.com;" in text
    assert f"root {BASE}/public_html;" in text


def test_a_site_without_addresses_answers_on_all_and_one_with_only_there() -> None:
    assert "$elsewhere" not in _text(site())
    text = _text(site(ip_address="192.0.2.10", ipv6_address="2001:db8::10"))
    assert "if ($server_addr = 192.0.2.10)" in text
    assert "if ($server_addr = 2001:db8::10)" in text


def test_a_php_site_has_a_pool_of_its_own_and_a_server_that_speaks_to_it() -> None:
    one = site(backend_template="PHP-8.4")
    assert list(_made(one))[-2:] == [POOL, VHOST]
    socket = next(line.split("=")[1] for line in _text(one, POOL).splitlines() if line.startswith("listen="))
    assert f"set $php_socket unix:{socket};\n        fastcgi_pass $php_socket;" in _text(one)
    assert "user=anna\n" in _text(one, POOL)


@pytest.mark.parametrize("backend", [None, "none"])
def test_a_site_without_a_backend_has_no_pool_and_runs_no_php(backend: str | None) -> None:
    one = site(backend_template=backend)
    assert [key for key in _made(one) if "php" in key] == []
    assert "fastcgi_pass" not in _text(one)


def test_a_proxied_site_hands_requests_on() -> None:
    text = _text(site(proxy_template="app-socket", backend_template="PHP-8.4"))
    assert f"proxy_pass http://unix:{BASE}/app.sock;" in text
    assert "fastcgi_pass" not in text


@pytest.mark.parametrize(
    ("one", "owner"),
    [
        (site(is_suspended=True, backend_template="PHP-8.4", proxy_template="app-socket"), user()),
        (site(backend_template="PHP-8.4"), user(is_suspended=True)),
        (site(backend_template="PHP-8.4"), user(is_active=False)),
    ],
)
def test_a_suspended_site_says_so_and_runs_nothing(one: Document, owner: Document) -> None:
    made = _made(one, owner)
    assert POOL not in made
    text = str(made[VHOST].content)
    assert "return 503;" in text
    assert "proxy_pass" not in text


def test_an_inactive_site_keeps_its_files_and_has_no_server() -> None:
    assert [r.type for r in _made(site(is_active=False)).values()] == ["directory", "directory", "file"]


@pytest.mark.parametrize(
    ("values", "code", "names"),
    [
        ({"ip_address": "198.51.100.1"}, "AddressMissing", "192.0.2.10"),
        ({"ipv6_address": "2001:db8::99"}, "AddressMissing", "2001:db8::10"),
        ({"web_template": "missing"}, "TemplateMissing", "default"),
        ({"proxy_template": "missing"}, "TemplateMissing", "app-socket"),
        ({"backend_template": "Ruby-3.1"}, "TemplateMissing", "PHP-8.4"),
        ({"backend_template": "PHP"}, "TemplateMissing", "PHP-8.4"),
        ({"backend_template": "PHP-5.6"}, "PhpMissing", "8.3, 8.4"),
    ],
)
def test_what_the_host_does_not_have_blocks_and_says_what_it_has(
    values: dict[str, Any], code: str, names: str
) -> None:
    compiled = _compile(site(**values))
    assert [reason.code for reason in compiled.blocked] == [code]
    assert names in compiled.blocked[0].message
    assert compiled.resources == ()


def test_a_host_that_has_nothing_of_it_says_none() -> None:
    one = site(ip_address="192.0.2.10", backend_template="PHP-8.4", web_template="missing")
    messages = [reason.message for reason in _compile(one, facts=Facts()).blocked]
    assert [message.split("; ")[-1] for message in messages] == [
        "it has none of that family",
        "there are default, suspended",
        "it has none",
    ]


def test_a_backend_that_nobody_has_names_no_choices() -> None:
    (reason,) = _compile(site(backend_template="Ruby-3.1"), facts=Facts()).blocked
    assert reason.message.endswith("there are none")


def test_a_site_of_nobody_or_of_an_administrator_is_blocked() -> None:
    assert [r.code for r in _compile(site(owner="nobody1")).blocked] == ["OwnerMissing"]
    assert [r.code for r in _compile(site(), user(role="admin")).blocked] == ["OwnerHasNoAccount"]


@pytest.mark.parametrize("values", [{"ssl_enabled": True}, {"letsencrypt_enabled": True}])
def test_a_site_that_wants_a_certificate_is_served_and_says_that_there_is_none(
    values: dict[str, Any],
) -> None:
    compiled = _compile(site(**values))
    assert [note.code for note in compiled.notes] == ["NoCertificate"]
    assert compiled.resources


def test_the_longest_domain_still_has_a_file_name_of_its_own() -> None:
    label = "x" * 60
    name = f"{label}.{label}.{label}.{label}.com"
    one = replace(site(name=name))
    assert [k for k in _made(one) if k.startswith("config:") and len(k.split("/")[1]) > 255] == []
    assert file_name(name) != file_name(f"y{name[1:]}")
    assert file_name("example.com") == "example.com"


def test_a_site_with_https_listens_there_with_the_placeholder_and_sends_nobody_to_it() -> None:
    text = _text(site(ssl_enabled=True, ssl_force=True, ssl_hsts=True))
    assert text.count("listen 443 ssl;") == text.count("http2 on;") == 1
    assert "ssl_certificate /etc/ghostcp/placeholder.crt;" in text
    assert "return 301" not in text
    assert "Strict-Transport-Security" not in text


def test_a_site_without_https_does_not_listen_there() -> None:
    assert "443" not in _text(site(ssl_force=True, ssl_hsts=True))


@pytest.mark.parametrize("values", [{}, {"proxy_template": "app-socket"}, {"is_suspended": True}])
def test_every_server_answers_challenges_with_what_the_host_says(values: dict[str, Any]) -> None:
    text = _text(site(**values))
    assert "location ^~ /.well-known/acme-challenge/ {" in text
    assert "return 200 $ghostcp_acme_token.$ghostcp_acme_thumbprint;" in text


def _certified(one: Document, *names: str, **values: Any) -> str:
    certificate = with_material(document("Certificate", "example.com", "anna", **values), *names)
    return _text(one, VHOST, user(), certificate)


def test_a_site_with_a_certificate_shows_it_forces_it_and_insists_on_it() -> None:
    one = site(ssl_enabled=True, ssl_force=True, ssl_hsts=True, aliases=["www.example.com"])
    text = _certified(one, "example.com", "www.example.com")
    assert "ssl_certificate /etc/ghostcp/live/nginx/tls/example.com.crt;" in text
    assert "ssl_certificate_key /etc/ghostcp/live/nginx/private/example.com.key;" in text
    redirect, served = text.split("return 301 https://$host$request_uri;")
    assert "server_name example.com www.example.com;" in redirect
    assert "listen 80;" not in served
    assert "Strict-Transport-Security $ghostcp_hsts" in served
    assert text.count("location ^~ /.well-known/acme-challenge/") == 2


@pytest.mark.parametrize("suspended", [False, True])
@pytest.mark.parametrize(
    ("provider", "place", "asked"),
    [
        ("zerossl", "http://ocsp.example/a", "http://127.0.0.1:4888/ocsp.example/a/"),
        ("zerossl", "", None),
        (None, "http://169.254.169.254/", None),
    ],
)
def test_an_authority_that_knows_what_is_revoked_is_asked_and_nobody_whom_a_tenant_names(
    provider: str | None, place: str, asked: str | None, suspended: bool
) -> None:
    certificate = with_material(document("Certificate", "example.com", "anna"))
    certificate = replace(certificate, kept={**certificate.kept, "ocsp": place, "provider": provider})
    text = _text(site(ssl_enabled=True, is_suspended=suspended), VHOST, user(), certificate)
    assert (f"ssl_stapling_responder {asked};" in text) == (asked is not None)
    assert ("ssl_stapling on;" in text) == (asked is not None)


def test_a_name_that_the_certificate_is_not_for_is_not_sent_to_it() -> None:
    one = site(ssl_enabled=True, ssl_force=True, aliases=["www.example.com", "new.example.org"])
    text = _certified(one, "example.com", "*.example.com")
    redirect, served = text.split("return 301 https://$host$request_uri;")
    assert "server_name example.com www.example.com;" in redirect
    plain = served.split("listen 443")[0]
    assert "server_name new.example.org;" in plain
    assert "listen 80;" in plain


@pytest.mark.parametrize(
    ("names", "values"), [(("example.org",), {}), (("example.com",), {"is_active": False})]
)
def test_a_certificate_for_others_or_one_that_is_switched_off_is_not_shown(
    names: tuple[str, ...], values: dict[str, Any]
) -> None:
    assert "placeholder.crt" in _certified(site(ssl_enabled=True), *names, **values)


def test_another_tenants_certificate_is_not_shown() -> None:
    certificate = with_material(document("Certificate", "example.com", "eve"))
    assert "placeholder.crt" in _text(site(ssl_enabled=True), VHOST, user(), user("eve"), certificate)


def test_a_secured_site_says_so_and_needs_the_files() -> None:
    certificate = with_material(document("Certificate", "example.com", "anna"))
    compiled = _compile(site(ssl_enabled=True), user(), certificate)
    assert compiled.notes == ()
    assert compiled.secured is not None
    needed = {r.key: r.requires for r in compiled.resources}[VHOST]
    assert {"config:nginx/tls/example.com.crt", "config:nginx/private/example.com.key"} <= set(needed)
