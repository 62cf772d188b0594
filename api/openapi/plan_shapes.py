"""How plans and their reports look, as schemas."""

from api.openapi.schemas import (
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

_FIELD = shape("FieldChange", {"field": TEXT, "before": {}, "after": {}}, "A field that differs.")
_ACTION = one_of("create", "update", "replace", "delete")
_CHANGE = shape(
    "ResourceChange",
    {
        "action": _ACTION,
        "kind": TEXT,
        "document": TEXT,
        "owner": TEXT,
        "resource": told(TEXT, "Its key, such as `config:nginx/example.com.conf`."),
        "cause": one_of("intended", "corrective"),
        "effect": told(TEXT, "What happens to the service: `none` or `reload`."),
        "service": TEXT,
        "fields": listed(_FIELD),
        "diff": nullable(told(TEXT, "The text, as a unified diff.")),
    },
    "A difference on a host.",
)
_GUARD = shape(
    "Guard", {"allowed": TRUTH, "message": TEXT}, "Whether so many deletions at once are let through."
)
_BLOCKED = shape(
    "BlockedDocument",
    dict.fromkeys(("kind", "document", "owner", "reason", "message"), TEXT),
    "What cannot be had yet, and why.",
)
_WARNING = shape(
    "DocumentWarning",
    dict.fromkeys(("kind", "document", "owner", "reason", "message"), TEXT),
    "What will be otherwise than one might think, and why.",
)
_TARGET = shape(
    "TargetPlan",
    {
        "target": TEXT,
        "changes": listed(_CHANGE),
        "blocked": listed(_BLOCKED),
        "warnings": listed(_WARNING),
        "unmanaged": listed(TEXT),
        "adopted": listed(TEXT),
        "unchanged": COUNT,
        "guard": _GUARD,
        "error": nullable(told(TEXT, "Why the host could not be looked at.")),
    },
    "What would be done on one host.",
)
_DIFFERENCE = shape(
    "DocumentChange",
    {
        "action": _ACTION,
        "kind": TEXT,
        "name": TEXT,
        "owner": TEXT,
        "fields": listed(_FIELD),
        "line": shape(
            "LineChange", {"before": nullable(TEXT), "after": nullable(TEXT)}, "All of it as people read it."
        ),
    },
    "What would be written of one document.",
    optional=("line",),
)
_TOTALS = ("create", "update", "replace", "delete", "unchanged", "blocked", "unmanaged", "adopted")
REPORT = shape(
    "Report",
    {
        "version": NUMBER,
        "documents": listed(_DIFFERENCE),
        "targets": listed(_TARGET),
        "guard": _GUARD,
        "totals": shape("Totals", dict.fromkeys((*_TOTALS, "documents", "resources"), COUNT)),
    },
)
_LINE = told(TEXT, "A record as a line of a zone file.")
ZONE_IMPORT = shape(
    "ZoneImport",
    {
        "mode": one_of("merge", "replace"),
        "added": listed(_LINE),
        "changed": listed(shape("ChangedRecord", {"before": _LINE, "after": _LINE})),
        "deleted": listed(_LINE),
        "unchanged": COUNT,
        "left_out": listed(
            shape(
                "LeftOut",
                {"line": COUNT, "record": TEXT, "reason": TEXT},
                "What was not brought in, and why.",
            )
        ),
    },
    "What came of the records that were read.",
)
PLAN = shape(
    "Plan",
    {
        "id": nullable(told(IDENTIFIER, "Null where no host has to do with it.")),
        "status": one_of("pending", "running", "ready", "failed"),
        "created_at": nullable(TIME),
        "report": nullable(REPORT),
        "import": ZONE_IMPORT,
    },
    "A dry run: what would be done. Its report comes when a worker has made it.",
    optional=("import",),
)
PLAN_SUMMARY = shape(
    "PlanSummary",
    {
        "id": IDENTIFIER,
        "status": one_of("pending", "running", "ready", "failed"),
        "owner": told(TEXT, "Who asked for it."),
        "created_at": TIME,
    },
)
