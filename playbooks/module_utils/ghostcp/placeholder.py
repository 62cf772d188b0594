"""The certificate that sites show which have none yet: nobody trusts it, but nginx does not start without it.

It is made by a script, which systemd runs as well before it starts nginx.
"""

import os
import ssl
from collections.abc import Sequence

from .host import Host
from .wire import APPLIED, Attributes, Change, Handler, Observed, Outcome, failed

SCRIPT = "/usr/share/ghostcp/placeholder.sh"
FOLDER = "/etc/ghostcp"
SECONDS = 60.0


def observe(host: Host, names: Sequence[str]) -> Observed:
    """Whether certificate and key can be used together; None where neither is there."""
    return dict.fromkeys(names, _look(host))


def keep(host: Host) -> None:
    """Makes it anew if it cannot be used. Where that fails, those say so who need it."""
    if _look(host) != {"usable": True}:
        _make(host)


def apply(host: Host, changes: Sequence[Change]) -> dict[str, Outcome]:
    problem = _make(host)
    return {change.key: failed(problem) if problem else APPLIED for change in changes}


def _look(host: Host) -> Attributes | None:
    certificate, key = (host.path(f"{FOLDER}/placeholder.{ending}") for ending in ("crt", "key"))
    if not os.path.lexists(certificate) and not os.path.lexists(key):
        return None
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError):
        return {"usable": False}
    return {"usable": True}


def _make(host: Host) -> str:
    """What is wrong with making it; empty when it was made."""
    script = host.path(SCRIPT)
    if not os.path.exists(script):
        return f"{SCRIPT} is missing: prepare the host anew"
    status, said = host.run(["sh", script, host.path(FOLDER), "anew"], SECONDS)
    return f"no certificate could be made: {' '.join(said.split())[:300]}" if status else ""


HANDLER = Handler(observe, apply)
