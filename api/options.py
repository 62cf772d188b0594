"""What a request may ask for beside its body: waiting, a dry run, and being the first to change something."""

import re
from dataclasses import dataclass

from starlette.requests import Request

from state.errors import Fault, Invalid, Stale

LONGEST_WAIT = 60
_NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?")
_STATES, _ANY = re.compile(r'(W/)?"([^"-]*)[^"]*"'), re.compile(r'("[^"]*")')


@dataclass(frozen=True, slots=True)
class Options:
    """`wait`: for how many seconds the answer is held until the write is true on its host."""

    wait: float = 0
    dry_run: bool = False


def options(request: Request) -> Options:
    """The options of a write. Raises Invalid with every one that is unknown or wrong."""
    faults, wait, dry_run = [], 0.0, False
    for name, value in request.query_params.multi_items():
        if name == "wait" and _NUMBER.fullmatch(value) and float(value) <= LONGEST_WAIT:
            wait = float(value)
        elif name == "wait":
            faults.append(Fault(name, f"must be seconds, from 0 to {LONGEST_WAIT}"))
        elif name == "dry_run" and value.lower() in {"true", "false"}:
            dry_run = value.lower() == "true"
        elif name == "dry_run":
            faults.append(Fault(name, "must be true or false"))
        else:
            faults.append(Fault(name, "is no parameter of this request"))
    if faults:
        raise Invalid(faults)
    return Options(wait, dry_run)


def refuse_options(request: Request) -> None:
    """For what can be asked for in one way only. Raises Invalid with every parameter."""
    faults = [Fault(name, "is no parameter of this request") for name in request.query_params]
    if faults:
        raise Invalid(faults)


def expect(request: Request, state: int | str) -> bool:
    """Whether ``If-Match`` insists on what it was, which is then this state, the first part of its entity tags. Raises
    Stale when it is another (RFC 9110, section 13.1.1). The state alone is a tag too."""
    header = request.headers.get("if-match", "").strip()
    if header and header != "*" and ("", str(state)) not in _STATES.findall(header):
        raise Stale(f'it was changed: its entity tag begins with "{state} now, so read it again')
    return bool(header)


def is_known(request: Request, tag: str) -> bool:
    """Whether who asks has this very state already, as ``If-None-Match`` says (RFC 9110, section 13.1.2)."""
    header = request.headers.get("if-none-match", "").strip()
    return bool(header and tag) and (header == "*" or tag.removeprefix("W/") in _ANY.findall(header))
