"""WebDomain: a web site: an nginx server (nginx.org/en/docs), a PHP-FPM pool and a place for its files."""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated

from pydantic import Field, field_serializer, field_validator

from state.certificates.sites import (
    certificate_keys,
    certificate_of,
    companions,
    crowded,
    file_name,
    insecure,
    is_trusted,
    secured,
    seen,
)
from state.compiling import Compiled, Context, Reason, Related
from state.document import Document, Ref
from state.fields import Address4, Address6, Alias, Template
from state.kind import Kind, Values
from state.names import Claim, alias_name, host_name
from state.paths import site_dir
from state.resource import Resource, config, directory, seed
from state.site_values import BACKEND_NAME, site_values
from state.spec import AdminOnly, Completed, Spec
from state.words import Words

_PATH = re.compile(r"(/[A-Za-z0-9_][A-Za-z0-9._-]{0,254})+")
WEB, BACKEND, PROXY, PAGE = "nginx/web", "php/backend", "nginx/proxy", "page"


class WebDomain(Spec):
    """Without an address the site answers on all of its host's; `backend_template` is ``PHP-x.y`` or none."""

    ip_address: Address4 | None = Field(None, description="The only IPv4 address to answer on.")
    ipv6_address: Address6 | None = Field(None, description="The only IPv6 address to answer on.")
    web_template: Annotated[Template, Completed()] = Field(
        "default", description="The web server's template."
    )
    backend_template: Template | None = Field(None, description="The PHP it runs: `PHP-8.4`, or none.")
    proxy_template: Template | None = Field(None, description="What requests are passed on to, or none.")
    document_root: Annotated[str, Completed()] = Field(
        max_length=1024, description="The folder that is served, below the site's own."
    )
    ssl_enabled: bool = Field(False, description="Whether it is served over HTTPS too.")
    ssl_force: bool = Field(False, description="Whether HTTP leads to HTTPS.")
    ssl_hsts: bool = Field(False, description="Whether browsers are told to come over HTTPS only (RFC 6797).")
    letsencrypt_enabled: bool = Field(False, description="Whether its certificate is had by ACME (RFC 8555).")
    letsencrypt_wildcard: bool = Field(
        False, description="Whether that certificate is for all names below it."
    )
    aliases: tuple[Alias, ...] = Field(
        (),
        max_length=100,
        strict=False,
        description="Its other names; `*.` and a name is all names below that one. With `letsencrypt_enabled`, as many "
        "as its certificate can be for.",
    )
    is_active: bool = Field(True, description="Whether it is served at all.")
    is_suspended: Annotated[bool, AdminOnly()] = Field(
        False, description="Whether it says that it is suspended."
    )

    @field_validator("aliases")
    @classmethod
    def _aliases(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(alias_name(alias) for alias in value))

    @field_serializer("ip_address", "ipv6_address")
    def _address(self, value: IPv4Address | IPv6Address | None) -> str | None:
        return None if value is None else str(value)


def _complete(values: Values, name: str, owner: str, related: Related, previous: Spec | None) -> Values:
    defaults: dict[str, object] = {"document_root": f"{site_dir(owner, name)}/public_html"}
    if previous is None:
        user = related(Ref("User", owner))
        package = user and related(Ref("Package", str(getattr(user.spec, "package_name", ""))))
        for template in ("web_template", "backend_template", "proxy_template"):
            if package:
                defaults[template] = getattr(package.spec, template)
    elif isinstance(previous, WebDomain):
        kept = ("web_template", "backend_template", "proxy_template", "document_root")
        defaults |= {field: value for field, value in vars(previous).items() if field in kept}
    completed = WEB_DOMAIN.marked(Completed)
    return {**defaults, **{k: v for k, v in values.items() if v is not None or k not in completed}}


def _check(name: str, owner: str, spec: Spec) -> list[tuple[str, str]]:
    assert isinstance(spec, WebDomain)
    base, root = site_dir(owner, name), spec.document_root
    faults = []
    if not _PATH.fullmatch(root) or ".." in root.split("/") or not root.startswith(base + "/"):
        faults.append(("document_root", f"must be a plain path below {base}/"))
    if name in spec.aliases:
        faults.append(("aliases", f"{name!r} is the site's own name"))
    return [*faults, *crowded(name, spec)]


def _claims(document: Document) -> tuple[Claim, ...]:
    spec = document.spec
    assert isinstance(spec, WebDomain)
    return tuple(Claim("hosts", name) for name in (document.name, *spec.aliases))


def _blocked(context: Context, spec: WebDomain) -> tuple[Reason, ...]:
    facts, templates, found = context.facts, context.templates, []
    for address, have in ((spec.ip_address, facts.ipv4), (spec.ipv6_address, facts.ipv6)):
        if address is not None and str(address) not in have:
            has = ", ".join(have) or "none of that family"
            found.append(Reason("AddressMissing", f"the host has no address {address}; it has {has}"))
    for folder, name in ((WEB, spec.web_template), (PROXY, spec.proxy_template)):
        if name is not None and name not in templates.names(folder):
            there = ", ".join(templates.names(folder))
            found.append(
                Reason("TemplateMissing", f"there is no {folder} template {name!r}; there are {there}")
            )
    if spec.backend_template not in (None, "none"):
        found.extend(_backend_blocked(context, str(spec.backend_template)))
    return tuple(found)


