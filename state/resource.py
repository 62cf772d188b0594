"""The smallest things observed and changed on a target; desired and observed ones are values of the same types.

A resource's identity is its `key` (``type:name``), its state are its `attributes`: plain scalars, the same on
both sides of the wire, so that one digest and one comparison serve desired, observed and applied alike.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

Attributes = Mapping[str, Any]

SHOWN = "shown"
SERVED = "served"
LOOKED_AT = frozenset({SHOWN, SERVED})
"""Types of what follows from configurations and is nobody's thing: it is only looked at, whoever came before."""
RECORD_SET = "rrset"
"""The type of what zones at external providers are made of."""

_THUMBPRINT = "thumbprint.conf"
THUMBPRINT = f"config:nginx/{_THUMBPRINT}"
PLACEHOLDER = "placeholder:nginx"
HOSTS_OWN = (THUMBPRINT, PLACEHOLDER)
"""What is no document's, but for the daemons: it is presumed to be right where it was found so before."""
PRIVATE = "private"
"""The folder of a service's configuration whose files hold secrets."""

_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class Effect(StrEnum):
    """What a change of a resource makes its service do."""

    NONE = "none"
    RELOAD = "reload"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of a document: all of the document's, sealed, and the name of this one among them."""

    sealed: str
    name: str


class Resource(NamedTuple):
    """One thing on a target: what it is (`key`), how it should be (`attributes`), and what travels beside it.

    `digest` is that of the attributes; a resource is made by the functions below, which know it. There are very many.
    `content` is the text of a file or configuration; `attributes` then hold its SHA-256, never the text. A `secret`
    is revealed only while it is sent to its host.
    `requires` are keys that must exist first; `once` is made at most once and then belongs to the tenant;
    `data` is moved to quarantine when it is no longer wanted, never destroyed.
    """

    key: str
    attributes: Attributes
    digest: str
    content: str | None = None
    requires: tuple[str, ...] = ()
    service: str | None = None
    once: bool = False
    data: bool = False
    secret: Secret | None = None

    @property
    def type(self) -> str:
        return self.key.partition(":")[0]

    @property
    def name(self) -> str:
        return self.key.partition(":")[2]


def digest(attributes: Attributes) -> str:
    """The first 128 bits of the SHA-256 of the canonical JSON of `attributes`, in hex."""
    return hashlib.sha256(_canonical(attributes).encode()).hexdigest()[:32]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=10_000)
def _ownership(owner: str, group: str, mode: str) -> tuple[Attributes, str]:
    """A directory's attributes and their digest: the same for many."""
    attributes = {"owner": owner, "group": group, "mode": mode}
    return attributes, digest(attributes)


def _file(owner: str, group: str, mode: str, content: str) -> tuple[Attributes, str]:
    """A file's attributes and their digest, which is that of the canonical JSON, written out here."""
    known = sha256(content)
    attributes = {"owner": owner, "group": group, "mode": mode, "sha256": known}
    text = f'{{"group":{quoted(group)},"mode":{quoted(mode)},"owner":{quoted(owner)},"sha256":"{known}"}}'
    return attributes, hashlib.sha256(text.encode()).hexdigest()[:32]


def account(name: str, *, uid: int, comment: str, home: str, shell: str, locked: bool) -> Resource:
    """An OS account with a group of its own (gid = uid), no password, and its login open or `locked`.

    It is in no other group: one that is has an attribute `groups` where it is observed, which none has here.
    """
    attributes = {"uid": uid, "gid": uid, "comment": comment, "home": home, "shell": shell, "locked": locked}
    return Resource(f"account:{name}", attributes, digest(attributes))


def directory(
    path: str, *, owner: str, group: str, mode: str, requires: tuple[str, ...] = (), data: bool = False
) -> Resource:
    """A directory; `mode` is four octal digits. With `data`, removal means quarantine."""
    attributes, known = _ownership(owner, group, mode)
    return Resource(f"directory:{path}", attributes, known, requires=requires, data=data)


