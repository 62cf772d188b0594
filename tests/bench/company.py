"""A hosting company of any size: the documents that benchmarks work on, and a quick way to store them.

Of ten sites one tenant owns ten; six run PHP, four are static. Every third site has an alias, one in fifty is
suspended.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, update

from state.claims import claim_row
from state.compiling import Facts
from state.document import Document, Ref
from state.kinds import KINDS
from state.tables import claims, documents, numbers, refs, revisions
from state.validation import dump

MIX = "10 sites a tenant unless said otherwise; 6 in 10 with PHP, the others static; 1 in 3 with an alias"
FACTS = Facts("host", ("8.4",), "1.26", ("192.0.2.10",), ("2001:db8::10",), ("/bin/sh", "/bin/bash"))
_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_KINDS = ("User", "WebDomain", "Package", "DnsZone", "DnsRecord", "Certificate")
_CHUNK = 5000
_FIRST = 1000


def tenants(sites: int, sites_each: int = 10) -> int:
    """How many tenants so many sites have."""
    return -(-sites // sites_each)


def company(sites: int, target: str, sites_each: int = 10) -> Iterator[Document]:
    """The users and then the sites, as they would be stored."""
    for number in range(1, tenants(sites, sites_each) + 1):
        values = {"email": f"tenant{number}@example.com", "shell": "/bin/bash", "web_domains_limit": 0}
        yield _document("User", f"tenant{number}", "admin", target, number, values, _FIRST + number)
    for index in range(sites):
        owner = f"tenant{index // sites_each + 1}"
        yield _document("WebDomain", f"site{index}.example", owner, target, index, _site(index, owner))


def zones(count: int, target: str) -> Iterator[Document]:
    """Their owner, and then zones of ten records each."""
    values = {"email": "tenant1@example.com", "shell": "/bin/bash", "dns_domains_limit": 0}
    yield _document("User", "tenant1", "admin", target, 1, values, _FIRST + 1)
    for index in range(count):
        name = f"zone{index}.example"
        values = {"primary_ns": f"ns1.{name}", "admin_email": f"hostmaster@{name}"}
        zone = _document("DnsZone", name, "tenant1", target, index, values)
        yield zone
        for number, (owner, record_type, priority, value) in enumerate(_records(index)):
            record = {"name": owner, "record_type": record_type, "value": value, "priority": priority}
            part = _document("DnsRecord", f"r{number}.{name}", "tenant1", target, index * 10 + number, record)
            yield replace(part, whole=zone.uid)


def secured(count: int, target: str) -> Iterator[Document]:
    """Their owner, and then sites over HTTPS, each with a certificate."""
    values = {"email": "tenant1@example.com", "shell": "/bin/bash", "web_domains_limit": 0}
    yield _document("User", "tenant1", "admin", target, 1, values, _FIRST + 1)
    for index in range(count):
        name = f"site{index}.example"
        wishes = {
            "letsencrypt_enabled": True,
            "ssl_enabled": True,
            "ssl_force": True,
            "backend_template": None,
        }
        site = {"document_root": f"/home/tenant1/web/{name}/public_html", **wishes}
        yield _document("WebDomain", name, "tenant1", target, index, site)
        yield _document("Certificate", name, "tenant1", target, index, {"san_domains": (name,)})


def _records(index: int) -> list[tuple[str, str, int, str]]:
    """Ten as a zone with mail has them: name, type, priority, value."""
    address = f"198.51.{index // 250 % 100}.{index % 250}"
    return [
        ("@", "A", 0, address),
        ("www", "A", 0, address),
        ("www", "AAAA", 0, f"2001:db8::{index:x}"),
        ("mail", "A", 0, address),
        ("@", "MX", 10, "mail"),
        ("@", "TXT", 0, f"v=spf1 ip4:{address} mx -all"),
        ("_dmarc", "TXT", 0, "v=DMARC1; p=reject"),
        ("ftp", "CNAME", 0, "www"),
        ("_imaps._tcp", "SRV", 5, "0 993 mail"),
        ("@", "CAA", 0, '0 issue "letsencrypt.org"'),
    ]


def _site(index: int, owner: str) -> dict[str, Any]:
    name = f"site{index}.example"
    return {
        "document_root": f"/home/{owner}/web/{name}/public_html",
        "backend_template": "PHP-8.4" if index % 10 < 6 else None,
        "aliases": (f"www.{name}",) if index % 3 == 0 else (),
        "is_suspended": index % 50 == 49,
    }


def _document(
    kind: str,
    name: str,
    owner: str,
    target: str,
    index: int,
    values: dict[str, Any],
    number: int | None = None,
) -> Document:
    """As it would be read: each has values of its own."""
    schema = KINDS[kind].schema
    spec = schema.stored(json.loads(json.dumps(dump(schema.model_construct(**values)))))
    return Document(
        uid=str(UUID(int=1 + _KINDS.index(kind) << 64 | index)),
        kind=kind,
        name=name,
        owner=owner,
        target=target,
        spec=spec,
        number=number,
        created_at=_EPOCH,
        updated_at=_EPOCH,
    )


def package() -> Document:
    """The package that the tenants have."""
    return _document("Package", "default", "admin", "", 0, {})


def by_ref(found: Iterable[Document]) -> dict[Ref, Document]:
    """What documents refer to, the package included."""
    return {document.ref: document for document in (*found, package())}


def store_all(connection: Connection, found: Iterable[Document]) -> int:
    """Stores documents as `state.store.create` would, many rows at a time; how many there were."""
    stored = last = 0
    for chunk in _batched(found, _CHUNK):
        _store(connection, chunk)
        stored += len(chunk)
        last = max(last, *(document.number or 0 for document in chunk))
    if last:
        connection.execute(update(numbers).where(numbers.c.kind == "User").values(last=last))
    return stored


def _batched(found: Iterable[Document], size: int) -> Iterator[tuple[Document, ...]]:
    rest = iter(found)
    while chunk := tuple(islice(rest, size)):
        yield chunk


def _store(connection: Connection, chunk: tuple[Document, ...]) -> None:
    plain = (
        "uid kind name owner target generation wanted number confirmed created_at updated_at deleted_at whole"
    )
    rows = [
        {name: getattr(d, name) for name in plain.split()} | {"spec": dump(d.spec), "pending": True}
        for d in chunk
    ]
    connection.execute(insert(documents), rows)
    history = [
        {"uid": row["uid"], "generation": 1, "spec": row["spec"], "actor": "bench", "at": row["updated_at"]}
        for row in rows
    ]
    connection.execute(insert(revisions), history)
    held = [(d, claim) for d in chunk for claim in KINDS[d.kind].claims(d)]
    taken = [claim_row(document, claim) for document, claim in held]
    if taken:
        connection.execute(insert(claims), taken)
    pairs = [(d.uid, ref) for d in chunk for ref in KINDS[d.kind].references(d)]
    if pairs:
        connection.execute(insert(refs), [{"uid": uid, "kind": r.kind, "name": r.name} for uid, r in pairs])
