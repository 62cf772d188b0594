"""How a zone gets from its host to others: signed with a key of its own (TSIG, RFC 8945), in parts where that is less
(IXFR, RFC 1995), and as soon as it changes (NOTIFY, RFC 1996)."""

from collections.abc import Iterable

from state.kind import LOCAL
from state.spec import Spec

KEY = "transfer"
"""The name of the key among a zone's secrets."""
CHECKSUM = "transfer_sha256"
"""Under which name the SHA-256 of the key's file is remembered with a zone."""

PRIVATE = "/etc/ghostcp/live/named/private"
JOURNALS, COPIES = "/var/cache/bind/journals", "/var/cache/bind/copies"
MANAGED = "// Managed by GhostCP: edits here are found and undone."


def copied(spec: Spec) -> bool:
    """Whether secondaries have a copy of such a zone: of one that its own host serves."""
    values = vars(spec)
    return bool(values["is_active"]) and values["dns_provider"] == LOCAL


def key_file(zone: str, secret: str) -> str:
    """The text of the file that has a zone's key; `secret` is 256 bits in base64."""
    return f'{MANAGED}\nkey "{_key(zone)}" {{\n    algorithm hmac-sha256;\n    secret "{secret}";\n}};\n'


def key_name(zone: str) -> str:
    """What the file of a zone's key is called."""
    return f"{zone}.key"


def given_to(zone: str, addresses: Iterable[str]) -> tuple[str, ...]:
    """What the zone's statement has in it where others at these addresses have a copy: they are told, and get it."""
    told = " ".join(f'{address} key "{_key(zone)}";' for address in addresses)
    return (
        f'allow-transfer {{ key "{_key(zone)}"; }};',
        "notify explicit;",
        "notify-delay 1;",
        f"also-notify {{ {told} }};",
    )


def in_parts(zone: str) -> tuple[str, ...]:
    """What it has in it so that it is also given as the differences between its last versions."""
    return (f'journal "{JOURNALS}/{zone}";', "ixfr-from-differences yes;")


def with_key(zone: str) -> str:
    """What stands before the statement."""
    return f'include "{PRIVATE}/{key_name(zone)}";'


def copy_statement(zone: str, primary: str) -> str:
    """The configuration of a copy that is had from the address `primary`.

    It asks by itself every five minutes, and every half a minute while nobody answers, whatever the zone has it do:
    a word that was lost is made good soon.
    """
    lines = (
        "type secondary;",
        f'file "{COPIES}/{zone}";',
        f'primaries {{ {primary} key "{_key(zone)}"; }};',
        f'allow-notify {{ key "{_key(zone)}"; }};',
        "min-refresh-time 60;",
        "max-refresh-time 300;",
        "min-retry-time 5;",
        "max-retry-time 30;",
    )
    return f"{MANAGED}\n{with_key(zone)}\n{statement(zone, lines)}"


def statement(zone: str, lines: Iterable[str]) -> str:
    """A zone's statement in the configuration of named."""
    inside = "".join(f"    {line}\n" for line in lines)
    return f'zone "{zone}" {{\n{inside}}};\n'


def _key(zone: str) -> str:
    return f"{KEY}.{zone}"
