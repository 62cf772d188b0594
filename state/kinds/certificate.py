"""Certificate: a certificate for host names: had by ACME (RFC 8555) and renewed, or the tenant's own."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from state.certificates.chains import Chain, covers, known_chain
from state.certificates.ends import ended, ends_soon
from state.certificates.giving import FIELDS, KEY, take
from state.certificates.limits import OF_NAMES, is_about
from state.certificates.naming import MOST_NAMES, all_names, crowd
from state.certificates.sites import CHAINS, file_name
from state.certificates.zones import zone_of, zone_refs
from state.compiling import Compiled, Context, Reason, Related
from state.document import Document, Ref
from state.fields import Alias
from state.kind import Handing, Kind, Values
from state.names import Claim, alias_name, host_name
from state.resource import Secret, config, private_config
from state.spec import Completed, Spec

DNS = "dns01"


class Certificate(Spec):
    """A certificate for `domain` and `san_domains`. Without `acme_provider` it is one's own: give `certificate` and
    `private_key`."""

    san_domains: Annotated[tuple[Alias, ...], Completed()] = Field(
        max_length=MOST_NAMES,
        strict=False,
        description="The names that it is for besides its `domain`, which may be listed too; from an authority, "
        f"{MOST_NAMES} in all. When one's own is given without them, those that it is for.",
    )
    acme_provider: str | None = Field(
        "letsencrypt",
        max_length=512,
        pattern=r"^([a-z0-9][a-z0-9-]{0,63}|https://[!-~]+)$",
        description="The authority that it is had from: `letsencrypt`, `zerossl`, `buypass`, or one that the operator "
        "named, by its name or the URL of its directory; none for one's own certificate.",
    )
    acme_challenge_type: Literal["http01", "dns01"] = Field(
        "http01",
        description="How the authority is shown whose the names are: by the sites that have them, or by the zones that "
        "they are in; wildcards need `dns01`. By this, a name that is in no zone here is shown by its site.",
    )
    auto_renew: bool = Field(True, description="Whether it is renewed before it ends.")
    is_active: bool = Field(True, description="Whether it is on its host, and had from the authority.")
    is_wildcard: bool = Field(False, description="Whether it is for every name right below `domain` too.")

    @field_validator("san_domains")
    @classmethod
    def _canonical(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(alias_name(name) for name in value))


def names_of(document: Document) -> tuple[str, ...]:
    """All names that the certificate is to be for, its own first; that alone where somebody took the others away."""
    spec = document.spec
    assert isinstance(spec, Certificate)
    return all_names(document.name, vars(spec).get("san_domains", ()), below=spec.is_wildcard)


def asked_of(document: Document) -> tuple[str, str]:
    """The authority that is asked, and how it is shown whose the names are."""
    spec = document.spec
    assert isinstance(spec, Certificate)
    return str(spec.acme_provider), spec.acme_challenge_type


def is_to_be_had(document: Document) -> bool:
    """Whether an authority is asked for it at all."""
    spec = document.spec
    if not isinstance(spec, Certificate) or document.deleted or "san_domains" not in vars(spec):
        return False
    return spec.is_active and bool(spec.acme_provider)


def concerns(document: Document, failure: Mapping[str, Any]) -> bool:
    """Whether it is about what is asked for now: the authority, the way, and names that are still wanted; where names
    are counted, just these."""
    named, now = set(failure.get("names") or ()), set(names_of(document))
    same = named == now if failure.get("code") in OF_NAMES else named <= now
    return same and is_about(failure, asked_of(document))


def hosted(document: Document, name: str, related: Related) -> bool:
    """Whether a name of it is shown to be ours by a zone of the same owner here."""
    return asked_of(document)[1] == DNS and zone_of(name, document.owner, related) is not None


def unhosted(document: Document, related: Related) -> dict[str, str]:
    """The names that cannot be shown to be ours whatever sites there are, each with why: wildcards need a zone."""
    if not getattr(document.spec, "acme_provider", None):
        return {}
    wild = [name for name in names_of(document) if name.startswith("*.")]
    lacking = [name for name in wild if not hosted(document, name, related)]
    return dict.fromkeys(lacking, f"no zone of {document.owner} that is served here has this name")


def _references(document: Document) -> tuple[Ref, ...]:
    spec = document.spec
    by_dns = isinstance(spec, Certificate) and spec.acme_challenge_type == DNS
    return (Ref("User", document.owner), *(zone_refs(names_of(document)) if by_dns else ()))


def _complete(values: Values, name: str, _owner: str, _related: Related, previous: Spec | None) -> Values:
    kept = vars(previous).get("san_domains", (name,)) if isinstance(previous, Certificate) else (name,)
    if values.get("san_domains") is not None:
        return values
    return {**values, "san_domains": kept}


def _check(name: str, _owner: str, spec: Spec) -> list[tuple[str, str]]:
    assert isinstance(spec, Certificate)
    wild = spec.is_wildcard or any(each.startswith("*.") for each in spec.san_domains)
    if not spec.acme_provider:
        return []
    faults = []
    if wild and spec.acme_challenge_type != DNS:
        faults.append(("acme_challenge_type", f"names like *.{name} need {DNS}"))
    words = crowd(all_names(name, spec.san_domains, below=spec.is_wildcard))
    return [*faults, *([("san_domains", f"with its domain it is for {words}")] if words else [])]


def _compile(context: Context) -> Compiled:
    document, spec = context.document, context.document.spec
    assert isinstance(spec, Certificate)
    user = context.related(Ref("User", document.owner))
    if user is None or getattr(user.spec, "role", "") == "admin":
        message = f"{document.owner!r} has no account on a host: give the certificate to a user who has one"
        return Compiled(blocked=(Reason("OwnerHasNoAccount", message),))
    if not spec.is_active:
        return Compiled()
    lacking = unhosted(document, context.related)
    chain = known_chain(document.kept)
    uncovered = {name: why for name, why in lacking.items() if not (chain and covers(chain.names, name))}
    lasting = {name: why for name, why in lacking.items() if name not in uncovered}
    notes = (*_trouble(document, {**_uncovered(document, chain), **uncovered}), *_unrenewable(lasting))
    if chain is None or document.sealed is None:
        return _without(document, notes)
    name, checksum = file_name(document.name), document.kept["key_sha256"]
    resources = (
        config("nginx", f"{CHAINS}/{name}.crt", chain.pem),
        private_config("nginx", f"{name}.key", Secret(document.sealed, KEY), checksum),
    )
    told = f"{chain.issuer} vouches for {', '.join(chain.names)} until {chain.valid_until:%Y-%m-%d}"
    past, soon = _ending(spec, chain, context.plane.now)
    valid = None if past else Reason("Valid", told[:8000])
    return Compiled(resources, blocked=past, notes=(*past, *soon, *notes), secured=valid)


def _ending(spec: Certificate, chain: Chain, now: datetime | None) -> tuple[tuple[Reason, ...], ...]:
    """That it has ended; and that it ends soon, where nobody renews it."""
    renewed = spec.acme_provider and spec.auto_renew
    remedy = "it is asked for anew" if renewed else "ask for it to be renewed, or set auto_renew"
    if not spec.acme_provider:
        remedy = "give the next one (certificate and private_key)"
    return ended(chain, now, remedy), () if renewed else ends_soon(chain, now, remedy)


def _unrenewable(lacking: Mapping[str, str]) -> Iterator[Reason]:
    """That it is for names which the next one cannot be for, told when that can still be mended."""
    if lacking:
        names = "; ".join(f"{name}: {why}" for name, why in lacking.items())
        yield Reason("ZoneNotHosted", f"it cannot be renewed for {names}")


def _trouble(document: Document, lacking: Mapping[str, str]) -> tuple[Reason, ...]:
    """What went wrong when one was asked for last, and for which names there is none."""
    trouble, left_out = _failure(document), document.kept.get("left_out") or {}
    now = {n: e for n, e in left_out.items() if n in names_of(document) and is_about(e, asked_of(document))}
    told = {name: each["message"] for name, each in now.items()} | dict(lacking)
    names = "; ".join(f"{name}: {why}" for name, why in told.items())
    found = (
        [Reason(trouble["code"], f"{trouble['message']}; tried again at {trouble['retry_at']}")]
        if trouble
        else []
    )
    return (*found, *([Reason("NamesLeftOut", f"it is not for {names}")] if names else []))


def _failure(document: Document) -> Mapping[str, Any] | None:
    """Why there is none, or no newer one, as long as that is about what is asked for now."""
    trouble = document.kept.get("trouble")
    return trouble if trouble and concerns(document, trouble) else None


def _uncovered(document: Document, chain: Chain | None) -> dict[str, str]:
    """The names that one's own certificate is not for."""
    if chain is None or getattr(document.spec, "acme_provider", None):
        return {}
    lacking = [name for name in names_of(document) if not covers(chain.names, name)]
    return dict.fromkeys(lacking, "the one that was given is for other names")


