"""What sorts of jobs there are: who may ask for one and how, and what becomes of it when its worker dies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

RECONCILE, SWEEP, PURGE = "reconcile", "sweep", "purge"
SSL_ISSUE, SSL_RENEW = "ssl_issue", "ssl_renew"
DNS_SYNC = "dns_sync"
MOST_NAMED = 100
_Name = Annotated[str, Field(max_length=320, pattern=r"^[A-Za-z]+/[^\s]+$")]


class ReconcileParameters(BaseModel):
    """What is looked at and repaired: all that is the user's, or for administrators all on a host; of these, only
    the documents that are named, where any are."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str | None = Field(None, max_length=255, description="A host; not together with a `user_id`.")
    documents: tuple[_Name, ...] = Field(
        (), max_length=MOST_NAMED - 1, description="Such as `WebDomain/example.com`."
    )


class SweepParameters(BaseModel):
    """What is looked at, without changing it; what differs is repaired afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(max_length=255, description="The host.")


class DnsSyncParameters(BaseModel):
    """What is looked at and repaired now: one zone, or for administrators all zones at an external provider."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zone: str | None = Field(None, max_length=255, description="The name of a zone, wherever it is served.")
    provider: str | None = Field(None, max_length=64, description="A DNS provider; not together with a zone.")


@dataclass(frozen=True, slots=True)
class JobType:
    """One sort of job. `parameters` is what must be said to ask for one; none where nobody can ask.

    `admins`: only they ask for it, move, cancel or retry it. `patient`: it waits for a host that does not answer, and
    begins again when its worker has died; others fail then. Who carries it out is told in `reconciler.errands`.
    """

    name: str
    parameters: type[BaseModel] | None = None
    admins: bool = False
    patient: bool = False


JOB_TYPES: Mapping[str, JobType] = {
    each.name: each
    for each in (
        JobType(RECONCILE, ReconcileParameters),
        JobType(SWEEP, SweepParameters, admins=True),
        JobType(DNS_SYNC, DnsSyncParameters),
        JobType(PURGE, admins=True, patient=True),
        JobType(SSL_ISSUE, patient=True),
        JobType(SSL_RENEW, patient=True),
    )
}
ASKED: Mapping[str, JobType] = {name: each for name, each in JOB_TYPES.items() if each.parameters}
