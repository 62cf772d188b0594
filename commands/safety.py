"""What of a configuration is unsafe or will not work: from facts to findings, one rule after the other; pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, parse_qs, urlsplit

from commands.facts import Facts, Role
from state.settings import Settings

_SKEW = timedelta(seconds=60)
_SHORTEST_PASSWORD = 12
_FAR = 10
_METADATA = tuple(map(ip_network, ("127.0.0.0/8", "::1/128", "169.254.0.0/16", "fe80::/10")))
_LOCAL = frozenset({"", "localhost"})
Network = IPv4Network | IPv6Network


class Severity(Enum):
    """How bad it is; the first two end the check with status 1."""

    UNSAFE = "unsafe"
    BROKEN = "broken"
    ADVICE = "advice"


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with what, and what to do."""

    severity: Severity
    subject: str
    message: str
    remedy: str


Rule = Callable[[Facts], Iterator[Finding]]


def examine(facts: Facts) -> tuple[Finding, ...]:
    """Everything that is wrong, the worst first."""
    order = list(Severity)
    found = [finding for rule in RULES for finding in rule(facts)]
    return tuple(sorted(found, key=lambda finding: (order.index(finding.severity), finding.subject)))


def is_safe(findings: Sequence[Finding]) -> bool:
    return all(finding.severity is Severity.ADVICE for finding in findings)


def _files(facts: Facts) -> Iterator[Finding]:
    for file in facts.files:
        if file.owner not in {0, facts.uid}:
            yield _unsafe(
                file.path, f"belongs to another user ({file.owner})", f"chown {facts.uid} {file.path}"
            )
        if file.mode & 0o022:
            yield _unsafe(file.path, "others may write it", f"chmod go-w {file.path}")
        elif file.role is Role.SECRET and file.mode & 0o077:
            yield _unsafe(file.path, "others may read it", f"chmod 600 {file.path}, and rotate what is in it")
        elif file.role is Role.FOLDER and file.mode & 0o077:
            yield _advice(file.path, "others may look into it", f"chmod 700 {file.path}")


def _database(facts: Facts) -> Iterator[Finding]:
    url, store = facts.settings.database, facts.store
    parts = urlsplit(url)
    if store.fault:
        yield _broken("GHOSTCP_DATABASE_URL", store.fault, "see that it runs and that the URL is right")
    elif store.behind:
        yield _broken("database", "its schema is older than the program", "run 'ghostcp migrate'")
    elif not store.administrator:
        yield _broken("database", "there is no administrator", "run 'ghostcp admin'")
    if parts.password:
        remedy = "keep it in a password file (PGPASSFILE) of mode 0600"
        yield _advice("GHOSTCP_DATABASE_URL", "the password stands in the environment", remedy)
    tls = {"require", "verify-ca", "verify-full"} & set(parse_qs(parts.query).get("sslmode", ()))
    if _is_far(_server(parts)) and not tls:
        remedy = "add ?sslmode=verify-full to the URL"
        yield _unsafe("GHOSTCP_DATABASE_URL", "the database is asked over the network without TLS", remedy)
    if url.startswith("sqlite"):
        yield from _sqlite(facts)


def _sqlite(facts: Facts) -> Iterator[Finding]:
    others = sorted(facts.store.machines - {facts.machine})
    remedy = "use PostgreSQL: set GHOSTCP_DATABASE_URL"
    if others:
        yield _broken("database", f"SQLite is used from several machines ({', '.join(others)})", remedy)
    if facts.settings.broker_url:
        yield _broken("GHOSTCP_BROKER_URL", "workers on other machines cannot share SQLite", remedy)


def _clocks(facts: Facts) -> Iterator[Finding]:
    latest = facts.store.latest
    if latest is not None and latest - facts.now > _SKEW:
        ahead = f"{(latest - facts.now).total_seconds():.0f} s"
        yield _broken(
            "clock", f"something was recorded {ahead} ahead of this clock", "synchronise all clocks (NTP)"
        )


def _listening(facts: Facts) -> Iterator[Finding]:
    host = facts.settings.listen.rpartition(":")[0].strip("[]")
    if not _is_far(host):
        return
    if not facts.settings.trusted_proxies:
        remedy = "listen on 127.0.0.1 behind a proxy with TLS, and name that in GHOSTCP_TRUSTED_PROXIES"
        yield _unsafe("GHOSTCP_LISTEN", f"{host} is reached without TLS: passwords travel in clear", remedy)
    else:
        remedy = "see that only the proxy gets there (firewall)"
        yield _advice("GHOSTCP_LISTEN", f"{host} can be reached past the proxy", remedy)


