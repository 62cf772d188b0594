"""The authorities that certificates are had from (RFC 8555): those everybody knows, and the operator's own."""

import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from state.errors import Unreadable
from state.files.yaml_source import Source, sources

_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]
_BASE64 = re.compile(r"(?:[A-Za-z0-9_+/-]{4})*[A-Za-z0-9_+/-]{2,4}={0,2}")


def _decodable(hmac: str) -> str:
    if not _BASE64.fullmatch(hmac):
        raise ValueError("it is no base64url: copy it just as the authority shows it")
    return hmac


class Authority(BaseModel):
    """Where an authority's directory is; who we are there, where it wants to know (`kid` and `hmac`, RFC 8555, section
    7.3.4); and a file with the certificates that its own is vouched for by, where nobody else knows these."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    directory: Annotated[str, Field(pattern=r"^https://[^\s]+$", max_length=512)]
    kid: str | None = None
    hmac: Annotated[str, AfterValidator(_decodable)] | None = Field(None, repr=False)
    roots: Path | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        if bool(self.kid) != bool(self.hmac):
            lacking, there = ("hmac", "kid") if self.kid else ("kid", "hmac")
            raise ValueError(f"there is {there} without {lacking}: give both, or none")
        return self


KNOWN: Mapping[str, Authority] = {
    "letsencrypt": Authority(directory="https://acme-v02.api.letsencrypt.org/directory"),
    "zerossl": Authority(directory="https://acme.zerossl.com/v2/DV90"),
    "buypass": Authority(directory="https://api.buypass.com/acme/directory"),
}
_NAME: TypeAdapter[str] = TypeAdapter(_Name)
_NOTHING = Source(1)


@dataclass(frozen=True, slots=True)
class Authorities:
    """Those that can be used, by name and by the URL of their directory; what is wrong with others, by name, which is
    for operators."""

    usable: Mapping[str, Authority]
    faults: Mapping[str, str]


def authorities(path: Path | None) -> Authorities:
    """Every authority; a file (YAML) adds to those that are known, and overrides them.

    Raises Unreadable, whose message is for operators: it has the path.
    """
    whole = _read(path)
    told = _faults(whole)
    given = {name: told.get(name) or _judged(name, values) for name, values in (whole.value or {}).items()}
    faults = {name: found for name, found in given.items() if isinstance(found, str)}
    named = {name: each for name, each in {**KNOWN, **given}.items() if not isinstance(each, str)}
    return Authorities({**{each.directory: each for each in named.values()}, **named}, faults)


def names(known: Mapping[str, Authority]) -> list[str]:
    """What anybody may know of authorities: their names, and not where those of the house are."""
    return [name for name in known if not name.startswith("https://")]


def synonyms(path: Path | None, provider: str) -> tuple[str, ...]:
    """All that this authority is called, itself first; just that where it is not known, or the file cannot be used."""
    try:
        known = authorities(path).usable
    except Unreadable:
        return (provider,)
    mine = known.get(provider)
    others = (name for name, each in known.items() if mine and each.directory == mine.directory)
    return tuple(dict.fromkeys((provider, *others)))


def _read(path: Path | None) -> Source:
    """What a file has, by name, with what is wrong with some of them. Raises Unreadable for what concerns all."""
    if path is None:
        return _NOTHING
    try:
        found = list(sources(path.read_text("utf-8-sig")))
    except OSError as error:
        raise _unreadable(path, error.strerror or type(error).__name__) from None
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8") from None
    for fault in (fault for each in found for fault in each.faults if not fault.path):
        raise _unreadable(path, f"line {fault.line}: {fault.plain or fault.message}")
    if len(found) > 1:
        raise _unreadable(path, f"line {found[1].line}: another document begins: it has to be one")
    whole = found[0] if found else _NOTHING
    if not isinstance(whole.value, dict | None):
        raise _unreadable(path, "it does not map names to authorities")
    return whole


def _faults(whole: Source) -> dict[str, str]:
    """What cannot be read of authorities, by name, without anything that may be a secret."""
    told: dict[str, list[str]] = {}
    for fault in whole.faults:
        name, *below = fault.path
        place = "".join(f"{each}: " for each in below[:1] if each in Authority.model_fields)
        words = f"line {fault.line}: {place}{fault.plain or fault.message}"
        told.setdefault(str(name), []).append(words)
    return {name: "; ".join(each) for name, each in told.items()}


def _unreadable(path: Path, why: str) -> Unreadable:
    return Unreadable(f"{path} cannot be used: {why}")


def _judged(name: str, values: object) -> Authority | str:
    """The authority, or what is wrong with it."""
    try:
        _NAME.validate_python(name)
        found = Authority.model_validate(values)
    except ValidationError as error:
        return "; ".join(_words(each) for each in error.errors(include_url=False, include_input=False))
    return _roots_fault(found) or found


def _words(error: Mapping[str, Any]) -> str:
    place = ".".join(map(str, error["loc"]))
    said = str(error["msg"]).removeprefix("Value error, ")
    return f"{place}: {said}" if place else said


def _roots_fault(authority: Authority) -> str:
    if authority.roots is None or authority.roots.is_dir():
        return ""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(authority.roots)
    except ssl.SSLError:
        return f"roots: there is no certificate (PEM) in {authority.roots}"
    except OSError as error:
        return f"roots: {authority.roots} cannot be read: {error.strerror}"
    return ""
