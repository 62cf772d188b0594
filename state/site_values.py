"""What the templates of a site may use: words and nothing else, none for what is not so."""

import re
from typing import TYPE_CHECKING

from state.document import Document
from state.kind import NO_PLANE, Plane
from state.names import tag
from state.paths import home_of, site_dir
from state.words import Words

if TYPE_CHECKING:
    from state.kinds.web_domain import WebDomain

BACKEND_NAME = re.compile(r"(?P<template>[A-Za-z0-9._-]+)-(?P<version>\d+\.\d+)")
PLACEHOLDER = ("/etc/ghostcp/placeholder.crt", "/etc/ghostcp/placeholder.key")
"""What is shown until there is a certificate: each host has one of its own, which nobody trusts."""


def site_values(document: Document, plane: Plane = NO_PLANE) -> Words:
    """What the templates of a site may use."""
    spec: WebDomain = document.spec  # type: ignore[assignment]
    match = BACKEND_NAME.fullmatch(spec.backend_template or "")
    mark, home = tag(document.name), home_of(document.owner)
    site = site_dir(document.owner, document.name)
    values: dict[str, object] = {
        "domain": document.name,
        "server_names": (document.name, *spec.aliases),
        "user": document.owner,
        "home": home,
        "site": site,
        "root": spec.document_root,
        "tag": mark,
        "addresses": tuple(str(a) for a in (spec.ip_address, spec.ipv6_address) if a is not None),
        "php": match["version"] if match else None,
        "pool": match["template"] if match else None,
        "socket": f"/run/php/ghostcp-{mark}.sock" if match else None,
        "proxy_socket": f"{site}/app.sock",
        "thumbprint": plane.thumbprint,
        **_secured(spec),
    }
    return Words(values)


def _secured(spec: "WebDomain") -> dict[str, str | None]:
    """How the site speaks HTTPS. Nobody is sent to a certificate that nobody trusts."""
    certificate, key = PLACEHOLDER if spec.ssl_enabled else (None, None)
    return {"certificate": certificate, "certificate_key": key, "forced": None, "hsts": None}


def file_name(domain: object) -> str:
    """A file name for `domain`: itself, or its tag where NAME_MAX (255 bytes) would not hold it."""
    name = str(domain)
    return name if len(name) <= 200 else tag(name)