def _networks(facts: Facts) -> Iterator[Finding]:
    chosen = facts.settings
    for network in _wide(chosen.trusted_proxies):
        message = f"{network} is nearly everybody: anybody chooses the address that is counted and logged"
        yield _unsafe("GHOSTCP_TRUSTED_PROXIES", message, "name the addresses of your proxies")
    for network in _wide(chosen.metrics_networks):
        yield _unsafe(
            "GHOSTCP_METRICS_NETWORKS", f"{network} lets nearly everybody read metrics", "name your scrapers"
        )
    for network in chosen.webhook_networks:
        if any(_meet(network, each) for each in _METADATA):
            message = f"webhooks may call {network}: this machine itself, or its provider's metadata"
            yield _unsafe("GHOSTCP_WEBHOOK_NETWORKS", message, "name only the networks of receivers")
        else:
            message = f"webhooks may call the private network {network}"
            yield _advice("GHOSTCP_WEBHOOK_NETWORKS", message, "see that nothing there trusts who calls")


def _origins(facts: Facts) -> Iterator[Finding]:
    for origin in facts.settings.cors_origins:
        parts = urlsplit(origin)
        if origin == "*":
            yield _unsafe(
                "GHOSTCP_CORS_ORIGINS", "every page on the web may ask the API", "name your origins"
            )
        elif not parts.hostname or f"{parts.scheme}://{parts.netloc}" != origin:
            remedy = "write it like https://panel.example"
            yield _broken("GHOSTCP_CORS_ORIGINS", f"{origin!r} is no origin and never matches", remedy)
        elif parts.scheme != "https" and _is_far(parts.hostname):
            message = f"a page from {origin} can be changed on its way"
            yield _unsafe("GHOSTCP_CORS_ORIGINS", message, "serve it with TLS")


def _peers(facts: Facts) -> Iterator[Finding]:
    for name, url in (("BROKER_URL", facts.settings.broker_url), ("REDIS_URL", facts.settings.redis_url)):
        parts = urlsplit(url or "")
        if not url or not _is_far(parts.hostname):
            continue
        if not parts.password:
            yield _unsafe(
                f"GHOSTCP_{name}", "it is on another machine and asks for no password", "set a password there"
            )
        if parts.scheme not in {"rediss", "valkeys", "amqps"}:
            yield _advice(f"GHOSTCP_{name}", "it is asked over the network without TLS", "use rediss://")


def _password(facts: Facts) -> Iterator[Finding]:
    if facts.password is None:
        return
    if facts.password < _SHORTEST_PASSWORD:
        message = f"the administrator's password has fewer than {_SHORTEST_PASSWORD} characters"
        yield _unsafe(
            "GHOSTCP_ADMIN_PASSWORD", message, "choose a longer one, or leave it out: one is made up"
        )
    else:
        message = "the administrator's password stands in the environment"
        yield _advice("GHOSTCP_ADMIN_PASSWORD", message, "set it once with 'ghostcp admin', then unset it")


def _authorities(facts: Facts) -> Iterator[Finding]:
    for fault in facts.authority_faults:
        remedy = "correct it: a name has directory (https), kid and hmac if the authority gave them, roots"
        yield _broken("GHOSTCP_AUTHORITIES", fault, remedy)


def _worker(facts: Facts) -> Iterator[Finding]:
    if facts.inventory_fault:
        yield _broken("GHOSTCP_INVENTORY", facts.inventory_fault, "see 'ansible-inventory --list'")
    elif facts.settings.inventory is None:
        yield _advice(
            "GHOSTCP_INVENTORY", "it is not set: no worker can start here", "name an Ansible inventory"
        )
    if facts.uid == 0:
        yield _advice("user", "this runs as root, which nothing of it needs", "run it as a user of its own")


def _rates(facts: Facts) -> Iterator[Finding]:
    chosen, usual = facts.settings.rate_authentication, Settings.model_fields["rate_authentication"].default
    if chosen > _FAR * usual:
        message = f"{chosen} tries a minute to log in are allowed, where {usual} are usual: passwords can be guessed"
        yield _advice("GHOSTCP_RATE_AUTHENTICATION", message, "leave it out, or set what people need")


RULES: tuple[Rule, ...] = (
    *(_files, _database, _clocks, _listening, _networks),
    *(_origins, _peers, _password, _rates, _authorities, _worker),
)


def _is_far(host: str | None) -> bool:
    """Whether a host is, or may be, another machine: all that is not surely this one."""
    if not host or host in _LOCAL:
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True


def _server(parts: SplitResult) -> str:
    """The machine that a database URL leads to; empty for a socket of this one."""
    host = parts.hostname or "".join(parse_qs(parts.query).get("host", [])[-1:])
    return "" if host.startswith("/") else host


def _wide(networks: Sequence[Network]) -> list[Network]:
    return [each for each in networks if each.prefixlen < (8 if each.version == 4 else 16)]


def _meet(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _unsafe(subject: str, message: str, remedy: str) -> Finding:
    return Finding(Severity.UNSAFE, subject, message, remedy)


def _broken(subject: str, message: str, remedy: str) -> Finding:
    return Finding(Severity.BROKEN, subject, message, remedy)


def _advice(subject: str, message: str, remedy: str) -> Finding:
    return Finding(Severity.ADVICE, subject, message, remedy)
