"""What the templates of a site may use: words and nothing else, none for what is not so."""

import re
from typing import cast

from state.certificates.chains import covers
from state.certificates.sites import PLACEHOLDER, Site, certificate_files, stapling, usable
from state.document import Document
from state.names import tag
from state.paths import home_of, site_dir
from state.words import Words

BACKEND_NAME = re.compile(r"(?P<template>[A-Za-z0-9._-]+)-(?P<version>\d+\.\d+)")


def site_values(document: Document, certificate: Document | None = None) -> Words:
    """What the templates of a site may use; `certificate` is the document of one for its name."""
    spec = cast("Site", document.spec)
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
        **_secured(document, spec, certificate),
    }
    return Words(values)


def _secured(document: Document, spec: Site, certificate: Document | None) -> dict[str, object]:
    """How the site speaks HTTPS. Nobody is sent to a certificate that nobody trusts, or that is for other names."""
    chain = usable(document, certificate)
    names = (document.name, *spec.aliases)
    covered = tuple(name for name in names if chain and covers(chain.names, name))
    forced = covered if spec.ssl_enabled and spec.ssl_force else ()
    unforced = tuple(name for name in names if name not in forced)
    trusted = bool(covered) and spec.ssl_enabled
    files = certificate_files(document.name) if trusted else PLACEHOLDER if spec.ssl_enabled else (None, None)
    return {
        "certificate": files[0],
        "certificate_key": files[1],
        "forced": forced or None,
        "unforced": unforced or None,
        "stapling": stapling(certificate, chain) if trusted and chain else None,
        "hsts": "on" if trusted and spec.ssl_hsts else None,
        "servers": _servers(forced, unforced),
    }


def _servers(forced: tuple[str, ...], unforced: tuple[str, ...]) -> tuple[str, ...]:
    """What the web server has for the site: its own, and before it those on port 80 when some names are forced."""
    if not forced:
        return ("own",)
    return ("forced", "unforced", "own") if unforced else ("forced", "own")
