"""Where an authority looks for the answers of dns-01 (RFC 8555, section 8.4), and what there is in their way."""

from collections import Counter
from collections.abc import Iterable, Sequence

from state.compiling import Reason
from state.dns.names import APEX, above, owner_name
from state.dns.sizes import MOST_OF_A_TYPE
from state.dns.zone import Entry

LABEL = "_acme-challenge"
SECONDS = 60
"""For how long an answer may be kept: it is there for less than that."""


def challenge_name(name: str, zone: str) -> str:
    """Where the answer for a name, or for all right below it (``*.``), is in its zone. Raises ValueError when it is too
    long."""
    return owner_name(f"{LABEL}.{name.removeprefix('*.')}.", zone)


def obstacle(where: str, records: Iterable[tuple[str, str, str]]) -> Reason | None:
    """Why an answer there would not be found, beside these records: name, type, value."""
    delegated = set(above(where)) - {APEX}
    for name, record_type, value in records:
        if record_type == "CNAME" and name == where:
            message = f"{where} leads to {value} (CNAME), where no answer can be given: delete that record"
            return Reason("ChallengeDelegated", message)
        if record_type == "NS" and name in delegated:
            message = f"{name} is served by {value} (NS), where no answer can be given: delete that record"
            return Reason("ChallengeDelegated", message)
    return None


def answering(entries: Sequence[Entry], answers: Iterable[tuple[str, str]]) -> list[Entry]:
    """A zone's records and these answers (name, value), as far as what was written leaves room for them."""
    taken = {entry.name for entry in entries if entry.type == "CNAME"}
    said = {(entry.name, entry.text) for entry in entries if entry.type == "TXT"}
    given = [Entry(name, "TXT", SECONDS, f'"{value}"') for name, value in answers if name not in taken]
    new = [each for each in given if (each.name, each.text) not in said]
    there = Counter(name for name, _ in said) + Counter(each.name for each in new)
    return [*entries, *(each for each in new if there[each.name] <= MOST_OF_A_TYPE)]
