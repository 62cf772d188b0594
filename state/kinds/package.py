"""Package: a named plan of limits, quotas, templates and shell that new users and sites take their values from."""

from pydantic import Field

from state.fields import Count, Shell, Template
from state.kind import Kind
from state.names import PACKAGE_NAME
from state.spec import Spec


class Package(Spec):
    """0 means unlimited; quotas in MiB."""

    description: str = Field("", max_length=500, description="For whom it is.")
    disk_quota: Count = Field(1024, description="MiB on disk.")
    bandwidth_quota: Count = Field(10240, description="MiB of traffic a month.")
    web_domains_limit: Count = Field(5, description="How many sites.")
    dns_domains_limit: Count = Field(5, description="How many DNS zones.")
    mail_domains_limit: Count = Field(3, description="How many mail domains.")
    databases_limit: Count = Field(5, description="How many databases.")
    cron_jobs_limit: Count = Field(10, description="How many cron jobs.")
    shell: Shell = Field("/usr/sbin/nologin", description="The login shell of new users.")
    web_template: Template = Field("default", description="The web server's template of new sites.")
    backend_template: Template | None = Field(None, description="Their PHP: `PHP-8.4`, or none.")
    proxy_template: Template | None = Field(None, description="What they pass requests on to, or none.")


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
    naming={
        "type": "string",
        "pattern": f"^{PACKAGE_NAME.pattern}$",
        "description": "What users name it by; it cannot be changed.",
    },
    examples={
        "create": {"name": "business", "disk_quota": 20480, "web_domains_limit": 25, "shell": "/bin/bash"},
        "change": {"web_domains_limit": 50},
    },
)
