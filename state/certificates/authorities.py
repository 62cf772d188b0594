"""The authorities that certificates are had from (RFC 8555): those everybody knows, and the operator's own."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from state.errors import Unreadable

_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=64)]


class Authority(BaseModel):
    """Where an authority's directory is; who we are there, where it wants to know (`kid` and `hmac`, RFC 8555, section
    7.3.4); and a file with the certificates that its own is vouched for by, where nobody else knows these."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    directory: Annotated[str, Field(pattern=r"^https://[^\s]+$", max_length=512)]
    kid: str | None = None
    hmac: str | None = Field(None, repr=False)
    roots: Path | None = None


KNOWN: Mapping[str, Authority] = {
    "letsencrypt": Authority(directory="https://acme-v02.api.letsencrypt.org/directory"),
    "zerossl": Authority(directory="https://acme.zerossl.com/v2/DV90"),
    "buypass": Authority(directory="https://api.buypass.com/acme/directory"),
}
_File = TypeAdapter(dict[_Name, Authority])


def authorities(path: Path | None) -> Mapping[str, Authority]:
    """Every authority by name, and by the URL of its directory; a file (YAML) adds to those that are known, and
    overrides them. Raises Unreadable."""
    named = {**KNOWN, **_named(path)}
    return {**{each.directory: each for each in named.values()}, **named}


def names(known: Mapping[str, Authority]) -> list[str]:
    """What anybody may know of authorities: their names, and not where those of the house are."""
    return [name for name in known if not name.startswith("https://")]


def synonyms(path: Path | None, provider: str) -> tuple[str, ...]:
    """All that this authority is called, itself first; just that where it is not known, or the file cannot be used."""
    try:
        known = authorities(path)
    except Unreadable:
        return (provider,)
    mine = known.get(provider)
    others = (name for name, each in known.items() if mine and each.directory == mine.directory)
    return tuple(dict.fromkeys((provider, *others)))


def _named(path: Path | None) -> Mapping[str, Authority]:
    if path is None:
        return {}
    try:
        return _File.validate_python(yaml.safe_load(path.read_text("utf-8")) or {})
    except (OSError, ValueError, yaml.YAMLError) as error:
        fields = (
            "; ".join(".".join(map(str, each["loc"])) for each in error.errors())
            if isinstance(error, ValidationError)
            else type(error).__name__
        )
        raise Unreadable(
            f"GHOSTCP_AUTHORITIES={path} cannot be used ({fields}): it maps names to directory, kid, hmac, roots"
        ) from None