def seed(
    path: str, content: str, *, owner: str, group: str, mode: str, requires: tuple[str, ...] = ()
) -> Resource:
    """A file laid once into a new folder for its owner, who may then change or delete it: only that is ours."""
    attributes, known = _file(owner, group, mode, content)
    return Resource(f"file:{path}", attributes, known, content, requires, once=True)


def config(service: str, name: str, content: str, *, requires: tuple[str, ...] = ()) -> Resource:
    """A file of a service's configuration, judged by the service's validator before it is live.

    `name` is relative to the service's folder; the file is root's, mode 0644.
    """
    attributes, known = _file("root", "root", "0644", content)
    key = f"config:{service}/{name}"
    return Resource(key, attributes, known, content, requires, service)


def private_config(
    service: str,
    name: str,
    secret: Secret,
    checksum: str,
    *,
    group: str = "root",
    requires: tuple[str, ...] = (),
) -> Resource:
    """A file of a service's configuration that holds a secret, whose SHA-256 is `checksum`.

    It lies in the folder ``private`` of the service, where no text is ever read from. Only root may read it (mode
    0600), or root and a `group` (0640).
    """
    mode = "0600" if group == "root" else "0640"
    attributes = {"owner": "root", "group": group, "mode": mode, "sha256": checksum}
    key = f"config:{service}/{PRIVATE}/{name}"
    return Resource(key, attributes, digest(attributes), None, requires, service, secret=secret)


def signing(zone: str, source: str) -> Resource:
    """A place where the name server keeps the signed twin of a zone, beside a link to the zone's file, `source`."""
    attributes = {"source": source}
    return Resource(f"signing:{zone}", attributes, digest(attributes))


def thumbprint(text: str) -> Resource:
    """What all sites of a host answer authorities with beside the token (RFC 8555, section 8.1).

    It is one file, the host's own: sites are as they are, whatever control plane they have.
    """
    head = "# Managed by GhostCP: edits here are found and undone.\n"
    return config(
        "nginx", _THUMBPRINT, f'{head}map $uri $ghostcp_acme_thumbprint {{\n    default "{text}";\n}}\n'
    )


def placeholder() -> Resource:
    """The certificate that sites of a host show which have none yet, without which its web server does not start."""
    attributes = {"usable": True}
    return Resource(PLACEHOLDER, attributes, digest(attributes), service="nginx")


def shown(name: str, fingerprint: str, until: datetime, *, requires: tuple[str, ...] = ()) -> Resource:
    """The certificate that visitors of a host name are shown: SHA-256 of its DER, and when it ends."""
    end = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    attributes = {"sha256": fingerprint, "valid_until": end}
    return Resource(f"{SHOWN}:{name}", attributes, digest(attributes), requires=requires)


_CURRENT: tuple[Attributes, str] = ({"current": True}, digest({"current": True}))


def served(zone: str, *, requires: tuple[str, ...] = ()) -> Resource:
    """That the host's name server answers for a zone as the zone's live file says."""
    return Resource(f"{SERVED}:{zone}", *_CURRENT, requires=requires)


def record_set(zone: str, name: str, record_type: str, *, ttl: int, values: tuple[str, ...]) -> Resource:
    """All records of one name and type in a zone at an external provider (RFC 2181, section 5).

    `name` is relative to the zone, `values` are as zone files have them, `ttl` is in seconds.
    """
    attributes = {"ttl": ttl, "values": sorted(values)}
    return Resource(record_set_key(zone, name, record_type), attributes, digest(attributes))


def record_set_key(zone: str, name: str, record_type: str) -> str:
    """The key of the records of one name and type."""
    return f"{RECORD_SET}:{zone}/{name}/{record_type}"


def zone_copy(zone: str, primary: str, *, requires: tuple[str, ...] = ()) -> Resource:
    """That this host serves a zone just as the name server at the address `primary` does, with the same serial."""
    return Resource(f"copy:{zone}@{primary}", *_CURRENT, requires=requires)


def service(name: str) -> Resource:
    """A daemon that runs, and runs the configuration that is live."""
    attributes = {"active": True, "current": True}
    return Resource(f"service:{name}", attributes, digest(attributes), service=name)
