"""What one can do with a certificate beside changing it: have it renewed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil

from sqlalchemy import Connection

from api.access import signed_in
from api.call import Call, Deed, Reply
from api.door import Route
from api.errors import TooMany
from api.openapi.describe import Answer, Docs
from api.openapi.parameters import path_parameters, write_parameters
from api.openapi.shapes import JOB
from api.performing import perform
from api.places import identifier
from api.routes.jobs import JOBS
from api.writes import visible_document
from state.certificates.authorities import synonyms
from state.certificates.chains import irredundant
from state.certificates.jobs import ask_for_one, limits, past, under_way
from state.certificates.limits import bound, by_hand, left_alone
from state.claims import lock
from state.document import Document
from state.errors import Conflict, Fault, Invalid
from state.job_types import SSL_ISSUE, SSL_RENEW
from state.kinds.certificate import CERTIFICATE, Certificate, asked_of, names_of


def _renew(call: Call) -> Reply:
    if call.json() not in (None, {}):
        raise Invalid([Fault("", "it is renewed as it is: send no body")])
    uid = identifier(CERTIFICATE, call)

    def work(connection: Connection) -> Reply:
        document = visible_document(connection, call.principal, CERTIFICATE, uid)
        made = JOBS.find(call, connection, _asked(call, connection, document))
        view = JOBS.view(call, connection, made)
        call.did(Deed("job", made.id, made.job_type, made.owner, after=view))
        call.wake(document.target)
        headers = {"ETag": JOBS.tag(view), "Location": f"/api/v1/jobs/{made.id}"}
        return Reply(201, view, headers)

    return perform(call, work)


def _asked(call: Call, connection: Connection, document: Document) -> str:
    """The new job. Raises Conflict for one's own certificate, and when one is asked for already; TooMany as long as
    the authority wants to be left alone, or gave one just now."""
    spec = document.spec
    assert isinstance(spec, Certificate)
    if spec.acme_provider is None:
        words = "it is one's own: give another one, or an acme_provider"
        raise Conflict(words, code="not_from_an_authority")
    if not spec.is_active or not document.target:
        raise Conflict("it is not active, or on no host", code="not_active")
    lock(connection, f"certificate/{document.uid}")
    known = under_way(connection, document.target).get(document.uid)
    if known is not None:
        raise Conflict("the authority is being asked already", code="under_way", job=known)
    _check_patience(connection, document, synonyms(call.house.settings.authorities, spec.acme_provider))
    return ask_for_one(connection, document, SSL_RENEW if document.kept.get("pem") else SSL_ISSUE, asked=True)


def _check_patience(connection: Connection, document: Document, called: Sequence[str]) -> None:
    """`called` is all that the authority is called, as in the document first."""
    now, owner, left_out = datetime.now(UTC), document.owner, document.kept.get("left_out") or {}
    names = irredundant([name for name in names_of(document) if name not in left_out])
    enough = bound(past(connection, document, called, names, now), called[0], now)
    alone = left_alone(limits(connection, called, now), owner, now)
    waits = (by_hand(document.kept, now, asked_of(document)), alone, enough and enough.until)
    until = max((each for each in waits if each), default=None)
    if until is not None:
        seconds, shown = ceil((until - now).total_seconds()), f"{until:%Y-%m-%dT%H:%M:%SZ}"
        why = enough.message if enough else "one was had, or asked for in vain, just now"
        words = f"{why}: it may be asked for again at {shown}"
        raise TooMany(words, code="too_soon", retry_after=seconds)


_HEADERS = {"ETag": "The entity tag.", "Location": "Where the new job is."}
ROUTES = (
    Route(
        "POST",
        "/ssl/{id}/renew",
        "Have a certificate renewed now",
        signed_in("ssl:write"),
        Docs(
            "ssl",
            (Answer(201, "The job that does it.", JOB, headers=_HEADERS),),
            (*path_parameters("/{id}"), *write_parameters(creating=True)),
            operation_id="renewCertificate",
        ),
        writes=_renew,
    ),
)
