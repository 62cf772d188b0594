"""Lab hosts: real Debian systems on this machine, to try things out on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from commands.console import Failed, err, out, table
from inventories import lab
from inventories.lab import hosts, network
from inventories.lab.process import locked
from state.settings import settings

app = typer.Typer(help="Real Debian hosts on this machine, to try things out on.", no_args_is_help=True)
Name = Annotated[str, typer.Option("--name", "-n", help="which lab")]
DEFAULT = "lab"


@app.command()
def up(
    name: Name = DEFAULT, count: Annotated[int, typer.Option(min=1, max=50, help="how many hosts")] = 1
) -> None:
    """Start hosts; those that run are left alone."""
    with told():
        started = lab.up(name, count, var=settings().var, progress=say)
    err.print(f"Inventory: {started[0].inventory}", markup=False)


@app.command()
def down(name: Name = DEFAULT) -> None:
    """Take the hosts away, with all that is on them."""
    with told():
        lab.down(name, var=settings().var)


@app.command()
def status(name: Name = DEFAULT) -> None:
    """Show the hosts."""
    with told():
        found = lab.status(name, var=settings().var)
    rows = [(host.name, host.ipv4, host.ipv6, "running" if host.pid else "stopped") for host in found]
    out.print(table(f"Lab {name}", ("host", "IPv4", "IPv6", "state"), rows))


@app.command(context_settings={"ignore_unknown_options": True})
def ssh(
    host: Annotated[str | None, typer.Argument(help="its name; the first by default")] = None,
    command: Annotated[list[str] | None, typer.Argument(help="what to run there; a shell by default")] = None,
    *,
    name: Name = DEFAULT,
) -> None:
    """Open a shell on a host, or run a command there."""
    found = [each for each in lab.status(name, var=settings().var) if each.pid and host in (None, each.name)]
    if not found:
        raise Failed(f"no such host runs in lab {name!r}: see `ghostcp lab status`, `ghostcp lab up`")
    chosen = found[0]
    words = ["ssh", *lab.ssh.options(chosen.lab), "-i", str(chosen.ssh_key), f"root@{chosen.ipv4}"]
    os.execvp("ssh", [*words, *(["--", *command] if command else [])])  # noqa: S606


def halt(name: str, var: Path) -> None:
    """Stops the hosts and takes their network away; their files stay, so that they start as they were."""
    place = lab.Lab(name, var)
    with locked(place.lock):
        hosts.halt(place)
        network.remove(place)
        place.lock.unlink()


@contextmanager
def told() -> Iterator[None]:
    """What a lab cannot do, as a failure of the command."""
    try:
        yield
    except (lab.LabUnavailable, lab.LabFailed, ValueError) as error:
        raise Failed(str(error)) from None


def say(text: str) -> None:
    err.print(text, markup=False)
