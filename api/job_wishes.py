"""Jobs as one asks for them: what sort, of whom or of which host, how urgent, and when."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from sqlalchemy import Connection, Row, or_, select

from api.access import check_job
from api.call import Call
from api.fields import OWNERS
from api.visibility import visible_documents
from api.writes import visible_document
from state.document import Document
from state.errors import Fault, Forbidden, Invalid, NotFound
from state.job_queue import cancel_job, check_waiting, move_job
from state.job_types import ASKED, JOB_TYPES, DnsSyncParameters, JobType, ReconcileParameters, SweepParameters
from state.jobs import SYSTEM, add_job
from state.kinds import KINDS
from state.tables import documents, targets
from state.validation import faults_of
from state.zones.providers import provider_target

FARTHEST = timedelta(days=3660)
FIXED = ("job_type", "user_id", "parameters")


def _moment(value: object) -> object:
    """Times are texts, never numbers; a date alone is none."""
    if value is not None and not (isinstance(value, str) and "T" in value.upper()):
        raise ValueError("must be an RFC 3339 time")
    return value


def _of_types(schema: dict[str, Any]) -> None:
    """Says of parameters what each sort of job takes."""
    del schema["type"], schema["additionalProperties"]
    schema["anyOf"] = [each.parameters.model_json_schema() for each in ASKED.values() if each.parameters]


class JobWish(BaseModel):
    """A job as one may ask for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    job_type: str = Field(
        max_length=32, description="What is to be run.", json_schema_extra={"enum": list(ASKED)}
    )
    user_id: UUID | None = Field(None, description="Whose it is; one's own unless one manages the user.")
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="What its sort has to be told.", json_schema_extra=_of_types
    )
    priority: int = Field(0, ge=0, le=100, strict=True, description="What is more urgent has a larger one.")
    scheduled_for: Annotated[AwareDatetime | None, BeforeValidator(_moment)] = Field(
        None, description="When it is due, within ten years; at once where that is over, or is not said."
    )


def current(row: Row[Any]) -> Mapping[str, Any]:
    """A job as it could have been asked for."""
    due = row.scheduled_for
    return {
        "job_type": row.job_type,
        "user_id": row.user_id,
        "parameters": row.parameters,
        "priority": row.priority,
        "scheduled_for": None if due is None else due.isoformat(),
    }


def create(call: Call, connection: Connection, wish: JobWish) -> tuple[str, Mapping[str, Any]]:
    """The new job. Raises Invalid with all that is wrong, Forbidden, Conflict when too many are waiting."""
    job_type = ASKED.get(wish.job_type)
    if job_type is None:
        raise Invalid(
            [Fault("job_type", f"one cannot ask for {wish.job_type!r}: there are {', '.join(ASKED)}")]
        )
    check_job(call.principal, job_type)
    faults = _too_far(wish.scheduled_for)
    asked = _parameters(job_type, wish.parameters, faults)
    owner = _owner(call, connection, wish.user_id, faults)
    if faults or asked is None:
        raise Invalid(faults)
    whose, target = _place(call, connection, asked, owner)
    check_waiting(connection, whose)
    job = add_job(
        connection,
        job_type.name,
        owner=whose,
        target=target,
        parameters=asked.model_dump(mode="json", exclude_defaults=True),
        priority=wish.priority,
        scheduled_for=wish.scheduled_for,
    )
    call.wake(target)
    return job, {}


def change(call: Call, connection: Connection, row: Row[Any], wish: JobWish) -> None:
    """How urgent it is and when it is due; nothing else of a job changes. Raises Conflict unless it is pending."""
    before, after = current(row), wish.model_dump(mode="json")
    faults = [
        Fault(name, "cannot be changed after creation") for name in FIXED if before[name] != after[name]
    ]
    faults += _too_far(wish.scheduled_for)
    if faults:
        raise Invalid(faults)
    check_moved(call, row)
    move_job(connection, row.id, wish.priority, wish.scheduled_for)
    call.wake(row.target)


def check_moved(call: Call, row: Row[Any]) -> None:
    """Whether who asks may say when such a job is done, or whether at all. Raises Forbidden."""
    if row.job_type in JOB_TYPES:
        check_job(call.principal, JOB_TYPES[row.job_type])


def cancel(call: Call, connection: Connection, row: Row[Any]) -> None:
    """The job stays, as a cancelled one. Raises Conflict unless it is pending."""
    check_moved(call, row)
    cancel_job(connection, row.id)


def _too_far(moment: datetime | None) -> list[Fault]:
    far = moment is not None and moment > datetime.now(UTC) + FARTHEST
    return [Fault("scheduled_for", "must be within ten years")] if far else []


