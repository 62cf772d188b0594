"""What a zone is on its host: its file, its statement, the key that it is signed with, and the one that secondaries,
if there are any, get it with."""

from collections.abc import Mapping, Sequence

from state.compiling import Compiled, Context, Reason
from state.dns.authority import Start
from state.dns.keys import KEY as SIGNING_KEY
from state.dns.keys import ZoneKey, file_stem, public_files
from state.dns.serial import ahead, later
from state.dns.signing import OUT, key_now, leaves, mark, remembered, told, warning
from state.dns.transfer import CHECKSUM, KEY, MANAGED, given_to, in_parts, key_name, statement, with_key
from state.dns.zone import Entry, publish
from state.document import Document
from state.resource import PRIVATE, Resource, Secret, config, private_config, served, signing

LIVE, PLACE = "/etc/ghostcp/live/named", "/var/lib/bind/ghostcp"
KEYS = "dnssec"
"""The folder of keys that zones are signed with, among what is private. Each key has a folder of its own below that of
its zone: named takes every key that it finds in one, and there may be some of another zone that had the name."""


def on_host(
    context: Context, start: Start, entries: Sequence[Entry], wrong: Mapping[str, Reason], *, signed: bool
) -> Compiled:
    """The zone of the context; `wrong` is why other records (by uid) are not in it, `signed` that this is wanted."""
    document = context.document
    zone, known = document.name, document.kept
    key = key_now(signed, known)
    if signed and (key is None or document.sealed is None):
        return Compiled(waiting=(_NO_KEY,), left_out=wrong)
    out = later(int(known.get(OUT) or 0), context.plane.out.get(document.uid, 0))
    published = publish(zone, start, entries, {**known, OUT: out}, context.plane.day, mark(key))
    still = out if out and ahead(out, published.serial) else None
    lines = _signing(zone, key, leaving=leaves(signed, known)) if key else ()
    first = {"serial": published.serial, "body": published.body, OUT: still}
    return Compiled(
        (*_signed(document, key), *_served(context, published.text, lines)),
        notes=(warning(known),) if leaves(signed, known) else (),
        secured=told(key),
        keep={**first, **remembered(zone, key, known, wanted=signed)},
        ahead=first,
        left_out=wrong,
    )


_NO_KEY = Reason("KeyPending", "a key is made for it")


def _signed(document: Document, key: ZoneKey | None) -> tuple[Resource, ...]:
    """The key of a zone that is signed, and the place where that is done."""
    if key is None or document.sealed is None:
        return ()
    zone = document.name
    stem = f"{KEYS}/{zone}/{key.tag}/{file_stem(zone, key)}"
    files = public_files(zone, key).items()
    public = (config("named", f"{PRIVATE}/{stem}.{ending}", text) for ending, text in files)
    secret = Secret(document.sealed, SIGNING_KEY)
    hidden = private_config("named", f"{stem}.private", secret, key.checksum, group="bind")
    return (signing(zone, f"{LIVE}/{zone}.zone"), *public, hidden)


def _served(context: Context, text: str, signed: tuple[str, ...]) -> tuple[Resource, ...]:
    """The zone's file, its statement, and the key that it is handed on with; `signed` are the lines of one that is."""
    zone = context.document.name
    file, lines = config("named", f"{zone}.zone", text), signed or _plain(zone)
    needed = (f"signing:{zone}",) if signed else ()
    handing, addresses = _key(context), _addresses(context)
    if handing is None or not addresses:
        options = f"{MANAGED}\n{statement(zone, lines)}"
        return _with_proof(zone, file, config("named", f"{zone}.conf", options, requires=needed))
    lines = (*lines, *(() if signed else in_parts(zone)), *given_to(zone, addresses))
    options = f"{MANAGED}\n{with_key(zone)}\n{statement(zone, lines)}"
    needed = (*needed, handing.key)
    return _with_proof(zone, file, handing, config("named", f"{zone}.conf", options, requires=needed))


def _with_proof(zone: str, *configs: Resource) -> tuple[Resource, ...]:
    """All that is configured, and that the zone is really served."""
    return (*configs, served(zone, requires=(configs[0].key, configs[-1].key)))


def _plain(zone: str) -> tuple[str, ...]:
    return ("type primary;", f'file "{LIVE}/{zone}.zone";')


def _signing(zone: str, key: ZoneKey, *, leaving: bool) -> tuple[str, ...]:
    """As a zone that named signs, beside a link to its file; it has journals anyway."""
    policy = "ghostcp-leaving" if leaving else "ghostcp"
    keys = f'key-directory "{LIVE}/{PRIVATE}/{KEYS}/{zone}/{key.tag}";'
    return ("type primary;", f'file "{PLACE}/{zone}.zone";', keys, f'dnssec-policy "{policy}";')


def _addresses(context: Context) -> list[str]:
    """Where the secondaries are that are to have the zone, as far as that is known."""
    known = (context.plane.addresses.get(host, "") for host in context.plane.secondaries)
    return [address for address in known if address]


def _key(context: Context) -> Resource | None:
    document = context.document
    if not document.sealed or CHECKSUM not in document.kept:
        return None
    secret, checksum = Secret(document.sealed, KEY), str(document.kept[CHECKSUM])
    return private_config("named", key_name(document.name), secret, checksum, group="bind")
