"""A session as it is told to who begins one or goes on: the token, until when it is good, and whose it is."""

from pydantic import Field

from api import bearer
from api.call import Reply
from api.openapi.describe import Answer
from api.openapi.schemas import IDENTIFIER, TEXT, TIME, one_of, shape, told
from api.views import time
from state.document import Document

CODE = Field(None, max_length=64, description="A code of the second factor, or a recovery code.")
_WHOSE = shape(
    "SessionUser",
    {"id": IDENTIFIER, "username": TEXT, "email": TEXT, "role": one_of("admin", "reseller", "user")},
)
_TOKEN = told(TEXT, "A JSON Web Token (HS256), to be sent as a bearer token.")
_SESSION = shape("Session", {"token": _TOKEN, "expires_at": TIME, "user": _WHOSE})
_EXAMPLE = {
    "token": "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9...",
    "expires_at": "2024-12-25T10:30:00Z",
    "user": {
        "id": "123e4567-e89b-12d3-a456-426614174000",
        "username": "admin",
        "email": "admin@example.com",
        "role": "admin",
    },
}


def issued(token: bearer.Token, user: Document) -> Reply:
    """The answer with the token."""
    shown = {
        "id": user.uid,
        "username": user.name,
        "email": field(user, "email"),
        "role": field(user, "role"),
    }
    content = {"token": token.text, "expires_at": time(token.expires_at), "user": shown}
    return Reply(content=content)


def field(user: Document, name: str) -> str:
    """A field of the user's spec as text; empty where it has none."""
    return str(getattr(user.spec, name, ""))


def answered(description: str) -> Answer:
    """What a door says that answers with a session."""
    return Answer(200, description, _SESSION, _EXAMPLE)
