"""Destroy, at last, what has been in quarantine long enough."""

import json
import os
import re
import shutil
from collections.abc import Collection, Mapping
from typing import Any

from . import fence
from .host import Host, explain
from .quarantine import PLACE
from .wire import VERSION

STAMP = re.compile(r"\d{8}T\d{6}Z")


def purge(host: Host, request: Mapping[str, Any]) -> dict[str, Any]:
    """The response to a request for the `stamp` of an apply and the documents (`uids`) whose data it had put aside.

    They are removed with their notes. Nothing else is touched, and nothing at all when the token is too old.
    """
    stamp = str(request["stamp"])
    if not STAMP.fullmatch(stamp):
        raise ValueError("a stamp is a time such as 20260131T235959Z")
    with fence.exclusive(host):
        try:
            fence.pass_fence(host, int(request["token"]))
        except fence.FencedError as error:
            return {"version": VERSION, "fenced": True, "highest": error.highest}
        results = {name: _remove(host, name) for name in _entries(host, stamp, request["uids"])}
    return {"version": VERSION, "fenced": False, "results": results}


def _entries(host: Host, stamp: str, documents: Collection[str]) -> list[str]:
    """The entries of this stamp whose notes name one of the documents."""
    place = host.path(PLACE)
    try:
        names = sorted(os.listdir(place))
    except FileNotFoundError:
        return []
    mine = [name for name in names if name.startswith(f"{stamp}_") and not name.endswith(".json")]
    return [name for name in mine if _document(f"{place}/{name}.json") in documents]


def _document(note: str) -> str | None:
    """The document that a note names; None when there is no such note."""
    try:
        with open(note, encoding="utf-8") as file:
            return str(json.load(file)["document"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _remove(host: Host, name: str) -> dict[str, str]:
    """Remove one entry, then its note: after a crash the note still tells of the rest."""
    path = os.path.join(host.path(PLACE), name)
    try:
        shutil.rmtree(path)
        if os.path.exists(f"{path}.json"):
            os.unlink(f"{path}.json")
    except OSError as error:
        return {"status": "failed", "message": explain(error)}
    return {"status": "applied", "message": ""}
