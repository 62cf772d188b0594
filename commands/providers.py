"""External DNS providers, set up on this machine: who may name a class can have any code run here."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from commands.console import Failed, out, plain, table
from commands.opening import opened
from reconciler.providers.desk import Desk
from state.errors import GhostError
from state.fields import Template
from state.journal import audit
from state.kind import LOCAL
from state.settings import settings
from state.zones.providers import adopt as take_over
from state.zones.providers import list_providers, set_up, take_down

app = typer.Typer(help="Set up external DNS providers, reached through octoDNS.", no_args_is_help=True)
KNOWN = {
    "cloudflare": "octodns_cloudflare.CloudflareProvider",
    "powerdns": "octodns_powerdns.PowerDnsProvider",
}
_NAME: TypeAdapter[str] = TypeAdapter(Template)

Name = Annotated[str, typer.Argument(help="what zones say as their dns_provider")]
Source = Annotated[str, typer.Argument(help="YAML file of octoDNS's options for it; - is standard input")]


@app.command("set")
def set_(name: Name, source: Source = "-") -> None:
    """Set up a provider, or give one other options. They are sealed as a whole, and never shown again.

    The file has what octoDNS has under `providers`: a `class`, unless the name is cloudflare or powerdns, and its
    options, such as `token` or `api_key`; `env/NAME` is what the variable NAME is now. Workers need no restart.
    """
    options = _read(source)
    package = options.pop("class", KNOWN.get(name))
    if not isinstance(package, str):
        raise Failed(f"{source}: say `class:`, such as {KNOWN['powerdns']}")
    _check(name, package, options)
    with opened() as database, database.writing() as connection:
        came = set_up(connection, settings().var, name, package, options)
        _note(connection, "set", name, {"class": package, "options": sorted(options), "zones": came})
    plain(f"{name} is set up with {package}; {came} zones that waited for it go there now.")


@app.command("list")
def list_() -> None:
    """The providers that are set up."""
    with opened() as database, database.reading() as connection:
        rows = [(p.name, p.package, f"{p.changed_at:%Y-%m-%d %H:%M}") for p in list_providers(connection)]
    out.print(table("DNS providers", ("name", "class", "set (UTC)"), rows))


@app.command()
def remove(name: Name) -> None:
    """Forget a provider that has no zones any more, and its options."""
    with opened() as database, database.writing() as connection:
        take_down(connection, name)
        _note(connection, "remove", name, {})
    plain(f"{name} is forgotten.")


@app.command()
def adopt(
    name: Name, zone: Annotated[str, typer.Argument(help="the name of a zone with this provider")]
) -> None:
    """Let a zone be taken over that is at the provider already, by whose document of it there is.

    What is equal there becomes theirs; what differs or is unknown stays as it is.
    """
    with opened() as database, database.writing() as connection:
        owner = take_over(connection, name, zone)
        _note(connection, "adopt", name, {"zone": zone, "owner": owner})
    plain(f"{zone} at {name} is {owner}'s now.")


def _read(source: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text()
        values = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{source} cannot be read: {type(error).__name__}") from None
    except yaml.YAMLError:
        raise Failed(f"{source} is no YAML") from None
    if not isinstance(values, Mapping) or not all(isinstance(key, str) for key in values):
        raise Failed(f"{source}: a mapping of options is needed")
    return {key: _looked_up(key, value) for key, value in values.items()}


def _looked_up(key: str, value: Any) -> Any:
    """What octoDNS takes from its environment is taken from ours, once."""
    if not (isinstance(value, str) and value.startswith("env/")):
        return value
    name, _, default = value.removeprefix("env/").partition("/")
    found = os.environ.get(name, default)
    if not found:
        raise Failed(f"{key}: the variable {name} is not set")
    return found


def _check(name: str, package: str, options: Mapping[str, Any]) -> None:
    """Raises Failed unless such a provider can be made; it is not asked for anything yet."""
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise Failed(f"{name!r}: a name has up to 64 of A-Z, a-z, 0-9, '.', '_' and '-'") from None
    if name == LOCAL:
        raise Failed(f"{LOCAL!r} is BIND on the hosts: choose another name")
    try:
        Desk(name, {"class": package, **options}).account()
    except GhostError as error:
        raise Failed(error.message) from None


def _note(connection: Connection, verb: str, name: str, after: Mapping[str, Any]) -> None:
    action = f"ghostcp providers {verb}"
    entry = audit.Entry(
        actor="system",
        action=action,
        result="done",
        object_type="provider",
        object_id=name,
        after=dict(after),
    )
    audit.append(connection, settings().var, entry)
