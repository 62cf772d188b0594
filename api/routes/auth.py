"""Logging in and out, and who one is."""

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy import Connection

from api import auth
from api.access import Access
from api.door import Call, Reply, Route
from api.openapi import answer, json_body
from api.views import document_view, etag, time
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
    address = call.request.client.host if call.request.client else ""
    call.house.throttle.attempt(address, asked.username)
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


_LOGIN = {"requestBody": json_body(Login.model_json_schema()), "security": [], "tags": ["auth"]}
_TAG = {"tags": ["auth"]}

ROUTES = (
    Route(
        "POST",
        "/auth/login",
        "Get a token for a password",
        reads=_log_in,
        access=Access.PUBLIC,
        docs=_LOGIN | answer(200, "A token, until when it is good, and whose it is"),
    ),
    Route("GET", "/auth/me", "Who one is", reads=_me, docs=_TAG | answer(200, "The user")),
    Route("POST", "/auth/logout", "Give the token up", writes=_log_out, docs=_TAG | answer(204, "Done")),
)
