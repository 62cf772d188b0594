"""A zone to be brought in, as one may ask for it: as the text of a zone file, or from the server that has it."""

from base64 import b64decode
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class TransferKey(BaseModel):
    """The key that a transfer is asked for with (RFC 8945). It is used once, and neither stored nor shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    name: str = Field(max_length=253, pattern=r"^[A-Za-z0-9_.-]+$", description="What both sides call it.")
    algorithm: Literal["hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"] = (
        "hmac-sha256"
    )
    secret: str = Field(
        min_length=4,
        max_length=1024,
        repr=False,
        description="Base64.",
        json_schema_extra={"writeOnly": True},
    )

    @field_validator("secret")
    @classmethod
    def _base64(cls, value: str) -> str:
        try:
            b64decode(value, validate=True)
        except ValueError:
            raise ValueError("is not Base64") from None
        return value


class ZoneWish(BaseModel):
    """Either `zone_file` or `server` says what is brought in."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)

    domain: str = Field(max_length=1024, description="The zone, which is made when it is not there.")
    zone_file: str = Field(
        "",
        min_length=1,
        description="A zone file (RFC 1035, section 5) without `$INCLUDE`, maybe with `$GENERATE`.",
    )
    server: str = Field(
        "",
        min_length=1,
        max_length=253,
        pattern=r"^[A-Za-z0-9_.:-]+$",
        description="A name server that hands the zone over (AXFR, RFC 5936): its name or a public address.",
    )
    port: int = Field(53, ge=1, le=65535, description="Its port: 53, or one from 1024.")
    tsig: TransferKey | None = Field(None, description="The key that it wants, if it does.")
    mode: Literal["merge", "replace"] = Field(
        "merge",
        description="`merge`: records that the zone has stay. `replace`: those that are not brought in go.",
    )
    allow_deletes: int = Field(
        0, ge=0, le=10**6, description="How many records `replace` is meant to delete, when there are many."
    )
    zone: dict[str, Any] = Field(
        default_factory=dict,
        max_length=100,
        description="Settings of the zone, which go before those of the SOA.",
    )
    user_id: str | None = Field(None, description="Whose a new zone is, for administrators and resellers.")
    host: str | None = Field(None, max_length=255, description="The host of a new zone, for administrators.")

    @model_validator(mode="after")
    def _one_source(self) -> "ZoneWish":
        if bool(self.zone_file) == bool(self.server):
            raise ValueError("say either zone_file or server")
        if not self.server and (self.tsig is not None or self.port != 53):
            raise ValueError("port and tsig belong to a server")
        if self.port not in {53, *range(1024, 65536)}:
            raise ValueError("the port is 53, or one from 1024")
        return self
