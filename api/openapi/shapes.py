"""How the objects of `api.views` look, as schemas: conditions, jobs, hosts, plans and documents as files have them."""

from api.openapi.describe import Schema
from api.openapi.schemas import (
    ANYTHING,
    COUNT,
    IDENTIFIER,
    NUMBER,
    TEXT,
    TIME,
    TRUTH,
    listed,
    nullable,
    one_of,
    shape,
    told,
)

CONDITION = shape(
    "Condition",
    {
        "type": told(TEXT, "`Ready`, `Blocked`, `Drifted`, `Secured` or `Copied`; there may be more later."),
        "status": TRUTH,
        "reason": told(TEXT, "A code for machines."),
        "message": TEXT,
        "observed_generation": told(COUNT, "The generation that it is about."),
        "last_transition": TIME,
    },
    "One thing known of an object.",
)
JOB = shape(
    "Job",
    {
        "id": IDENTIFIER,
        "job_type": TEXT,
        "user_id": nullable(told(IDENTIFIER, "Whose it is; null for what the system runs.")),
        "host": nullable(TEXT),
        "status": one_of("pending", "running", "completed", "failed", "cancelled"),
        "parameters": ANYTHING,
        "priority": told({"type": "integer"}, "What is more urgent has a larger one."),
        "scheduled_for": nullable(TIME),
        "started_at": nullable(TIME),
        "completed_at": nullable(TIME),
        "output_log": told(
            TEXT,
            "The last lines of its log, without secrets. No list is searched or filtered by it.",
        ),
        "results": told(
            ANYTHING,
            "What came of each resource or document; of a `certificate` which authority was asked, how often, and the "
            "names that it gave one for.",
        ),
        "request_id": nullable(told(TEXT, "The request that caused it.")),
        "retry_of": nullable(told(IDENTIFIER, "The job that this one tries again.")),
        "created_at": TIME,
    },
    "The record of a run.",
)
AUDIT = shape(
    "AuditEntry",
    {
        "id": told(NUMBER, "Entries are numbered without gaps."),
        "actor": told(TEXT, "Who did it; the name that was tried, of a login that failed."),
        "actor_id": told(TEXT, "The id that this user had; empty where nobody was proved."),
        "role": TEXT,
        "token": told(TEXT, "The id of the session or of the API token."),
        "address": TEXT,
        "request_id": TEXT,
        "action": told(TEXT, "The method and the path of the door, or the command."),
        "object_type": told(TEXT, "Empty for what was refused."),
        "object_id": TEXT,
        "owner": TEXT,
        "before": nullable(told(ANYTHING, "What was changed, as it was; secrets are masked.")),
        "after": nullable(told(ANYTHING, "What was changed, as it became.")),
        "result": told(TEXT, "`done`, or the code of the refusal."),
        "at": TIME,
        "digest": told(TEXT, "The keyed hash of this entry and of the one before it."),
    },
    "Something that somebody did, or tried to do.",
)
HOST = shape(
    "Host",
    {
        "id": TEXT,
        "name": TEXT,
        "address": TEXT,
        "listed": told(TRUTH, "Whether it is in the inventory now."),
        "reachable": TRUTH,
        "message": told(TEXT, "Why it could not be looked at."),
        "observed_at": nullable(TIME),
        "documents": told(COUNT, "How many living documents are on it."),
        "drifted": told(COUNT, "How many of them differed at the last sweep."),
        "dns_secondaries": told(listed(TEXT), "The hosts that have copies of its zones."),
        "unmanaged": told(listed(TEXT), "What was found there and is not ours."),
        "facts": shape(
            "Facts",
            {
                "hostname": TEXT,
                "php": listed(TEXT),
                "nginx": TEXT,
                "ipv4": listed(TEXT),
                "ipv6": listed(TEXT),
                "shells": listed(TEXT),
            },
        ),
    },
    "A managed host, and what was last seen of it.",
)
_METADATA: dict[str, Schema] = {"name": TEXT, "owner": nullable(TEXT), "host": nullable(TEXT)}
EXPORTED = shape(
    "Document",
    {"kind": TEXT, "metadata": shape("DocumentMetadata", _METADATA), "spec": ANYTHING},
    "A document as one writes it in a file.",
)
STORED = shape(
    "StoredDocument",
    {
        "kind": TEXT,
        "metadata": shape("StoredDocumentMetadata", {**_METADATA, "uid": IDENTIFIER, "generation": NUMBER}),
        "spec": ANYTHING,
    },
)
REVISION = shape(
    "Revision",
    {"generation": NUMBER, "spec": ANYTHING, "actor": TEXT, "at": TIME},
    "What a document was, and who made it so.",
)
WRITTEN = shape(
    "WrittenDocument",
    {
        "id": IDENTIFIER,
        "kind": TEXT,
        "name": TEXT,
        "owner": TEXT,
        "generation": NUMBER,
        "deleted": TRUTH,
    },
)
WEBHOOK = shape(
    "Webhook",
    {
        "id": IDENTIFIER,
        "user_id": told(IDENTIFIER, "Whose it is: it is told of what its owner may know of."),
        "url": TEXT,
        "events": told(listed(TEXT), "The names of what it is told of."),
        "is_active": TRUTH,
        "disabled_reason": nullable(told(TEXT, "Why it is active no more, when nobody stopped it.")),
        "failing_since": nullable(told(TIME, "Since when nothing could be delivered.")),
        "created_at": TIME,
        "updated_at": TIME,
    },
    "An address that is told of events. Its secret is never shown.",
)
NEW_WEBHOOK = {
    **WEBHOOK,
    "title": "NewWebhook",
    "properties": {
        **WEBHOOK["properties"],
        "secret": told(TEXT, "Shown this once, and only when it was generated."),
    },
}
API_TOKEN = shape(
    "ApiToken",
    {
        "id": IDENTIFIER,
        "user_id": told(IDENTIFIER, "Whose it is: it may do what that user may, as far as its scopes go."),
        "name": TEXT,
        "scopes": told(listed(TEXT), "What it is good for. Who may write may also read."),
        "addresses": told(listed(TEXT), "The networks that it is good from; none is everywhere."),
        "expires_at": nullable(told(TIME, "Until when it is good; null is for ever.")),
        "last_used_at": nullable(told(TIME, "When it was last used, to the minute.")),
        "last_used_address": nullable(told(TEXT, "Where from.")),
        "created_at": TIME,
        "updated_at": TIME,
    },
    "A token for programs. The token itself is never shown.",
)
NEW_API_TOKEN = {
    **API_TOKEN,
    "title": "NewApiToken",
    "required": [*API_TOKEN["required"], "token"],
    "properties": {
        **API_TOKEN["properties"],
        "token": told(TEXT, "To be sent as a bearer token; shown this once."),
    },
}
DELIVERY = shape(
    "Delivery",
    {
        "id": told(IDENTIFIER, "What `webhook-id` says, at every attempt."),
        "webhook_id": IDENTIFIER,
        "event": TEXT,
        "status": one_of("pending", "delivered", "failed"),
        "attempts": COUNT,
        "next_attempt_at": nullable(told(TIME, "Null when it is due, waits for its turn, or is over.")),
        "response_status": nullable(told(COUNT, "The status of the last answer; null when there was none.")),
        "message": told(TEXT, "Why the last attempt failed."),
        "payload": told(ANYTHING, "The body: `event`, `data` and `timestamp`."),
        "created_at": TIME,
        "completed_at": nullable(TIME),
    },
    "What is told to a webhook, and how that went.",
)
