"""What an operator can set: environment variables that begin with ``GHOSTCP_``."""

from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PLAYBOOKS = Path(__file__).resolve().parent.parent / "playbooks"


def _listed(value: object) -> object:
    """What is written with commas between."""
    return (
        tuple(filter(None, (part.strip() for part in value.split(",")))) if isinstance(value, str) else value
    )


def _networks(value: object) -> object:
    """Networks that are written with commas between; an address alone is one too."""
    if not isinstance(value, str):
        return value
    try:
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
    except ValueError as error:
        raise ValueError(f"{error}: write networks like 10.0.0.0/8, with commas between") from None


Networks = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(_networks)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class Settings(BaseSettings):
    """Embedded defaults: SQLite and a local doorbell under `var`, one host inventory, no broker."""

    model_config = SettingsConfigDict(env_prefix="GHOSTCP_", frozen=True)

    var: Path = Field(Path("var"), description="where state, keys and the lab live")
    database_url: str | None = Field(None, description="SQLAlchemy URL; SQLite in `var` by default")
    broker_url: str | None = Field(None, description="Celery broker; none: a local doorbell only")
    inventory: Path | None = Field(None, description="Ansible inventory whose group ghostcp_hosts is managed")
    templates: Path | None = Field(None, description="folder of operators' own templates")
    listen: str = Field("127.0.0.1:8080", description="address and port of the API")
    trusted_proxies: Networks = Field((), description="networks whose X-Forwarded-For is believed")
    metrics_networks: Networks = Field(
        (ip_network("127.0.0.0/8"), ip_network("::1")), description="networks that may read /metrics"
    )
    cors_origins: Texts = Field((), description="origins whose pages may ask the API")
    log: Literal["json", "console"] = Field("json", description="how logs are written")
    rate_authentication: int = Field(
        5, ge=1, description="requests a minute to log in, by address and account"
    )
    rate_users: int = Field(60, ge=1, description="requests a minute about users, by who asks")
    rate_general: int = Field(1000, ge=1, description="requests a minute about the rest, by who asks")
    rate_files: int = Field(100, ge=1, description="requests a minute about files, by who asks")
    redis_url: str | None = Field(None, description="Redis that requests are counted in; none: in memory")
    stop_seconds: int = Field(15, ge=1, description="how long what is under way may take when told to stop")
    sweep_seconds: float = Field(
        600, gt=0, description="how often everything is looked at, jittered by a tenth"
    )
    quarantine_days: int = Field(30, ge=1, description="how long what was deleted is kept on its host")
    webhook_networks: Networks = Field(
        (), description="networks that webhooks may call although they are not public"
    )
    transfer_networks: Networks = Field(
        (),
        description="networks whose name servers zones may be brought in from although they are not public",
    )
    authorities: Path | None = Field(
        None, description="YAML file of certificate authorities by name: directory, kid, hmac, roots"
    )
    resolvers: Texts = Field(
        (), description="addresses of name servers that DS records are asked of; none: those of this machine"
    )
    ds_hold_seconds: int = Field(
        86400, ge=0, description="how long a zone stays signed at least after its DS record was gone"
    )
    event_days: int = Field(30, ge=2, description="how long events and their deliveries are kept")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.var / 'ghostcp.db').resolve()}"

    @property
    def template_folders(self) -> tuple[Path, ...]:
        ours = PLAYBOOKS / "templates"
        return (ours, self.templates) if self.templates else (ours,)

    @property
    def doorbell(self) -> Path:
        return self.var / "doorbell.sock"


@cache
def settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
