"""One's own password, in place of the current one."""

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api import bearer, proving
from api.access import signed_in
from api.call import Call, Deed, Reply
from api.collection import understand
from api.door import Route
from api.fields import LONGEST, SHORTEST
from api.kept_answers import refuse_key
from api.openapi.describe import Body, Docs
from api.openapi.parameters import write_parameters
from api.performing import perform
from api.rates import Rate
from api.session import CODE, answered, issued
from state.access.secrets import keep_verifier, verifier
from state.errors import Fault, Invalid
from state.journal.audit import MASKED

_CHANGE = {"current_password": "correct horse", "new_password": "battery staple", "two_factor_code": "123456"}


class NewPassword(BaseModel):
    """A password in place of the current one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    current_password: str = Field(max_length=LONGEST, description="The password that one has.")
    new_password: str = Field(
        min_length=SHORTEST, max_length=LONGEST, description="The one to have; another one than the current."
    )
    two_factor_code: str | None = CODE


def _change_password(call: Call) -> Reply:
    refuse_key(call)
    asked = understand(NewPassword, call.object())
    if asked.new_password == asked.current_password:
        raise Invalid([Fault("new_password", "must be another one than the current")])
    with proving.counted(call, call.principal.name):
        known = proving.know(call, call.principal.name, asked.current_password)
        made = verifier(asked.new_password)

        def work(connection: Connection) -> Reply:
            user = proving.still(connection, known)
            proving.second(call, connection, user.uid, asked.two_factor_code)
            since = keep_verifier(connection, user.uid, made)
            token = bearer.issue(call.house.settings.var, user.uid, since, call.house.clock())
            call.did(
                Deed("User", user.uid, user.name, user.owner, {"password": MASKED}, {"password": MASKED})
            )
            return issued(token, user)

        return perform(call, work)


ROUTES = (
    Route(
        "POST",
        "/auth/password",
        "Change one's password; every other token of one's own ends, API tokens too",
        signed_in(),
        Docs(
            "auth",
            (answered("The token to go on with."),),
            write_parameters(),
            Body(NewPassword.model_json_schema(), {"with a second factor": _CHANGE}),
            operation_id="changePassword",
        ),
        writes=_change_password,
        rate=Rate.AUTHENTICATION,
    ),
)