def _parameters(job_type: JobType, given: Mapping[str, Any], faults: list[Fault]) -> BaseModel | None:
    assert job_type.parameters is not None
    try:
        return job_type.parameters.model_validate(given)
    except ValidationError as error:
        faults += [Fault(f"parameters.{each.field}", each.message) for each in faults_of(error)]
        return None


def _owner(call: Call, connection: Connection, user_id: UUID | None, faults: list[Fault]) -> Document | None:
    """Whom it is for, where that is said."""
    if user_id is None:
        return None
    try:
        return visible_document(connection, call.principal, OWNERS, str(user_id))
    except NotFound:
        faults.append(Fault("user_id", "there is no such user"))
        return None


def _place(call: Call, connection: Connection, asked: BaseModel, owner: Document | None) -> tuple[str, str]:
    """Whose the job is and its host. Raises Invalid, Forbidden."""
    if isinstance(asked, DnsSyncParameters):
        return _zone_place(call, connection, asked, owner)
    host = asked.host if isinstance(asked, ReconcileParameters | SweepParameters) else None
    if host is not None:
        if call.principal.role != "admin":
            raise Forbidden(
                "only administrators name a host", code="forbidden_field", field="parameters.host"
            )
        _check_host(connection, host, owner)
        whose, target = SYSTEM, host
    else:
        user = owner or visible_document(connection, call.principal, OWNERS, call.principal.uid)
        if not user.target:
            raise Invalid(
                [Fault("user_id", f"{user.name!r} has nothing on a host: say whose, or parameters.host")]
            )
        whose, target = user.name, user.target
    if isinstance(asked, ReconcileParameters):
        _check_named(call, connection, asked, whose, target)
    return whose, target


def _zone_place(
    call: Call, connection: Connection, asked: DnsSyncParameters, owner: Document | None
) -> tuple[str, str]:
    """Whose a zone is and where, or the provider that is asked for. Raises Invalid, Forbidden."""
    if (asked.zone is None) == (asked.provider is None):
        raise Invalid([Fault("parameters", "say either a zone or a provider")])
    if asked.provider is None:
        return _of_zone(call, connection, str(asked.zone), owner)
    if call.principal.role != "admin":
        words = "only administrators name a provider"
        raise Forbidden(words, code="forbidden_field", field="parameters.provider")
    target = provider_target(connection, asked.provider)
    if not target or owner is not None:
        words = (
            "say a provider or a user_id, not both"
            if target
            else f"no DNS provider {asked.provider!r} is set up"
        )
        raise Invalid([Fault("parameters.provider", words)])
    return SYSTEM, target


def _of_zone(call: Call, connection: Connection, zone: str, owner: Document | None) -> tuple[str, str]:
    kinds = [kind.name for kind in KINDS.values() if kind.provider_field]
    mine = documents.c.kind.in_(kinds) & documents.c.deleted_at.is_(None) & (documents.c.target != "")
    mine &= visible_documents(call.principal) & (documents.c.name == zone)
    if owner is not None:
        mine &= documents.c.owner == owner.name
    found = connection.execute(select(documents.c.owner, documents.c.target).where(mine)).first()
    if found is None:
        raise Invalid([Fault("parameters.zone", f"there is no zone {zone!r} that is served anywhere")])
    return str(found.owner), str(found.target)


def _check_host(connection: Connection, host: str, owner: Document | None) -> None:
    known = select(targets.c.name).where(targets.c.name == host, targets.c.listed)
    if connection.execute(known).first() is None:
        raise Invalid([Fault("parameters.host", f"no host {host!r} is managed")])
    if owner is not None:
        raise Invalid([Fault("parameters.host", "say a host or a user_id, not both")])


def _check_named(
    call: Call, connection: Connection, asked: ReconcileParameters, whose: str, target: str
) -> None:
    """Raises Invalid for each document named that is not one of those meant."""
    meant = (
        (documents.c.target == target) & documents.c.deleted_at.is_(None) & visible_documents(call.principal)
    )
    if whose != SYSTEM:
        itself = (documents.c.kind == OWNERS.name) & (documents.c.name == whose)
        meant &= or_(documents.c.owner == whose, itself)
    faults = []
    for number, each in enumerate(asked.documents):
        kind, _, name = each.partition("/")
        query = select(documents.c.uid).where(meant, documents.c.kind == kind, documents.c.name == name)
        if connection.execute(query).first() is None:
            faults.append(Fault(f"parameters.documents.{number}", f"there is no {each} on {target}"))
    if faults:
        raise Invalid(faults)
