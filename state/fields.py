"""Types of fields that several kinds have: numbers, names of templates, shells, addresses and other names."""

from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field, Strict, WithJsonSchema

Count = Annotated[int, Field(ge=0, le=2**53)]
Template = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Shell = Annotated[str, Field(max_length=128, pattern=r"^(/[A-Za-z0-9._-]+)+$")]


def _text(value: object) -> object:
    """Refuses a number, which would be taken for an address too."""
    if isinstance(value, str | IPv4Address | IPv6Address):
        return value
    raise ValueError("must be an address in quotes")


_Address = TypeVar("_Address")
_Written = Annotated[_Address, Strict(False), BeforeValidator(_text)]
Address4 = _Written[IPv4Address]
Address6 = _Written[IPv6Address]
Alias = Annotated[
    str,
    WithJsonSchema(
        {"type": "string", "format": "idn-hostname", "example": "www.example.com"}, mode="validation"
    ),
]
