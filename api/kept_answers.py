"""Answers kept for repeated requests: with the same ``Idempotency-Key`` a POST is done once, and answered as before.

After the IETF draft "The Idempotency-Key HTTP Header Field"; kept for a day, sealed since some show a secret once.
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, delete, insert, select

from api.call import Call, Reply
from state.access.tables import kept_answers
from state.claims import lock
from state.errors import Conflict, Fault, Invalid
from state.keys import keyring
from state.vault import seal_json, unseal_json

KEPT = timedelta(hours=24)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


def recall(connection: Connection, call: Call) -> Reply | None:
    """The answer to the same request before. Raises Conflict when the key came with another one, Invalid."""
    key = key_of(call)
    if key is None:
        return None
    lock(connection, f"key/{call.principal.uid}/{key}")
    connection.execute(delete(kept_answers).where(kept_answers.c.created_at < datetime.now(UTC) - KEPT))
    mine = (kept_answers.c.uid == call.principal.uid) & (kept_answers.c.key == key)
    row = connection.execute(select(kept_answers).where(mine)).one_or_none()
    if row is None:
        return None
    if row.request != _digest(call):
        raise Conflict(
            "this Idempotency-Key came with another request before: use a new key",
            code="idempotency_key_reused",
        )
    answer = unseal_json(call.house.settings.var, row.answer)
    return Reply(row.status, answer["content"], {**answer["headers"], "Idempotency-Replayed": "true"})


def keep(connection: Connection, call: Call, reply: Reply) -> None:
    """Keeps the answer with the key that the request came with."""
    key = key_of(call)
    if key is None:
        return
    answer = {"content": reply.content, "headers": dict(reply.headers)}
    connection.execute(
        insert(kept_answers).values(
            uid=call.principal.uid,
            key=key,
            request=_digest(call),
            status=reply.status,
            answer=seal_json(call.house.settings.var, answer),
            created_at=datetime.now(UTC),
        )
    )


def key_of(call: Call) -> str | None:
    """The key that a POST came with. Raises Invalid when it can be none."""
    key = call.request.headers.get("idempotency-key")
    if key is None or call.request.method != "POST":
        return None
    if not _KEY.fullmatch(key):
        raise Invalid([Fault("Idempotency-Key", "must be 1 to 255 visible ASCII characters")])
    return key


def refuse_key(call: Call) -> None:
    """For what ends the token that it came with: a repetition could not prove whose it is. Raises Invalid."""
    if call.request.headers.get("idempotency-key") is not None:
        words = "is not taken here, since the token that came with it ends: log in again instead"
        raise Invalid([Fault("Idempotency-Key", words)])


def _digest(call: Call) -> str:
    """Of what was asked for: another body, path or query is another request. Keyed, since bodies hold passwords."""
    url, key = call.request.url, keyring(call.house.settings.var, "answers")[0]
    return hmac.new(
        key.encode(), f"{url.path}?{url.query}\n".encode() + call.content, hashlib.sha256
    ).hexdigest()
