"""What the OpenAPI document says of answers that refuse: one for each status, the same at every door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.openapi.describe import Schema
from api.openapi.schemas import TEXT, listed, shape


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that refuses: its name among the components, when it is given, and an example."""

    name: str
    description: str
    error: str
    code: str
    details: Mapping[str, Any] = field(default_factory=dict)
    headers: tuple[str, ...] = ()


_CODE: Schema = {"type": "string", "description": "For machines; it does not change with the wording."}
_REQUEST: Schema = {"type": "string", "description": "That of `X-Request-ID`: what to ask the operator by."}
_STATUS: Schema = {"type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status."}
_ERROR: Schema = {"type": "string", "description": "A sentence that says what to do."}
_MORE: Schema = {
    "type": "integer",
    "description": "How many faults there are beyond those told, if there are.",
}
_DETAILS: Schema = {
    "type": "object",
    "required": ["code"],
    "properties": {"code": _CODE, "request_id": _REQUEST},
    "additionalProperties": True,
}
FAULT = shape("Fault", {"field": TEXT, "message": TEXT}, "One thing wrong with one field (a dotted path).")
ERROR = shape("Error", {"error": _ERROR, "status": _STATUS, "details": _DETAILS})
INVALID = shape(
    "Invalid",
    {
        "error": _ERROR,
        "status": _STATUS,
        "details": {
            "type": "object",
            "required": ["code", "errors"],
            "properties": {
                "code": _CODE,
                "request_id": _REQUEST,
                "errors": listed(FAULT),
                "more_errors": _MORE,
            },
        },
    },
    "Well-formed but not valid: `details.errors` has every fault, not the first one; of more than a hundred the first.",
)
_FAULTS = [
    {"field": "username", "message": "must be 1-32 of a-z, 0-9, '_' and '-', starting with a letter"},
    {"field": "email", "message": "Field required"},
]
REFUSALS: Mapping[int, Refusal] = {
    400: Refusal("BadRequest", "The body is not JSON.", "the body is not valid JSON", "malformed"),
    401: Refusal(
        "Unauthorized",
        "Who asks is not proved: there is no token, or it is not accepted.",
        "send a bearer token from /api/v1/auth/login",
        "token_missing",
        headers=("WWW-Authenticate",),
    ),
    403: Refusal(
        "Forbidden",
        "The role, the token's scopes, or a limit of the package do not allow it.",
        "the limit of 5 domains is reached: ask for a larger package",
        "limit_reached",
    ),
    404: Refusal(
        "NotFound",
        "It is not there, or it is somebody else's: the two are not told apart.",
        "Resource not found",
        "not_found",
        {"resource": "user", "id": "nonexistent-id"},
    ),
    406: Refusal(
        "NotAcceptable", "There is no such form of it.", "ask for application/json", "not_acceptable"
    ),
    409: Refusal(
        "Conflict",
        "It exists already, its name is taken, it is in use, or it is not in a state to do this.",
        "'example.com' is taken: choose another name",
        "domain_taken",
    ),
    412: Refusal(
        "PreconditionFailed",
        "It has another entity tag than `If-Match` says: it was changed in between.",
        'its entity tag is "4" now: read it again',
        "stale",
    ),
    413: Refusal("ContentTooLarge", "The body is too large.", "the body may have 1048576 bytes", "too_large"),
    415: Refusal(
        "UnsupportedMediaType",
        "The body is not declared as JSON.",
        "send the body as application/json",
        "unsupported_media_type",
    ),
    422: Refusal(
        "Unprocessable",
        "Well-formed, but not valid.",
        "The request is not valid",
        "invalid",
        {"errors": _FAULTS},
    ),
    429: Refusal(
        "TooManyRequests",
        "Too many requests of this class in the last minute.",
        "too many requests: try again in 12 s",
        "too_many_requests",
        {"retry_after": 12},
        headers=("Retry-After",),
    ),
    500: Refusal(
        "InternalError",
        "A fault of ours; it is logged, and nothing of its inside is told.",
        "An error on our side; it was logged",
        "internal",
    ),
    502: Refusal(
        "BadGateway",
        "The name server that was asked did not hand the zone over.",
        "203.0.114.53 did not hand example.com over: Zone transfer error: REFUSED",
        "no_transfer",
    ),
    503: Refusal(
        "Unavailable",
        "The database is busy or away: try again.",
        "the database is busy: try again",
        "busy",
        headers=("Retry-After",),
    ),
    504: Refusal(
        "NoWorker",
        "No worker answered the dry run in time.",
        "no worker answered: start one with 'ghostcp worker'",
        "no_worker",
    ),
}


def example(status: int) -> dict[str, Any]:
    """The body of a refusal."""
    refusal = REFUSALS[status]
    return {"error": refusal.error, "status": status, "details": {"code": refusal.code, **refusal.details}}