def _backend_blocked(context: Context, backend: str) -> list[Reason]:
    match = BACKEND_NAME.fullmatch(backend)
    names, have = context.templates.names(BACKEND), context.facts.php
    if match is None or match["template"] not in names:
        choices = ", ".join(f"{n}-{v}" for n in names for v in have) or "none"
        return [Reason("TemplateMissing", f"there is no backend template {backend!r}; there are {choices}")]
    if match["version"] not in have:
        has = ", ".join(have) or "none"
        return [Reason("PhpMissing", f"the host has no PHP {match['version']}; it has {has}")]
    return []


def _compile(context: Context) -> Compiled:
    document, spec = context.document, context.document.spec
    assert isinstance(spec, WebDomain)
    user = context.related(Ref("User", document.owner))
    if user is None:
        return Compiled(blocked=(Reason("OwnerMissing", f"user {document.owner!r} does not exist"),))
    if getattr(user.spec, "role", "") == "admin":
        message = (
            f"{document.owner!r} is an administrator and has no account on hosts: give the site to a user"
        )
        return Compiled(blocked=(Reason("OwnerHasNoAccount", message),))
    blocked = _blocked(context, spec)
    if blocked:
        return Compiled(blocked=blocked)
    closed = spec.is_suspended or bool(getattr(user.spec, "is_suspended", False))
    closed = closed or not getattr(user.spec, "is_active", True)
    certificate = context.related(certificate_of(document))
    values = site_values(document, certificate)
    folders = _folders(document, spec, context, values)
    made = (folders[-2].key,)
    resources: list[Resource] = list(folders)
    if spec.is_active:
        if values["php"] and not closed:
            resources.append(_pool(context, values, made))
        resources.append(_vhost(context, spec, values, closed, made))
        resources += seen(document, certificate, values, resources[-1].key)
    notes = insecure(document, values, certificate, context.plane.now)
    return Compiled(resources=tuple(resources), notes=notes, secured=secured(document, values, certificate))


def _folders(document: Document, spec: WebDomain, context: Context, values: Words) -> tuple[Resource, ...]:
    owner, base = document.owner, site_dir(document.owner, document.name)
    made = [directory(base, owner=owner, group=owner, mode="0755", requires=(f"account:{owner}",), data=True)]
    path = base
    for part in spec.document_root.removeprefix(base + "/").split("/"):
        made.append(
            directory(f"{path}/{part}", owner=owner, group=owner, mode="0755", requires=(made[-1].key,))
        )
        path = f"{path}/{part}"
    template, name = ("php", "index.php") if values["php"] else ("default", "index.html")
    text = context.templates.render(PAGE, template, values)
    requires = (made[-1].key,)
    page = seed(f"{path}/{name}", text, owner=owner, group=owner, mode="0644", requires=requires)
    return (*made, page)


def _pool(context: Context, values: Words, requires: tuple[str, ...]) -> Resource:
    text = context.templates.render(BACKEND, str(values["pool"]), values)
    return config(f"php{values['php']}-fpm", f"{file_name(values['domain'])}.conf", text, requires=requires)


def _vhost(
    context: Context, spec: WebDomain, values: Words, closed: bool, requires: tuple[str, ...]
) -> Resource:
    proxy = spec.proxy_template
    inner = context.templates.render(PROXY, proxy, values) if proxy and not closed else None
    template = "suspended" if closed else spec.web_template
    text = context.templates.render(WEB, template, values.having("proxy", inner))
    needed = (*requires, *(certificate_keys(str(values["domain"])) if is_trusted(values) else ()))
    return config("nginx", f"{file_name(values['domain'])}.conf", text, requires=needed)


WEB_DOMAIN = Kind(
    name="WebDomain",
    plural="domains",
    topic="domain",
    schema=WebDomain,
    name_field="domain",
    check_name=host_name,
    rank=4,
    compile=_compile,
    references=lambda document: (Ref("User", document.owner), certificate_of(document)),
    claims=_claims,
    companions=companions,
    companions_by="letsencrypt_enabled",
    complete=_complete,
    check=_check,
    limit="web_domains_limit",
    counter="web_domains_count",
    search=("domain",),
    host_field="domain",
    measured={"bandwidth_used": 0},
    naming={
        "type": "string",
        "format": "idn-hostname",
        "maxLength": 253,
        "description": "A host name (IDNA 2008), shown as its A-label; no public suffix. It cannot be changed.",
    },
    examples={
        "create": {
            "domain": "newsite.com",
            "ip_address": "192.168.1.100",
            "web_template": "default",
            "backend_template": "PHP-8.3",
            "aliases": ["www.newsite.com"],
            "ssl_enabled": True,
            "letsencrypt_enabled": True,
        },
        "change": {"backend_template": "PHP-8.4", "ssl_force": True},
    },
)
