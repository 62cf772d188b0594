"""DnsZone: a zone of the DNS with its records (RFC 1034, section 4.2), served by BIND on its host or by a provider."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from state.compiling import Compiled, Context, Reason, Related
from state.dns.authority import Start, mailbox
from state.dns.challenges import answering
from state.dns.external import at_provider, has_servers, missing, site_facts
from state.dns.names import place_of, target_name
from state.dns.serving import on_host
from state.dns.signing import KEYS, SIGNED, parting
from state.dns.transfer import copied
from state.dns.zone import LACKS, Entry, beside, of_template, of_values, sort_out
from state.document import Document, Ref
from state.fields import Template
from state.kind import LOCAL, Kind, Values
from state.names import Claim, host_name
from state.spec import Completed, Immutable, Spec
from state.words import Words

LONGEST = 200
TEMPLATES = "dns/zone"

Seconds = Annotated[int, Field(ge=60, le=2**31 - 1)]


class DnsZone(Spec):
    """Times are seconds. A template's records follow it; what one writes oneself takes their place."""

    primary_ns: Annotated[str, Completed()] = Field(
        max_length=1024, description="The name server that the zone is changed at."
    )
    admin_email: Annotated[str, Completed()] = Field(
        max_length=253,
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
        r"[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$",
        description="Whom to write to about the zone.",
    )
    refresh_interval: Seconds = Field(3600, description="How often secondaries ask for changes.")
    retry_interval: Seconds = Field(1800, description="How soon they ask again when that failed.")
    expire_interval: Seconds = Field(1209600, description="When they give the zone up.")
    minimum_ttl: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        3600, description="For how long it may be kept that something is not there (RFC 2308)."
    )
    dns_provider: Annotated[Template, Immutable()] = Field(
        LOCAL,
        description="Who serves it: `local` is BIND on the host, others are set up by operators. It cannot be changed.",
    )
    dnssec_enabled: bool = Field(
        False,
        description="Whether it is signed (RFC 9364). Switched off, it stays so until the zone above has no DS record "
        "for it any more.",
    )
    ds_ignored: bool = Field(
        False,
        description="Whether signatures go at once although there may be a DS record: it is then taken for forged.",
    )
    template: Template = Field("default", description="The records that it has besides those one writes.")
    is_active: bool = Field(True, description="Whether it is served.")


def zone_name(value: str) -> str:
    """A host name that leaves room for the names below it. Raises ValueError."""
    name = host_name(value)
    if len(name) > LONGEST:
        raise ValueError(f"is too long for a zone: {LONGEST} characters leave room for names in it")
    return name


def _complete(values: Values, name: str, _owner: str, _related: Related, previous: Spec | None) -> Values:
    named = _named(name)
    defaults = {"primary_ns": f"ns1.{named}", "admin_email": f"hostmaster@{named}"}
    if isinstance(previous, DnsZone):
        defaults |= {field: value for field, value in vars(previous).items() if field in defaults}
    return {**defaults, **{k: v for k, v in values.items() if v is not None or k not in defaults}}


def _named(name: str) -> str:
    """The zone's name; another one in the place of what is none, of which that alone is to be told."""
    try:
        return zone_name(name)
    except ValueError:
        return "example.com"


def _check(name: str, _owner: str, spec: Spec) -> list[tuple[str, str]]:
    assert isinstance(spec, DnsZone)
    try:
        target_name(spec.primary_ns, name)
    except ValueError as error:
        return [("primary_ns", str(error))]
    return []


def _compile(context: Context) -> Compiled:
    zone, spec = context.document.name, context.document.spec
    assert isinstance(spec, DnsZone)
    if not spec.is_active:
        return Compiled(notes=parting(context.document.kept))
    external = spec.dns_provider != LOCAL
    if external and not context.facts.record_types:
        return Compiled(blocked=(missing(spec.dns_provider),))
    if spec.template not in context.templates.names(TEMPLATES):
        there = ", ".join(context.templates.names(TEMPLATES))
        message = f"there is no {TEMPLATES} template {spec.template!r}; there are {there}"
        return Compiled(blocked=(Reason("TemplateMissing", message),))
    entries, wrong = served(context)
    if (context.facts.apex_servers or not external) and ("" in wrong or not has_servers(entries)):
        return Compiled(blocked=(wrong.get("") or _serverless(wrong),), left_out=wrong)
    all_ = answering(entries, context.plane.answers.get(context.document.uid, ()), wild=not external)
    if external:
        there = context.plane.taken.get(context.document.uid, "")
        return at_provider(zone, all_, wrong, context.facts, signed=spec.dnssec_enabled, taken=there)
    return on_host(context, start_of(zone, spec), all_, wrong, signed=spec.dnssec_enabled)


