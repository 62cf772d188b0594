"""Package: a named plan of limits, quotas, templates and shell that new users and sites take their values from."""

from typing import Annotated

from pydantic import Field

from state.kind import Kind, Spec
from state.names import PACKAGE_NAME

Count = Annotated[int, Field(ge=0, le=2**53)]
Template = Annotated[str, Field(max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
Shell = Annotated[str, Field(max_length=128, pattern=r"^(/[A-Za-z0-9._-]+)+$")]


class Package(Spec):
    """0 means unlimited; quotas in MiB."""

    description: str = Field("", max_length=500)
    disk_quota: Count = 1024
    bandwidth_quota: Count = 10240
    web_domains_limit: Count = 5
    dns_domains_limit: Count = 5
    mail_domains_limit: Count = 3
    databases_limit: Count = 5
    cron_jobs_limit: Count = 10
    shell: Shell = "/usr/sbin/nologin"
    web_template: Template = "default"
    backend_template: Template | None = None
    proxy_template: Template | None = None


def _package_name(value: str) -> str:
    if not PACKAGE_NAME.fullmatch(value):
        raise ValueError("must be 1-63 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit")
    return value


PACKAGE = Kind(
    name="Package",
    plural="packages",
    topic="package",
    schema=Package,
    name_field="name",
    check_name=_package_name,
    rank=0,
    placed=False,
    search=("name",),
)
