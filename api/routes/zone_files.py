"""Zones as zone files: brought in, from a text or from the server that has them, and handed out."""

from uuid import UUID

from sqlalchemy import Connection
from starlette.responses import Response

from api.access import signed_in
from api.call import Call, Reply
from api.collection import understand
from api.door import Route
from api.negotiation import negotiate
from api.openapi.describe import Answer, Body, Docs
from api.openapi.kinds import TAG, change_schema, object_shape
from api.openapi.parameters import path_parameters, write_parameters
from api.openapi.plan_shapes import ZONE_IMPORT
from api.openapi.schemas import shape, without_default
from api.performing import perform
from api.rates import Rate
from api.views import document_view, etag
from api.waiting import held
from api.writes import missing, visible_document
from api.zone_export import export
from api.zone_import import bring_in, faulty
from api.zone_transfer import transfer
from api.zone_wish import ZoneWish
from state.dns.master import MasterFile, read_master
from state.errors import Fault, Invalid
from state.kinds.dns_zone import DNS_ZONE
from state.shown import Shown, show

FORMS = ("text/dns", "text/plain")


def _import(call: Call) -> Reply:
    wish: ZoneWish = understand(ZoneWish, call.object())
    file = _read(call, wish)

    def work(connection: Connection) -> Reply:
        brought = bring_in(connection, call.principal, call.house.settings, wish, file)
        told = {"import": brought.report}

        def view(shown: Shown) -> Reply:
            zone = document_view(shown)
            headers = {"ETag": etag(shown.generation, zone), "Location": f"/api/v1/dns/{shown.uid}"}
            status = 200 if brought.zone.before else 201
            return Reply(
                status,
                {"zone": zone, **told},
                headers,
                brought.written,
                besides=told,
                guard=brought.guard,
            )

        shown = show(connection, brought.zone.after.uid)
        assert shown is not None
        return held(call.house, view(shown), brought.zone, view)

    return perform(call, work)


def _read(call: Call, wish: ZoneWish) -> MasterFile:
    """What is to be brought in, before anything is written. Raises Invalid with every fault."""
    try:
        zone = DNS_ZONE.check_name(wish.domain)
    except ValueError as error:
        raise Invalid([Fault("domain", str(error))]) from None
    text, allowed = wish.zone_file, call.house.settings.transfer_networks
    if wish.server:
        text = transfer(zone, wish.server, wish.port, wish.tsig, allowed=allowed, owner=call.principal.name)
    file = read_master(text, zone)
    if file.faults:
        raise Invalid([faulty(wish, note.number, f"{note.reason} ({note.text})") for note in file.faults])
    return file


def _export(call: Call, connection: Connection) -> Reply:
    media = negotiate(call.request.headers.get("accept", ""), FORMS)
    try:
        uid = str(UUID(call.argument("id")))
    except ValueError:
        raise missing(DNS_ZONE, call.argument("id")) from None
    document = visible_document(connection, call.principal, DNS_ZONE, uid)
    text = export(connection, call.house.settings, document)
    headers = {
        "ETag": etag(document.generation, {"text": text}),
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{document.name}.zone"',
    }
    return Reply(response=Response(text, media_type=f"{media}; charset=utf-8", headers=headers))


_SCHEMA = ZoneWish.model_json_schema()
_SCHEMA["properties"] |= {
    "domain": DNS_ZONE.naming,
    "zone": change_schema(DNS_ZONE, merge=False),
    **{name: without_default(_SCHEMA["properties"][name]) for name in ("zone_file", "server")},
}
_SCHEMA["oneOf"] = [{"required": ["zone_file"]}, {"required": ["server"]}]
_MADE = shape("ImportedZone", {"zone": object_shape(DNS_ZONE), "import": ZONE_IMPORT})
_FILE = "$ORIGIN example.com.\n$TTL 3600\n@ IN NS ns1.example.net.\nwww IN A 192.0.2.1\n"
_KEY = {"name": "handover", "algorithm": "hmac-sha256", "secret": "c2l4dGVlbiBzZWNyZXQgYg=="}
_EXAMPLES = {
    "a zone file": {"domain": "example.com", "zone_file": _FILE},
    "a transfer": {"domain": "example.com", "server": "ns1.example.net", "tsig": _KEY, "mode": "replace"},
}
_HEADERS = {"ETag": TAG, "Location": "Where the zone is."}
_IMPORT = Docs(
    "dns",
    (
        Answer(200, "The zone that was there, and what came of the records.", _MADE, headers=_HEADERS),
        Answer(201, "The new zone, and what came of the records.", _MADE, headers=_HEADERS),
    ),
    write_parameters(creating=True),
    Body(_SCHEMA, _EXAMPLES),
    "All of it or, with every fault told by its line, nothing. A new zone has the template `none`, since a zone file "
    "is whole, and the settings of the file's SOA. Records that are switched off stay in either mode. What cannot be "
    "brought in (signatures, types that are not served here) is told. Where more than a quarter of the zone's records "
    "(and more than three) would go and nothing come in their place, nothing is done (409, `plan_blocked`) unless "
    "`allow_deletes` says how many. A dry run tells its plan and `import`.",
    errors=(403, 409, 502),
    operation_id="importZone",
)
_EXPORT = Docs(
    "dns",
    (
        Answer(
            200,
            "The zone file (RFC 4027).",
            {"type": "string"},
            media=FORMS,
            headers={"ETag": "Changes with the text.", "Content-Disposition": "A name for the file."},
        ),
    ),
    path_parameters("/{id}"),
    description="The records that are served, those of its template too; what is not served stands in remarks.",
    errors=(406, 409),
    operation_id="exportZone",
)
ROUTES = (
    Route(
        "POST",
        "/dns/import",
        "Bring a zone in, from a zone file or from the server that has it",
        signed_in("dns:write"),
        _IMPORT,
        writes=_import,
        rate=Rate.FILES,
    ),
    Route(
        "GET",
        "/dns/{id}/export",
        "Hand a zone out as a zone file",
        signed_in("dns:read"),
        _EXPORT,
        reads=_export,
        rate=Rate.FILES,
    ),
)
