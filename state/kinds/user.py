"""User: a tenant, a reseller or an administrator; on a host, an OS account with a home that keeps others out."""

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator

from state.compiling import Compiled, Context, Reason, Related
from state.document import Document, Ref
from state.fields import Count, Shell
from state.kind import Kind, Values
from state.names import SYSTEM_ACCOUNTS, TIMEZONE, USER_NAME, Claim, user_name
from state.paths import home_of
from state.resource import Resource, account, directory
from state.spec import AdminOnly, Copied, Immutable, Spec

FIRST_UID = 10000
WEB_SERVER_GROUP = "www-data"
_NOLOGIN = "/usr/sbin/nologin"

Managed = Annotated[Count, Copied(), AdminOnly()]

# Categories Cc, Cf, Cs, Co, and the noncharacters; not U+200C and U+200D, which Persian and Indic scripts need.
_UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\ue000-\uf8ff\ufdd0-\ufdef\ufeff\ufff9-\ufffb\ufffe\uffff"
)
_Unseen = re.compile(f"[{_UNSEEN}" + r"\ud800-\udfff\U000e0000-\U000e0fff\U000f0000-\U0010ffff]")

# Spaces are spelt out: what \s means depends on who reads the pattern.
_SPACES = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_PART = f"[^@{_SPACES}" + r"\"'`;<>(),:\\]+"


class User(Spec):
    """Limits of 0 mean unlimited; quotas are MiB. `is_suspended` locks the account and its sites."""

    email: str = Field(
        max_length=254,
        pattern=f"^{_PART}@{_PART}$",
        description="Where to reach the user.",
    )
    full_name: str = Field(
        "",
        max_length=200,
        description="How to address the user.",
        json_schema_extra={"pattern": f"^[^{_UNSEEN}]*$"},
    )
    role: Annotated[Literal["admin", "reseller", "user"], Immutable(), AdminOnly()] = Field(
        "user", description="A reseller makes users of its own."
    )
    package_name: Annotated[str, Field(max_length=63), AdminOnly()] = Field(
        "default", description="The package that limits, quotas, shell and templates were taken from."
    )
    disk_quota: Managed = Field(1024, description="MiB on disk.")
    bandwidth_quota: Managed = Field(10240, description="MiB of traffic a month.")
    web_domains_limit: Managed = Field(5, description="How many sites there may be.")
    dns_domains_limit: Managed = Field(5, description="How many DNS zones there may be.")
    mail_domains_limit: Managed = Field(3, description="How many mail domains there may be.")
    databases_limit: Managed = Field(5, description="How many databases there may be.")
    cron_jobs_limit: Managed = Field(10, description="How many cron jobs there may be.")
    shell: Annotated[Shell, Copied(), AdminOnly()] = Field(
        _NOLOGIN, description="The login shell; the host must have it."
    )
    language: str = Field(
        "en",
        pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z0-9]{2,8})*$",
        max_length=35,
        description="A language tag (BCP 47).",
    )
    timezone: str = Field(
        "UTC",
        max_length=64,
        description="A time zone's name, such as Europe/Berlin.",
        json_schema_extra={"pattern": f"^{TIMEZONE.pattern}$"},
    )
    is_active: Annotated[bool, AdminOnly()] = Field(True, description="Whether the user may log in at all.")
    is_suspended: Annotated[bool, AdminOnly()] = Field(
        False, description="Locks the account; its sites say that they are suspended."
    )

    @field_validator("full_name")
    @classmethod
    def _printable(cls, value: str) -> str:
        if _Unseen.search(value):
            raise ValueError("must not contain control characters, or others that are not seen")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if not TIMEZONE.fullmatch(value):
            raise ValueError("must be a time zone name such as Europe/Berlin")
        return value


def _comment(full_name: str) -> str:
    """The GECOS field (passwd(5)): no colon, and no comma, which separates its sub-fields."""
    return re.sub(r"[:,]", " ", full_name)


def _complete(values: Values, _name: str, _owner: str, related: Related, previous: Spec | None) -> Values:
    copied = USER.marked(Copied)
    package = related(Ref("Package", str(values.get("package_name", "default"))))
    source = previous or (package.spec if package else None)
    filled = {field: value for field, value in vars(source).items() if field in copied} if source else {}
    return {**filled, **{k: v for k, v in values.items() if v is not None or k not in copied}}


def _references(document: Document) -> tuple[Ref, ...]:
    spec = document.spec
    assert isinstance(spec, User)
    return (Ref("Package", spec.package_name),)


def _compile(context: Context) -> Compiled:
    document, spec = context.document, context.document.spec
    assert isinstance(spec, User)
    if spec.role == "admin":
        return Compiled()
    blocked = []
    if context.related(Ref("Package", spec.package_name)) is None:
        message = f"package {spec.package_name!r} does not exist: create it or choose another"
        blocked.append(Reason("PackageMissing", message))
    if spec.shell not in context.facts.shells and spec.shell not in {_NOLOGIN, "/bin/false"}:
        shells = ", ".join(context.facts.shells)
        blocked.append(
            Reason("ShellMissing", f"{spec.shell} is not a login shell of the host; it has {shells}")
        )
    if blocked or document.number is None:
        return Compiled(blocked=tuple(blocked))
    return Compiled(resources=_resources(document.name, FIRST_UID + document.number, spec))


def _resources(name: str, uid: int, spec: User) -> tuple[Resource, ...]:
    home = home_of(name)
    locked = spec.is_suspended or not spec.is_active
    login = account(
        name, uid=uid, comment=_comment(spec.full_name), home=home, shell=spec.shell, locked=locked
    )
    mine, temporary = (login.key,), f"{home}/tmp"  # noqa: S108 - the tenant's own
    return (
        login,
        directory(home, owner=name, group=WEB_SERVER_GROUP, mode="0710", requires=mine, data=True),
        directory(f"{home}/web", owner=name, group=name, mode="0755", requires=(f"directory:{home}",)),
        directory(temporary, owner=name, group=name, mode="0700", requires=(f"directory:{home}",)),
    )


USER = Kind(
    name="User",
    plural="users",
    topic="user",
    schema=User,
    name_field="username",
    check_name=user_name,
    rank=1,
    compile=_compile,
    references=_references,
    claims=lambda document: (Claim("accounts", document.name),),
    complete=_complete,
    hosted=lambda spec: getattr(spec, "role", "") != "admin",
    owns=True,
    numbered=True,
    password=True,
    search=("username", "email", "full_name"),
    measured={"disk_used": 0, "bandwidth_used": 0},
    naming={
        "type": "string",
        "pattern": f"^{USER_NAME.pattern}$",
        "not": {"enum": sorted(SYSTEM_ACCOUNTS)},
        "description": "The login name here and on hosts; it cannot be changed. Names of system accounts are refused.",
    },
    examples={
        "create": {
            "username": "newuser",
            "email": "newuser@example.com",
            "password": "securepassword123",
            "full_name": "New User",
            "package_name": "basic",
            "role": "user",
            "disk_quota": 2048,
            "bandwidth_quota": 20480,
            "web_domains_limit": 10,
            "dns_domains_limit": 10,
            "mail_domains_limit": 5,
            "databases_limit": 10,
            "cron_jobs_limit": 20,
            "shell": "/bin/bash",
            "language": "en",
            "timezone": "UTC",
        },
        "change": {
            "email": "updated@example.com",
            "full_name": "Updated Name",
            "disk_quota": 4096,
            "is_suspended": False,
        },
    },
)
