"""Logging in and out, and who one is."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection

from api import auth
from api.access import public, signed_in
from api.call import Call, Reply
from api.describe import Answer, Body, Docs
from api.door import Route
from api.fields import OWNERS
from api.kind_docs import TAG, object_shape
from api.rates import Rate
from api.schemas import IDENTIFIER, TEXT, TIME, one_of, shape
from api.views import document_view, etag, time
from api.visit import visit_of
from state.errors import Invalid, Unauthenticated
from state.shown import show
from state.validation import faults_of


class Login(BaseModel):
    """What one logs in with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str = Field(max_length=64)
    password: str = Field(max_length=1024)
    two_factor_code: str | None = Field(None, max_length=64)


def _log_in(call: Call, connection: Connection) -> Reply:
    try:
        asked = Login.model_validate(call.object())
    except ValidationError as error:
        raise Invalid(faults_of(error)) from None
    call.house.rates.by_account(visit_of(call.request), asked.username, familiar=False)
    token, user = auth.log_in(connection, call.house.settings.var, asked.username, asked.password)
    email, role = (getattr(user.spec, name) for name in ("email", "role"))
    shown = {"id": user.uid, "username": user.name, "email": email, "role": role}
    return Reply(content={"token": token.text, "expires_at": time(token.expires_at), "user": shown})


def _me(call: Call, connection: Connection) -> Reply:
    shown = show(connection, call.principal.uid)
    if shown is None:
        raise Unauthenticated("the user is gone")
    return Reply(content=document_view(shown), headers={"ETag": etag(shown.generation)})


def _log_out(call: Call) -> Reply:
    with call.house.database.writing() as connection:
        auth.revoke(connection, call.principal)
    return Reply(204)


_WHOSE = shape(
    "TokenUser",
    {"id": IDENTIFIER, "username": TEXT, "email": TEXT, "role": one_of("admin", "reseller", "user")},
)
_TOKEN = shape("Token", {"token": TEXT, "expires_at": TIME, "user": _WHOSE})
_EXAMPLES = {"as specified": {"username": "admin", "password": "password", "two_factor_code": "123456"}}
ROUTES = (
    Route(
        "POST",
        "/auth/login",
        "Get a token for a password",
        public(),
        Docs(
            "auth",
            (Answer(200, "A token, until when it is good, and whose it is.", _TOKEN),),
            body=Body(Login.model_json_schema(), _EXAMPLES),
            errors=(401, 403),
        ),
        reads=_log_in,
        rate=Rate.AUTHENTICATION,
    ),
    Route(
        "GET",
        "/auth/me",
        "Who one is",
        signed_in("users:read"),
        Docs("auth", (Answer(200, "The user.", object_shape(OWNERS), headers={"ETag": TAG}),)),
        reads=_me,
    ),
    Route(
        "POST",
        "/auth/logout",
        "Give the token up",
        signed_in(),
        Docs("auth", (Answer(204, "It is worthless now."),)),
        writes=_log_out,
    ),
)
