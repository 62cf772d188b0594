"""The second factor: set up with an authenticator, enabled by a code of it, disabled with password and code."""

import segno
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api import proving
from api.access import signed_in
from api.call import Call, Deed, Reply
from api.collection import understand
from api.door import Route
from api.fields import LONGEST
from api.openapi.describe import Answer, Body, Docs
from api.openapi.parameters import write_parameters
from api.openapi.schemas import TEXT, TRUTH, listed, shape, told
from api.performing import perform
from api.rates import Rate
from state.access import second_factors, totp
from state.errors import NotFound

ISSUER = "GhostCP"


class SetUp(BaseModel):
    """That it is oneself who asks."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    password: str = Field(max_length=LONGEST, description="The password.")


class Verify(BaseModel):
    """That the authenticator has the secret."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str = Field(max_length=64, description="What the authenticator shows now.")


class Disable(BaseModel):
    """Both factors; a recovery code will do."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    password: str = Field(max_length=LONGEST, description="The password.")
    code: str = Field(max_length=64, description="A code of the authenticator, or a recovery code.")


def _set_up(call: Call) -> Reply:
    asked = understand(SetUp, call.object())
    with proving.counted(call, call.principal.name):
        known = proving.know(call, call.principal.name, asked.password)

        def work(connection: Connection) -> Reply:
            user = proving.still(connection, known)
            secret = second_factors.set_up(connection, call.house.settings.var, user.uid, call.house.clock())
            _did(call, after="set up")
            uri = totp.otpauth(secret, user.name, ISSUER)
            content = {"secret": secret, "otpauth_url": uri, "qr_svg": _picture(uri)}
            return Reply(content=content)

        return perform(call, work)


def _verify(call: Call) -> Reply:
    asked, who, house = understand(Verify, call.object()), call.principal, call.house
    with proving.counted(call, who.name):

        def work(connection: Connection) -> Reply:
            codes = second_factors.enable(connection, house.settings.var, who.uid, asked.code, house.clock())
            if codes is None:
                raise proving.Unproved
            _did(call, before="set up", after="enabled")
            return Reply(content={"enabled": True, "recovery_codes": list(codes)})

        return perform(call, work)


def _disable(call: Call) -> Reply:
    asked = understand(Disable, call.object())
    with proving.counted(call, call.principal.name):
        known = proving.know(call, call.principal.name, asked.password)

        def work(connection: Connection) -> Reply:
            user = proving.still(connection, known)
            if proving.second(call, connection, user.uid, asked.code) is second_factors.Factor.NONE:
                raise NotFound("no second factor is enabled", resource="second factor")
            second_factors.remove(connection, user.uid)
            _did(call, before="enabled")
            return Reply(204)

        return perform(call, work)


def _did(call: Call, *, before: str = "", after: str = "") -> None:
    who = call.principal
    then, now = ({"state": each} if each else None for each in (before, after))
    call.did(Deed("second factor", who.uid, owner=who.name, before=then, after=now))


def _picture(uri: str) -> str:
    """A QR code (ISO/IEC 18004) as an SVG element."""
    return segno.make(uri, micro=False, error="m").svg_inline(scale=4)


_SECRET = shape(
    "SecondFactorSecret",
    {
        "secret": told(TEXT, "In base32; shown this once."),
        "otpauth_url": told(TEXT, "The same as authenticators read it (Key Uri Format)."),
        "qr_svg": told(TEXT, "That address as a QR code: an SVG element."),
    },
)
_CODES = shape(
    "RecoveryCodes",
    {
        "enabled": TRUTH,
        "recovery_codes": told(
            listed(TEXT), "Ten, each of which stands in for a code once; shown this once."
        ),
    },
)
_SECRET_EXAMPLE = {
    "secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "otpauth_url": "otpauth://totp/GhostCP:anna?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=GhostCP",
    "qr_svg": '<svg class="segno" …></svg>',
}
_CODES_EXAMPLE = {"enabled": True, "recovery_codes": ["mfrg-gzdf-mztw-q2lk", "nnwg-23to-n5yh-c4lr"]}


def _docs(name: str, answer: Answer, body: Body, *errors: int) -> Docs:
    return Docs("auth", (answer,), write_parameters(creating=True), body, errors=errors, operation_id=name)


ROUTES = (
    Route(
        "POST",
        "/auth/totp/setup",
        "Get a secret for an authenticator (RFC 6238), which counts once it is verified",
        signed_in(),
        _docs(
            "setUpSecondFactor",
            Answer(200, "The secret.", _SECRET, _SECRET_EXAMPLE),
            Body(SetUp.model_json_schema(), {"by password": {"password": "correct horse"}}),
        ),
        writes=_set_up,
        rate=Rate.AUTHENTICATION,
    ),
    Route(
        "POST",
        "/auth/totp/verify",
        "Enable the second factor by a code of the authenticator",
        signed_in(),
        _docs(
            "verifySecondFactor",
            Answer(200, "It is enabled; the recovery codes.", _CODES, _CODES_EXAMPLE),
            Body(Verify.model_json_schema(), {"by code": {"code": "123456"}}),
            404,
        ),
        writes=_verify,
        rate=Rate.AUTHENTICATION,
    ),
    Route(
        "POST",
        "/auth/totp/disable",
        "Disable the second factor",
        signed_in(),
        _docs(
            "disableSecondFactor",
            Answer(204, "The password is enough from now on."),
            Body(Disable.model_json_schema(), {"by both": {"password": "correct horse", "code": "123456"}}),
            404,
        ),
        writes=_disable,
        rate=Rate.AUTHENTICATION,
    ),
)
