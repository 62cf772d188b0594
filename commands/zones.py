"""Zones as zone files: brought in from a file or from the server that has them, and written out."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from commands.client import Client, Values
from commands.console import CHANGES, GUARDED, Failed, end, err, out, plain
from commands.login import connect
from state.report import as_text, blocked_by_guard

app = typer.Typer(help="Bring in what another system has.", no_args_is_help=True)
_KEY = re.compile(
    r'\s*key\s+"?(?P<name>[^"\s{]+)"?\s*\{\s*algorithm\s+"?(?P<algorithm>[a-z0-9-]+)"?\s*;'
    r'\s*secret\s+"(?P<secret>[^"]+)"\s*;\s*\}\s*;?\s*',
    re.IGNORECASE,
)


@app.command("zone")
def import_zone(
    name: Annotated[str, typer.Argument(metavar="NAME", help="the zone, which is made when it is not there")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="a zone file, or - for standard input")
    ] = None,
    *,
    server: Annotated[
        str, typer.Option(help="transfer it from this name server (AXFR) in place of FILE")
    ] = "",
    port: Annotated[int, typer.Option(help="the port of that server")] = 53,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="a TSIG key for it, in a file as BIND has it")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="delete what the zone has and the file has not")
    ] = False,
    allow_deletes: Annotated[
        int, typer.Option("--allow-deletes", min=0, metavar="N", help="let --replace delete up to N records")
    ] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="say what would be done, and do nothing")
    ] = False,
    user: Annotated[str, typer.Option(metavar="NAME", help="whose a new zone is, unless it is yours")] = "",
    wait: Annotated[float, typer.Option(min=0, max=60, help="seconds to wait until it is served")] = 30,
) -> None:
    """Bring a zone in: all of its records or, when one is wrong, none.

    Exit status: 0 it is done, or nothing would change; 2 a dry run says that something would; 3 the guard forbids it;
    1 an error.
    """
    if (file is None) == (not server):
        raise Failed("name either a FILE or a --server")
    body: Values = {"domain": name, "mode": "replace" if replace else "merge"}
    if allow_deletes:
        body["allow_deletes"] = allow_deletes
    if server:
        body |= {"server": server, "port": port} | ({"tsig": _key(key)} if key else {})
    elif file is not None:
        body["zone_file"] = _text(file)
    with connect() as client:
        if user:
            body["user_id"] = _one(client, "users", "users", username=user)
        query = "dry_run=true" if dry_run else f"wait={wait:g}"
        made = client.post(f"/dns/import?{query}", body)
    for line in _lines(made["import"]):
        plain(line)
    if dry_run:
        plain(as_text({**made["report"], "documents": []}).rstrip("\n"))
        changed = any(made["import"][each] for each in ("added", "changed", "deleted"))
        end(GUARDED if blocked_by_guard(made["report"]) else CHANGES if changed else 0)
        return
    _conclude(made)


def export_zone(name: str) -> None:
    """Writes the zone as a zone file to standard output, which `import zone` takes back without a change."""
    with connect() as client:
        answer = client.send("GET", f"/dns/{_one(client, 'dns', 'zones', domain=name)}/export")
        if answer.is_error:
            client.values(answer)
    out.print(answer.text, markup=False, emoji=False, end="")


def _lines(report: Values) -> Iterator[str]:
    """What came of the records, as lines of a zone file."""
    yield from (f"- {line}" for line in report["deleted"])
    for each in report["changed"]:
        yield f"- {each['before']}"
        yield f"+ {each['after']}"
    yield from (f"+ {line}" for line in report["added"])
    for each in report["left_out"]:
        yield f"! {each['line']}: {each['record']}: left out: {each['reason']}"


def _conclude(made: Values) -> None:
    """Says what was done, and what keeps it from being served."""
    report, zone = made["import"], made["zone"]
    counts = (f"{len(report[name])} {name}" for name in ("added", "changed", "deleted"))
    err.print(f"{zone['domain']}: {', '.join(counts)}, {report['unchanged']} as they were.", markup=False)
    ready = next((each for each in zone["conditions"] if each["type"] == "Ready"), None)
    if ready is None or not ready["status"]:
        reason = f"{ready['reason']}: {ready['message']}" if ready else "nobody has looked at it"
        raise Failed(f"it is not served yet: {reason}")


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise Failed(f"{file} cannot be read: {error}") from None


def _key(file: Path) -> dict[str, str]:
    """The key of a file such as `tsig-keygen` writes: no secret stands in an argument of a process."""
    match = _KEY.fullmatch(_text(file))
    if match is None:
        raise Failed(
            f'{file} holds no key: it looks like  key "name" {{ algorithm hmac-sha256; secret "…"; }};'
        )
    return {**match.groupdict(), "algorithm": match["algorithm"].lower()}


def _one(client: Client, path: str, key: str, **query: str) -> str:
    """The id of the only object there is of this name."""
    found = client.get(f"/{path}", **query)[key]
    if len(found) != 1:
        raise Failed(f"there is no {' '.join(query.values())!r} among your {key}")
    return str(found[0]["id"])
