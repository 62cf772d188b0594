"""API tokens: what programs come in with, each narrower than its user and known by a name."""

from collections.abc import Collection as Names
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict
from pydantic import Field as Accepted
from sqlalchemy import Connection, Row, select

from api.access import check_token_change
from api.call import Call
from api.collection import Collection, Rows, Writing, routes
from api.door import Route
from api.openapi.shapes import API_TOKEN, NEW_API_TOKEN
from api.views import token_view
from api.visibility import visible_tokens
from state.access import api_tokens
from state.access.api_tokens import Wish
from state.access.tables import api_tokens as table
from state.errors import Fault, Invalid
from state.listing import Field, Listing
from state.tables import documents

EXAMPLE = {
    "name": "deployment",
    "scopes": ["domains:read", "domains:write"],
    "expires_at": "2099-12-31T00:00:00Z",
    "addresses": ["192.0.2.0/24", "2001:db8::/32"],
}
MOST = 100


def token_routes(others: Iterable[Route]) -> tuple[Route, ...]:
    """The doors to API tokens, whose scopes are those that the other doors ask for. No token opens them."""
    scopes = sorted({route.rule.scope for route in others if route.rule.scope})
    return routes(_collection(_accepted(scopes)))


def _accepted(known: Names[str]) -> type[BaseModel]:
    """What one may ask for, where these scopes are known."""

    def of_known(value: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(value).difference(known))
        if unknown:
            raise ValueError(f"there is no {', '.join(unknown)}; there are {', '.join(known)}")
        return tuple(sorted(set(value)))

    class TokenWish(BaseModel):
        """An API token as one may ask for it."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        name: str = Accepted(
            max_length=64,
            pattern=r"^[^\x00-\x1f\x7f-\x9f]+$",
            description="What one knows it by; each of a user's has another.",
        )
        scopes: Annotated[tuple[str, ...], AfterValidator(of_known)] = Accepted(
            min_length=1,
            max_length=MOST,
            description="What it is good for, as far as its user may do it.",
            json_schema_extra={"items": {"type": "string", "enum": list(known)}},
        )
        addresses: Annotated[tuple[str, ...], AfterValidator(_networks)] = Accepted(
            (),
            max_length=MOST,
            description="The addresses and networks (CIDR) that it is good from; none is everywhere.",
            json_schema_extra={"items": {"type": "string", "pattern": r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$"}},
        )
        expires_at: Annotated[datetime | None, BeforeValidator(_instant)] = Accepted(
            None, description="Until when it is good (RFC 3339); null is for ever."
        )

    return TokenWish


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(str(ip_network(each)) for each in value))
    except ValueError as error:
        raise ValueError(f"is no list of addresses and networks: {error}") from None


def _instant(value: object) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    try:
        parsed = datetime.fromisoformat(value) if isinstance(value, str) else None
        if parsed is not None and parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("must be an RFC 3339 time, such as 2099-12-31T00:00:00Z")


_OWNERS = documents.alias("owners")
_QUERY = select(table, _OWNERS.c.name.label("owner")).join_from(table, _OWNERS, table.c.uid == _OWNERS.c.uid)
LISTING = Listing(
    {
        "id": Field(table.c.id, UUID),
        "user_id": Field(table.c.uid, UUID),
        "name": Field(table.c.name, str),
        "expires_at": Field(table.c.expires_at, datetime, nullable=True),
        "last_used_at": Field(table.c.last_used_at, datetime, nullable=True),
        "last_used_address": Field(table.c.last_used_address, str, nullable=True),
        "created_at": Field(table.c.created_at, datetime),
        "updated_at": Field(table.c.updated_at, datetime),
    },
    search=("name",),
)


def _current(row: Row[Any]) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in ("name", "scopes", "addresses", "expires_at")}


def _create(call: Call, connection: Connection, asked: Any) -> tuple[str, Mapping[str, Any]]:
    made, text = api_tokens.add(connection, call.principal.uid, _wish(call, asked), call.house.clock())
    return made, {"token": text}


def _change(call: Call, connection: Connection, row: Row[Any], asked: Any) -> None:
    check_token_change(call.principal, row.uid)
    wish = _wish(call, asked, row.expires_at)
    api_tokens.alter(connection, row.id, row.uid, wish, call.house.clock())


def _wish(call: Call, asked: Any, old: datetime | None = None) -> Wish:
    """What was asked for. Raises Invalid for an end that is over, unless it was so before."""
    if asked.expires_at is not None and asked.expires_at != old and asked.expires_at <= call.house.clock():
        raise Invalid([Fault("expires_at", "must be in the future")])
    return Wish(asked.name, asked.scopes, asked.addresses, asked.expires_at)


def _remove(_: Call, connection: Connection, row: Row[Any]) -> None:
    api_tokens.remove(connection, row.id)


def _views(_: Call, __: Connection, rows: Rows) -> list[dict[str, Any]]:
    return [token_view(row) for row in rows]


def _collection(accepted: type[BaseModel]) -> Collection:
    return Collection(
        "/tokens",
        "tokens",
        "token",
        "",
        _QUERY,
        table,
        LISTING,
        lambda call, _: visible_tokens(call.principal),
        _views,
        API_TOKEN,
        writing=Writing(accepted, _current, _create, _change, _remove, EXAMPLE, once=NEW_API_TOKEN),
        whose=lambda row: str(row.owner),
        observed=frozenset({"last_used_at", "last_used_address"}),
    )
