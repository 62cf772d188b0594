"""Logging in and out, going on, and who one is."""

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api import bearer, journal, proving
from api.access import public, signed_in
from api.auth import Principal, in_order, revoke
from api.call import Call, Deed, Reply
from api.collection import understand
from api.door import Route
from api.fields import LONGEST, OWNERS
from api.kept_answers import refuse_key
from api.openapi.describe import Answer, Body, Docs
from api.openapi.kinds import TAG, object_shape
from api.openapi.parameters import write_parameters
from api.options import refuse_options
from api.performing import perform
from api.rates import Rate
from api.session import CODE, answered, field, issued
from api.views import document_view, etag, time
from api.visit import visit_of
from state.access.second_factors import Factor
from state.access.secrets import kept_verifier
from state.document import Document
from state.errors import Forbidden, GhostError, Unauthenticated
from state.reading import get
from state.shown import show


class Login(BaseModel):
    """What one logs in with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str = Field(max_length=64, description="The login name.")
    password: str = Field(max_length=LONGEST, description="The password.")
    two_factor_code: str | None = CODE


def _log_in(call: Call) -> Reply:
    refuse_options(call.request)
    asked = understand(Login, call.object())
    familiar = proving.is_familiar(call, asked.username)
    call.house.rates.by_account(visit_of(call.request), asked.username, familiar=familiar)
    try:
        with proving.counted(call, asked.username):
            known = proving.know(call, asked.username, asked.password)
            with call.house.database.writing() as connection:
                return _begun(call, connection, known, asked.two_factor_code)
    except GhostError as error:
        journal.unproved(call, asked.username, error)
        raise


def _begun(call: Call, connection: Connection, known: proving.Known, code: str | None) -> Reply:
    """A new session of who has proved everything. That a user is suspended is told to nobody else."""
    user = proving.still(connection, known)
    factor = proving.second(call, connection, user.uid, code)
    if not in_order(user.spec):
        raise Forbidden(f"{user.name!r} is suspended: ask your provider", code="account_suspended")
    token = bearer.issue(call.house.settings.var, user.uid, known.since, call.house.clock())
    called = replace(call, principal=Principal(user.uid, user.name, field(user, "role"), token=token.id))
    called.did(_session(user.name, token, factor))
    journal.done(connection, called)
    return issued(token, user)


def _refresh(call: Call) -> Reply:
    refuse_key(call)
    who = call.principal

    def work(connection: Connection) -> Reply:
        if not revoke(connection, who, call.house.clock()):
            raise bearer.refused()
        user, since = _oneself(connection, who)
        token = bearer.issue(call.house.settings.var, who.uid, since, call.house.clock(), who.began)
        call.did(replace(_session(who.name, token), before={"token": who.token}))
        return issued(token, user)

    return perform(call, work)


def _log_out(call: Call) -> Reply:
    refuse_key(call)
    who = call.principal

    def work(connection: Connection) -> Reply:
        revoke(connection, who, call.house.clock())
        call.did(Deed("session", who.token, owner=who.name, before={"token": who.token}))
        return Reply(204)

    return perform(call, work)


def _me(call: Call, connection: Connection) -> Reply:
    shown = show(connection, call.principal.uid)
    if shown is None:
        raise Unauthenticated("the user is gone")
    content = document_view(shown)
    return Reply(content=content, headers={"ETag": etag(shown.generation, content)})


def _oneself(connection: Connection, who: Principal) -> tuple[Document, Any]:
    """The principal's document, and since when its password is the one it has. Raises Unauthenticated."""
    user, (_, since) = get(connection, who.uid), kept_verifier(connection, who.uid)
    if user.deleted or since is None:
        raise bearer.refused()
    return user, since


def _session(owner: str, token: bearer.Token, factor: Factor | None = None) -> Deed:
    by = {"second_factor": factor.value} if factor else {}
    after = {"token": token.id, "expires_at": time(token.expires_at), **by}
    return Deed("session", token.id, owner=owner, after=after)


_LOGIN = {"username": "admin", "password": "password", "two_factor_code": "123456"}
ROUTES = (
    Route(
        "POST",
        "/auth/login",
        "Get a token for a password",
        public(),
        Docs(
            "auth",
            (answered("A token, until when it is good, and whose it is."),),
            body=Body(Login.model_json_schema(), {"example": _LOGIN}),
            errors=(401, 403),
            operation_id="logIn",
        ),
        writes=_log_in,
        rate=Rate.AUTHENTICATION,
    ),
    Route(
        "POST",
        "/auth/refresh",
        "Get a token for one that is still good, which ends; a session lasts a week at most",
        signed_in(),
        Docs(
            "auth",
            (answered("The token to go on with."),),
            write_parameters(),
            operation_id="refreshToken",
        ),
        writes=_refresh,
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
        Docs(
            "auth",
            (Answer(204, "It is worthless now."),),
            write_parameters(),
            operation_id="logOut",
        ),
        writes=_log_out,
    ),
)