def served(context: Context) -> tuple[list[Entry], dict[str, Reason]]:
    """A zone's records, its template's with those one wrote, and why others are none of them: by uid, those of the
    template under an empty one.

    Raises what a bad template does.
    """
    zone, spec = context.document.name, context.document.spec
    assert isinstance(spec, DnsZone)
    written, wrong = _written(context.parts, zone)
    entries, unfit = sort_out(beside(written, _template(context, spec)), zone)
    if (bad := unfit.get("")) is not None:
        unfit[""] = replace(bad, message=f"its template {spec.template!r}: {bad.message}")
    return entries, wrong | unfit


def _lacks(context: Context) -> dict[str, Reason]:
    """Addresses of name servers within the zone, or any name server at all."""
    spec = context.document.spec
    assert isinstance(spec, DnsZone)
    if not spec.is_active or spec.dns_provider != LOCAL:
        return {}
    entries, wrong = served(context)
    found = {uid: reason for uid, reason in wrong.items() if reason.code in LACKS}
    if not found and not has_servers(entries):
        return {"": _NO_SERVER}
    return found


def _wild(context: Context) -> bool:
    """Whether its template has wildcards. Raises what a bad template does."""
    spec = context.document.spec
    assert isinstance(spec, DnsZone)
    return any(entry.name.startswith("*") for entry in _template(context, spec))


def _serverless(wrong: Mapping[str, Reason]) -> Reason:
    """Why a zone names no name server that can be found."""
    glue = next((each for each in wrong.values() if each.code == "GlueMissing"), None)
    return replace(_NO_SERVER, message=f"the zone has no name server: {glue.message}") if glue else _NO_SERVER


_NO_SERVER = Reason("NoNameServer", "the zone has no name server: add a record of type NS at @")


def _written(parts: tuple[Document, ...], zone: str) -> tuple[list[Entry], dict[str, Reason]]:
    """The records of documents as they are served, and what is wrong with the others, by uid."""
    entries, wrong = [], {}
    for part in parts:
        values = vars(part.spec)
        if not values.get("is_active", True):
            continue
        try:
            entries.append(of_values(values, zone, part.uid))
        except ValueError as error:
            wrong[part.uid] = Reason("Invalid", f"it is not served: {error}")
    return entries, wrong


def _template(context: Context, spec: DnsZone) -> list[Entry]:
    zone, facts = context.document.name, site_facts(context) if spec.dns_provider != LOCAL else context.facts
    primary = target_name(spec.primary_ns, zone)
    inside = primary.endswith(f".{zone}.") and context.facts.apex_servers
    values: dict[str, object] = {
        "zone": zone,
        "primary_ns": primary,
        "primary_inside": place_of(primary, zone) if inside else None,
        "ipv4": facts.ipv4,
        "ipv6": facts.ipv6,
    }
    text = context.templates.render(TEMPLATES, spec.template, Words(values))
    return of_template(text, zone, spec.minimum_ttl)


def start_of(zone: str, spec: DnsZone) -> Start:
    """The start of authority that a zone's settings mean."""
    return Start(
        target_name(spec.primary_ns, zone),
        mailbox(spec.admin_email),
        spec.refresh_interval,
        spec.retry_interval,
        spec.expire_interval,
        spec.minimum_ttl,
    )


DNS_ZONE = Kind(
    name="DnsZone",
    plural="dns",
    key="zones",
    topic="dns.zone",
    schema=DnsZone,
    name_field="domain",
    check_name=zone_name,
    rank=2,
    compile=_compile,
    references=lambda document: (Ref("User", document.owner),),
    claims=lambda document: (Claim("zones", document.name),),
    complete=_complete,
    check=_check,
    limit="dns_domains_limit",
    counter="dns_domains_count",
    search=("domain",),
    host_field="domain",
    measured={"serial": 0},
    remembered={"provider_zone_id": str, SIGNED: list, KEYS: list},
    provider_field="dns_provider",
    lacks=_lacks,
    wild=_wild,
    parting=lambda document: parting(document.kept),
    copied=copied,
    naming={
        "type": "string",
        "format": "idn-hostname",
        "maxLength": LONGEST,
        "description": "A host name (IDNA 2008), shown as its A-label; no public suffix. It cannot be changed.",
    },
    examples={
        "create": {
            "domain": "newdomain.com",
            "primary_ns": "ns1.ghostcp.com",
            "admin_email": "admin@newdomain.com",
            "dns_provider": "cloudflare",
            "dnssec_enabled": True,
            "template": "default",
        },
        "change": {"minimum_ttl": 900, "template": "mail"},
    },
)
