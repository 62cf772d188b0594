"""The certificate of a site: which one it is, where the web server finds it, and what is said of it."""

from collections.abc import Iterator
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol, cast

from state.certificates.chains import Chain, covers, known_chain
from state.certificates.ends import ended
from state.certificates.naming import all_names, crowd
from state.compiling import NO_EFFECT, Reason
from state.document import OF, Document, Ref
from state.kind import Values
from state.names import tag
from state.resource import PRIVATE, Resource, shown
from state.spec import Spec
from state.words import Words


class Site(Protocol):
    """What there is to know of a site here."""

    ip_address: IPv4Address | None
    ipv6_address: IPv6Address | None
    backend_template: str | None
    document_root: str
    aliases: tuple[str, ...]
    ssl_enabled: bool
    ssl_force: bool
    ssl_hsts: bool
    letsencrypt_enabled: bool
    letsencrypt_wildcard: bool
    is_active: bool


CHAINS = "tls"
_LIVE = "/etc/ghostcp/live/nginx"
RESPONDER = "127.0.0.1:4888"
"""Where the host's web server asks authorities on behalf of its sites."""
PLACEHOLDER = ("/etc/ghostcp/placeholder.crt", "/etc/ghostcp/placeholder.key")
"""What is shown until there is a certificate: each host has one of its own, which nobody trusts."""


def certificate_of(document: Document) -> Ref:
    """The certificate that a site refers to: that of its name, which need not be there."""
    return Ref("Certificate", document.name, weak=True)


def companions(document: Document) -> dict[Ref, Values]:
    """The certificate that is had for the site: for all of its names that the web server itself can prove."""
    spec = cast("Site", document.spec)
    if not spec.letsencrypt_enabled:
        return {}
    wild = spec.letsencrypt_wildcard
    names = [document.name, *_others(spec)]
    challenge = "dns01" if wild else "http01"
    values = {"san_domains": names, "is_wildcard": wild, "acme_challenge_type": challenge}
    return {certificate_of(document): {**values, "is_active": spec.is_active}}


def crowded(name: str, spec: Spec) -> list[tuple[str, str]]:
    """What is wrong with the aliases of a site that is to have a certificate: more names than authorities take."""
    wish = cast("Site", spec)
    if not wish.letsencrypt_enabled:
        return []
    words = crowd(all_names(name, _others(wish), below=wish.letsencrypt_wildcard))
    where = "or set letsencrypt_enabled to false"
    return [("aliases", f"with letsencrypt_enabled its certificate is for {words}, {where}")] if words else []


def _others(spec: Site) -> list[str]:
    """The aliases that the certificate of a site is for."""
    return [alias for alias in spec.aliases if spec.letsencrypt_wildcard or not alias.startswith("*.")]


def usable(document: Document, certificate: Document | None) -> Chain | None:
    """The chain of a certificate that the site can show: of the same owner, for its name, and had already."""
    if certificate is None or certificate.owner != document.owner or certificate.sealed is None:
        return None
    chain = known_chain(certificate.kept) if getattr(certificate.spec, "is_active", False) else None
    return chain if chain and covers(chain.names, document.name) else None


def stapling(certificate: Document | None, chain: Chain) -> str | None:
    """Where the web server asks on the host whether the certificate is revoked; none where its authority offers none.

    Only what an authority gave is asked for: whom a tenant's own certificate names is the tenant's word.
    """
    if certificate is None or not certificate.kept.get("provider") or not chain.ocsp:
        return None
    return f"http://{RESPONDER}/{chain.ocsp.removeprefix('http://').rstrip('/')}/"


def certificate_files(name: str) -> tuple[str, str]:
    """Where the web server finds the certificate of this name, and its key."""
    file = file_name(name)
    return f"{_LIVE}/{CHAINS}/{file}.crt", f"{_LIVE}/{PRIVATE}/{file}.key"


def certificate_keys(name: str) -> tuple[str, str]:
    """The resources that these files are."""
    file = file_name(name)
    return f"config:nginx/{CHAINS}/{file}.crt", f"config:nginx/{PRIVATE}/{file}.key"


def seen(
    document: Document, certificate: Document | None, values: Words, server: str
) -> tuple[Resource, ...]:
    """That visitors are really shown it by the `server` (a resource) which these values make."""
    chain = usable(document, certificate) if is_trusted(values) else None
    if chain is None:
        return ()
    return (shown(document.name, chain.fingerprint, chain.valid_until, requires=(server,)),)


def file_name(domain: object) -> str:
    """A file name for `domain`: itself, or its tag where NAME_MAX (255 bytes) would not hold it."""
    name = str(domain)
    return name if len(name) <= 200 else tag(name)


def insecure(
    document: Document, values: Words, certificate: Document | None, now: datetime | None
) -> tuple[Reason, ...]:
    """Why a site that wants to speak HTTPS does not do so as it should, and which of its wishes have no effect."""
    spec, chain = cast("Site", document.spec), usable(document, certificate)
    idle = "; ".join(_idle(document, certificate))
    vain = (Reason(NO_EFFECT, idle),) if idle else ()
    if chain and is_trusted(values):
        return (*ended(chain, now, f"see the certificate {document.name}"), *vain)
    if not (spec.ssl_enabled or spec.letsencrypt_enabled):
        return vain
    why = _unserved(spec, chain)
    return (Reason(why.code, f"{why.message}; {idle}" if idle else why.message),)


def _unserved(spec: Site, chain: Chain | None) -> Reason:
    """Why visitors are shown no certificate that somebody trusts."""
    if chain:
        words = "there is a certificate, but HTTPS is not switched on: set ssl_enabled"
        return Reason("HttpsOff", words)
    how = "over HTTPS with one that nobody trusts" if spec.ssl_enabled else "not over HTTPS (see ssl_enabled)"
    return Reason("NoCertificate", f"there is no certificate: the site is served over HTTP, and {how}")


def _idle(document: Document, certificate: Document | None) -> Iterator[str]:
    """Which wishes have no effect, each with why."""
    spec = cast("Site", document.spec)
    if not spec.ssl_enabled:
        for name in ("ssl_force", "ssl_hsts"):
            if getattr(spec, name):
                yield f"{name} has no effect without ssl_enabled"
    if spec.letsencrypt_wildcard and not spec.letsencrypt_enabled:
        yield "letsencrypt_wildcard has no effect without letsencrypt_enabled"
    if spec.letsencrypt_enabled and certificate is not None and _is_given(certificate):
        remedy = "set acme_provider there" + ("" if OF in certificate.kept else ", or delete it")
        yield f"letsencrypt_enabled has no effect while the certificate {certificate.name} is one's own: {remedy}"


def _is_given(certificate: Document) -> bool:
    """Whether it is one's own, which no authority is asked for."""
    return getattr(certificate.spec, "acme_provider", None) is None


def secured(document: Document, values: Words, certificate: Document | None) -> Reason | None:
    """That it does, and which of its wishes have no effect all the same."""
    if not is_trusted(values):
        return None
    served = f"it is served with the certificate {values['domain']}"
    return Reason("Certificate", "; ".join((served, *_idle(document, certificate))))


def is_trusted(values: Words) -> bool:
    """Whether the server that these values make shows a certificate that somebody trusts."""
    return values["certificate"] not in (None, PLACEHOLDER[0])
