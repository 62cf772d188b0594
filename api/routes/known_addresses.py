"""Opening the way in for a user who never came from where they are, while others guess at the password."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from api.access import signed_in
from api.address import counted, normal
from api.call import Call, Deed, Reply
from api.collection import understand
from api.door import Route
from api.openapi.describe import Answer, Body, Docs
from api.openapi.parameters import path_parameters, write_parameters
from api.openapi.schemas import TEXT, TIME, shape, told
from api.performing import perform
from api.places import identifier
from api.views import time
from api.writes import visible_document
from state.access.attempts import vouch
from state.kinds.user import USER


def _address(value: str) -> str:
    if not (address := normal(value)):
        raise ValueError("must be an IPv4 or IPv6 address, such as 198.51.100.7")
    return address


class VouchedAddress(BaseModel):
    """Where a user will log in from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[str, AfterValidator(_address)] = Field(
        max_length=45,
        description="The IPv4 or IPv6 address that the user comes from.",
        json_schema_extra={"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
    )


def _vouch(call: Call) -> Reply:
    uid, asked = identifier(USER, call), understand(VouchedAddress, call.object())
    network = counted(asked.address)

    def work(connection: Connection) -> Reply:
        user = visible_document(connection, call.principal, USER, uid)
        until = time(vouch(connection, user.name, network, call.house.clock()))
        view = {"address": network, "known_until": until}
        call.did(Deed("known address", user.uid, user.name, user.owner, after=view))
        return Reply(200, view)

    return perform(call, work)


_VIEW = shape(
    "KnownAddress",
    {
        "address": told(TEXT, "The address; of IPv6 the network of 64 bits that it is in."),
        "known_until": told(TIME, "Until when it is known, unless the user logs in from there meanwhile."),
    },
)
_EXAMPLE = {"address": "198.51.100.7", "known_until": "2099-12-31T00:00:00Z"}
ROUTES = (
    Route(
        "POST",
        "/users/{id}/known-addresses",
        "Let a user log in from an address, whatever failed elsewhere",
        signed_in("users:write"),
        Docs(
            "users",
            (Answer(200, "It is known from now on.", _VIEW, _EXAMPLE),),
            (*path_parameters("/{id}"), *write_parameters(creating=True)),
            Body(VouchedAddress.model_json_schema(), {"by address": {"address": "198.51.100.7"}}),
            description="Failures elsewhere make nobody wait there; failures there still do.",
            errors=(409,),
            operation_id="addKnownAddress",
        ),
        writes=_vouch,
    ),
)