def _without(document: Document, trouble: tuple[Reason, ...]) -> Compiled:
    """There is none yet: it is asked for, or the authority has refused it, or its owner has to do something."""
    spec = document.spec
    assert isinstance(spec, Certificate)
    if spec.acme_provider is None:
        message = "it is one's own and was not given yet: send certificate and private_key"
        return Compiled(blocked=(Reason("NotGiven", message),))
    if _failure(document):
        return Compiled(blocked=trouble[:1])
    return Compiled(waiting=(Reason("Issuing", f"{spec.acme_provider} is asked for it"),))


CERTIFICATE = Kind(
    name="Certificate",
    plural="ssl",
    key="certificates",
    topic="ssl.certificate",
    schema=Certificate,
    name_field="domain",
    check_name=host_name,
    rank=3,
    compile=_compile,
    references=_references,
    claims=lambda document: (Claim("certificates", document.name),),
    complete=_complete,
    check=_check,
    search=("domain",),
    host_field="domain",
    remembered={"issuer": str, "subject": str, "valid_from": datetime, "valid_until": datetime},
    handing=Handing(FIELDS, take),
    naming={
        "type": "string",
        "format": "idn-hostname",
        "maxLength": 253,
        "description": "The first name that it is for, shown as its A-label. It cannot be changed.",
    },
    examples={
        "create": {
            "domain": "newsite.com",
            "san_domains": ["newsite.com", "www.newsite.com"],
            "acme_provider": "letsencrypt",
            "acme_challenge_type": "dns01",
            "auto_renew": True,
            "is_wildcard": False,
        },
        "change": {"san_domains": ["newsite.com", "www.newsite.com", "shop.newsite.com"]},
    },
)
