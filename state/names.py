"""Names that tenants choose and everyone shares: what is a legal one, and who holds it."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

import idna
from publicsuffix2 import PublicSuffixList

ADMINISTRATOR = (
    "admin"  # who owns what belongs to no tenant: packages, and the users that administrators make
)
USER_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
TIMEZONE = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}")
PACKAGE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORDINARY = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")  # its own A-label: nothing to map, nothing to decode

_SYSTEM = """
    root daemon bin sys sync games man lp mail news uucp proxy www-data backup list irc gnats nobody
    _apt systemd-network systemd-resolve systemd-timesync systemd-coredump messagebus sshd ntp polkitd
    tss mysql postgres redis bind named postfix dovecot dovenull vmail opendkim rspamd _rspamd clamav
    memcache nginx apache httpd www ftp ftpuser proftpd vsftpd git adm sudo wheel docker ssl-cert shadow
    staff users nogroup operator admin administrator root-admin ghostcp default localhost tty disk kmem
    dialout fax voice cdrom floppy tape audio dip src utmp video sasl plugdev input sgx kvm render
    crontab ssh systemd-journal postdrop syslog debian-exim exim lxd libvirt uuidd quarantine hostmaster
    postmaster webmaster abuse support security test-admin
"""
SYSTEM_ACCOUNTS = frozenset(_SYSTEM.split())

_suffixes = PublicSuffixList()


HELD = ("hosts", "zones")
"""Where a name is held: by a site, or by a zone."""
CERTIFICATES = "certificates"
HOST_SPACES = (*HELD, CERTIFICATES)


@dataclass(frozen=True, slots=True)
class Claim:
    """A name held by one document for its owner: a login name in `accounts`, else a host name by its A-label.

    In each of the spaces of host names one document may have a name, in all that hold names one tenant. A certificate
    is for a name and holds none: it is for nobody's or one's own.
    """

    space: str
    name: str


def user_name(value: str) -> str:
    """A POSIX-portable login name (1-32, lower case, a letter first) that no system account uses.

    Raises ValueError saying what is wrong.
    """
    if not USER_NAME.fullmatch(value):
        raise ValueError("must be 1-32 of a-z, 0-9, '_' and '-', starting with a letter")
    if value in SYSTEM_ACCOUNTS:
        raise ValueError(f"{value!r} is reserved; choose another name")
    return value


@lru_cache(1024)
def host_name(value: str) -> str:
    """A domain name as its A-label, lower case (IDNA 2008, RFC 5891; UTS 46 mapping).

    Raises ValueError for what is no registrable host name: an address, a public suffix, a single label.
    """
    name = value if _ORDINARY.fullmatch(value) else _a_label(value)
    if name.endswith("."):
        raise ValueError("ends with a dot: write it without")
    labels = name.split(".")
    if len(name) > 253 or len(labels) < 2 or not all(labels) or labels[-1].isdigit():
        raise ValueError("is not a fully qualified domain name")
    if _public_suffix(name) == name:
        raise ValueError(f"{name!r} is a public suffix; a name below it is needed")
    return name


def _a_label(value: str) -> str:
    """The A-label of what may be any text. Raises ValueError."""
    if len(value) > 1024 or any(unicodedata.category(c)[0] == "C" or c.isspace() for c in value):
        raise ValueError("is not a domain name: control characters or spaces")
    try:
        name = idna.encode(value, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(f"is not a domain name: {str(error)[:100]}") from None
    for label in name.split("."):
        _single_script(label)
    return name


def with_u_labels(name: str) -> str:
    """A name as people read it: each A-label as its U-label, where it has one (RFC 5890, section 2.3.2.1)."""
    return ".".join(_u_label(label) for label in name.split(".")) if "xn--" in name else name


def with_a_labels(name: str) -> str:
    """The same name in the form that is stored, as far as it has one; what is no label stays as it is."""
    return name if name.isascii() else ".".join(map(_or_a_label, name.lower().split(".")))


def _u_label(label: str) -> str:
    try:
        return str(idna.decode(label))
    except (idna.IDNAError, UnicodeError):
        return label


def _or_a_label(label: str) -> str:
    try:
        return label if label.isascii() else idna.encode(label, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return label


def alias_name(value: str) -> str:
    """A host name, or ``*.`` and a host name (RFC 4592's wildcard, one label at the left)."""
    wildcard = value.startswith("*.")
    return ("*." if wildcard else "") + host_name(value[2:] if wildcard else value)


def registrable(name: str) -> str:
    """The registrable domain that `name` is below or equal to (Public Suffix List)."""
    plain = name.removeprefix("*.")
    suffix = _public_suffix(plain)
    below = plain.removesuffix(suffix).rstrip(".").rsplit(".", 1)[-1]
    return f"{below}.{suffix}" if below else suffix


def parents(name: str) -> Iterable[str]:
    """The names above `name`, nearest first, down to its registrable domain, and `name` without its ``*.``."""
    base = registrable(name)
    rest = name
    while rest != base and "." in rest:
        rest = rest.split(".", 1)[1]
        yield rest


def tag(name: str) -> str:
    """At most 32 of ``[a-z0-9_]``, readable and unique for `name`: what nginx allows as a syslog tag."""
    return f"{re.sub(r'[^a-z0-9]', '_', name)[:23]}_{sha256(name.encode()).hexdigest()[:8]}"


@lru_cache(1024)
def _public_suffix(name: str) -> str:
    """The public suffix that `name` ends in or is, by the list's rules and its default rule ``*``."""
    return str(_suffixes.get_tld(name) or name)


def _single_script(label: str) -> None:
    """Refuses a label that mixes scripts, the way look-alikes are made (UTS 39, single script)."""
    text = idna.decode(label) if label.startswith("xn--") else label
    scripts = {_script(c) for c in text if c.isalpha()}
    if len(scripts - _EAST_ASIAN) > 1 or (scripts & _EAST_ASIAN and scripts - _EAST_ASIAN - {"LATIN"}):
        raise ValueError(f"label {text!r} mixes scripts ({', '.join(sorted(scripts)).lower()})")


_EAST_ASIAN = frozenset({"CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL", "BOPOMOFO"})


def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split(" ", 1)[0]
