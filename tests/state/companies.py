"""Hosting companies to state laws with: real documents of every kind, with whatever their texts may legally hold."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from reconciler.subject import group_parts
from state.certificates.chains import read_chain, read_key
from state.certificates.giving import kept
from state.compiling import Facts
from state.dns.keys import make_key
from state.document import Document, Ref
from state.kinds import KINDS
from state.names import host_name, user_name
from state.templates import TemplateSet, load_templates
from tests.state.vouching import Vouched, vouch

LAW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TARGET = "web1"
FACTS = Facts(
    hostname="web1.example",
    php=("8.3", "8.4"),
    nginx="1.26.3",
    ipv4=("192.0.2.10",),
    ipv6=("2001:db8::10",),
    shells=("/bin/sh", "/bin/bash"),
)
DAY = date(2026, 3, 1)
BURIED = datetime(2026, 3, 1, tzinfo=UTC)
NASTY = [
    "'; DROP TABLE users; --",
    "{{ 7*7 }}",
    "${PATH} $(id) `id`",
    "a\u05d0b",
    "} server { listen 81;",
    "-rf /",
]


@cache
def templates() -> TemplateSet:
    """The ones that are shipped."""
    return load_templates([Path(__file__).parents[2] / "playbooks/templates"])


def document(kind: str, name: str, owner: str = "admin", /, *, uid: str = "", **values: Any) -> Document:
    """A document as the store would hold it: completed without a package, and valid."""
    package = Document("", "Package", "default", "admin", "", KINDS["Package"].schema())
    known = {package.ref: package}
    completed = KINDS[kind].complete(values, name, owner, known.get, None)
    spec = KINDS[kind].schema.model_validate(completed)
    number = sum(map(ord, uid or name)) if KINDS[kind].numbered else None
    target = TARGET if KINDS[kind].placed else ""
    return Document(uid or f"{kind}/{name}", kind, name, owner, target, spec, number=number)


def user(name: str = "anna", *, uid: str = "", **values: Any) -> Document:
    return document("User", name, uid=uid, **{"email": f"{name}@example.com", **values})


def site(name: str = "example.com", owner: str = "anna", *, uid: str = "", **values: Any) -> Document:
    return document("WebDomain", name, owner, uid=uid, **values)


@cache
def _vouched(name: str) -> Vouched:
    return vouch(name, f"www.{name}", days=10**4)


def with_key(zone: Document) -> Document:
    """The zone with a key to be signed with."""
    return replace(zone, kept={**zone.kept, **_zone_key()}, sealed="sealed")


@cache
def _zone_key() -> dict[str, Any]:
    return make_key(datetime(2026, 3, 1, tzinfo=UTC))[0]


def with_material(certificate: Document, *names: str) -> Document:
    """The certificate as it is kept once there is one."""
    known = vouch(*names) if names else _vouched(certificate.name)
    chain = read_chain(known.chain)
    return replace(certificate, kept=kept(chain, read_key(known.key, chain)), sealed="sealed")


def part(whole: Document, word: str, /, **values: Any) -> Document:
    """A record of a zone."""
    made = document("DnsRecord", f"{word}.{whole.name}", whole.owner, **values)
    return replace(made, whole=whole.uid)


def buried(living: Document, *, confirmed: bool = True) -> Document:
    """Its tombstone."""
    return replace(living, deleted_at=BURIED, confirmed=confirmed)


@dataclass(frozen=True)
class Company:
    """The documents of one target and those that they refer to."""

    documents: tuple[Document, ...]

    @property
    def parts(self) -> dict[str, tuple[Document, ...]]:
        return group_parts(self.documents)

    @property
    def related(self) -> dict[Ref, Document]:
        return {d.ref: d for d in self.documents if not d.deleted}

    def having(self, *others: Document) -> "Company":
        """The company with these documents, in place of those with their uids."""
        known = {d.uid: d for d in (*self.documents, *others)}
        return Company(tuple(known.values()))


def company(*documents: Document) -> Company:
    """These documents, and the package that all users have."""
    return Company((document("Package", "default"), *documents))


def _printable(most: int) -> st.SearchStrategy[str]:
    unseen = "\u2028\u2029" + "".join(map(chr, range(0xE0000, 0xE1000)))
    characters = st.characters(exclude_categories=["C"], exclude_characters=unseen)
    return st.sampled_from(NASTY) | st.text(characters, max_size=most)


WORDS = _printable(200)
EMAILS = st.from_regex(r"[a-z0-9.!#$%&*+/=?^_{|}~-]{1,20}@[a-z0-9-]{1,20}\.[a-z]{2,6}", fullmatch=True)
LANGUAGES = st.from_regex(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", fullmatch=True)
TIMEZONES = st.sampled_from(
    ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia", "Etc/GMT+12", "Nowhere/Land"]
)
FREE = {
    "Package": {"description": WORDS},
    "User": {"full_name": WORDS, "email": EMAILS, "language": LANGUAGES, "timezone": TIMEZONES},
    "Certificate": {},
    "WebDomain": {},
    "DnsZone": {},
    "DnsRecord": {},
}
_COUNTS = st.integers(0, 2**53)
_LABEL = st.from_regex(r"[a-z0-9]([a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)


def _legal_user(name: str) -> bool:
    try:
        return user_name(name) == name
    except ValueError:
        return False


USER_NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,12}", fullmatch=True).filter(_legal_user)
HOST_NAMES = st.builds(
    lambda label, zone: host_name(f"{label}.{zone}"),
    _LABEL | st.sampled_from(["bücher", "例え"]),
    st.sampled_from(["example.com", "example.org", "test", "firma.example"]),
)


@st.composite
def _packages(draw: st.DrawFn, _owners: list[str]) -> dict[str, Any]:
    return {**_drawn(draw, "Package"), "disk_quota": draw(_COUNTS), "web_domains_limit": draw(_COUNTS)}


@st.composite
def _users(draw: st.DrawFn, _owners: list[str]) -> dict[str, Any]:
    return {
        **_drawn(draw, "User"),
        "role": draw(st.sampled_from(["user", "user", "reseller", "admin"])),
        "package_name": draw(st.sampled_from(["default", "default", "default", "missing"])),
        "shell": draw(st.sampled_from(["/usr/sbin/nologin", "/bin/bash", "/bin/false", "/bin/zsh"])),
        "is_suspended": draw(st.booleans()),
        "is_active": draw(st.booleans()),
    }


@st.composite
def _sites(draw: st.DrawFn, _owners: list[str]) -> dict[str, Any]:
    return {
        "web_template": draw(st.sampled_from(["default", "default", "default", "missing"])),
        "backend_template": draw(
            st.sampled_from([None, "none", "PHP-8.4", "PHP-8.3", "PHP-5.6", "Ruby-3.1"])
        ),
        "proxy_template": draw(st.sampled_from([None, None, "app-socket", "missing"])),
        "ip_address": draw(st.sampled_from([None, None, "192.0.2.10", "198.51.100.1"])),
        "ipv6_address": draw(st.sampled_from([None, None, "2001:db8::10"])),
        "aliases": draw(st.lists(HOST_NAMES.map(lambda name: f"www.{name}"), max_size=3)),
        "ssl_enabled": draw(st.booleans()),
        "is_active": draw(st.sampled_from([True, True, False])),
        "is_suspended": draw(st.booleans()),
    }


@st.composite
def _certificates(draw: st.DrawFn, _owners: list[str]) -> dict[str, Any]:
    return {
        "san_domains": draw(st.lists(HOST_NAMES, max_size=3)),
        "acme_provider": draw(st.sampled_from([None, "letsencrypt", "another"])),
        "acme_challenge_type": draw(st.sampled_from(["http01", "dns01"])),
        "auto_renew": draw(st.booleans()),
        "is_active": draw(st.sampled_from([True, True, False])),
    }


@st.composite
def _zones(draw: st.DrawFn, _owners: list[str]) -> dict[str, Any]:
    return {
        "template": draw(st.sampled_from(["default", "default", "mail", "none", "missing"])),
        "dns_provider": draw(st.sampled_from(["local", "local", "local", "elsewhere"])),
        "primary_ns": draw(st.sampled_from(["ns1", "ns.example.net", "ns.example.net."])),
        "dnssec_enabled": draw(st.booleans()),
        "ds_ignored": draw(st.booleans()),
        "is_active": draw(st.sampled_from([True, True, False])),
    }


RECORDS = {
    "A": st.ip_addresses(v=4).map(str),
    "AAAA": st.ip_addresses(v=6).map(str),
    "CNAME": st.sampled_from(["www", "elsewhere.example", "far.example.net."]),
    "MX": st.sampled_from(["mail", "mx.example.net", "."]),
    "TXT": st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=600),
    "NS": st.sampled_from(["ns", "ns1.example.net."]),
    "SRV": st.sampled_from(["5 5060 sip", "0 443 www.example.net."]),
    "CAA": st.sampled_from(['0 issue "ca.example"', '128 iodef "mailto:a@b.example"', '0 issue ";"']),
    "PTR": st.just("host.example.net."),
    "TLSA": st.just("3 1 1 " + "ab" * 32),
    "SSHFP": st.just("4 2 " + "cd" * 32),
    "NAPTR": st.just('100 10 "S" "SIP+D2U" "" _sip._udp.example.net.'),
    "HTTPS": st.sampled_from(["1 . alpn=h2,h3", "0 other.example.net."]),
    "SVCB": st.just("1 dns.example.net. alpn=dot port=853"),
}
_RECORD_NAMES = st.sampled_from(["@", "www", "mail", "ns", "*", "_dmarc", "a.b", "xn--bcher-kva"])


@st.composite
def _records(draw: st.DrawFn, _owners: list[str]) -> dict[str, Any]:
    kind = draw(st.sampled_from(list(RECORDS)))
    name = draw(_RECORD_NAMES.filter(lambda each: (each, kind) not in {("@", "CNAME"), ("*", "NS")}))
    return {
        "name": name,
        "record_type": kind,
        "value": draw(RECORDS[kind]),
        "ttl": draw(st.integers(0, 2**31 - 1)),
        "priority": draw(st.integers(0, 65535)) if kind in {"MX", "SRV"} else 0,
        "is_active": draw(st.sampled_from([True, True, False])),
    }


SPECS = {
    "Package": _packages,
    "User": _users,
    "Certificate": _certificates,
    "WebDomain": _sites,
    "DnsZone": _zones,
    "DnsRecord": _records,
}


def _drawn(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    return {name: draw(values) for name, values in FREE[kind].items()}


@st.composite
def specs(draw: st.DrawFn, known: Document) -> Document:
    """The document with another legal spec."""
    changed = document(known.kind, known.name, known.owner, uid=known.uid, **draw(SPECS[known.kind]([])))
    return replace(changed, number=known.number, generation=known.generation + 1, deleted_at=known.deleted_at)


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """A default package, some users, some sites of theirs or of nobody, and tombstones of some of these."""
    owners = draw(st.lists(USER_NAMES, min_size=1, max_size=3, unique=True))
    hosts = draw(st.lists(HOST_NAMES, max_size=4, unique=True))
    living = [document("Package", "default", **draw(_packages(owners)))]
    living += [document("User", name, **draw(_users(owners))) for name in owners]
    living += [
        document("WebDomain", name, draw(st.sampled_from([*owners, "nobody1"])), **draw(_sites(owners)))
        for name in hosts
    ]
    secured = draw(st.sets(st.sampled_from(hosts))) if hosts else set()
    living += [
        with_material(
            document("Certificate", name, draw(st.sampled_from(owners)), **draw(_certificates(owners)))
        )
        for name in sorted(secured)
    ]
    for name in draw(st.lists(HOST_NAMES, max_size=2, unique=True)):
        zone = document("DnsZone", name, draw(st.sampled_from(owners)), **draw(_zones(owners)))
        living.append(with_key(zone) if draw(st.booleans()) else zone)
        living += [
            part(living[-1], f"r{n}", **draw(_records(owners))) for n in range(draw(st.integers(0, 3)))
        ]
    numbered = [
        replace(d, number=n if KINDS[d.kind].numbered else None) for n, d in enumerate(living, start=1)
    ]
    placed = [d for d in numbered if KINDS[d.kind].placed]
    dead = draw(st.sets(st.sampled_from(placed).map(lambda d: d.uid), max_size=2))
    return Company(tuple(buried(d) if d.uid in dead else d for d in numbered))


def configs(resources: Iterable[Any]) -> dict[str, str | None]:
    """The texts of configurations by key."""
    return {r.key: r.content for r in resources if r.type == "config"}
