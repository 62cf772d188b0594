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


def answering(entries: Sequence[Entry], answers: Sequence[tuple[str, str]], *, wild: bool) -> Sequence[Entry]:
    """A zone's records and these answers (name, value), as far as what was written leaves room for them.

    `wild`: what wildcards say of names that are there by nothing but answers below them is said at these. They would
    say it no longer (RFC 4592, section 2.2.2), and a site or a name server be without its address for as long.
    """
    if not answers:
        return entries
    taken = {entry.name for entry in entries if entry.type == "CNAME"}
    said = {(entry.name, entry.text) for entry in entries if entry.type == "TXT"}
    given = [Entry(name, "TXT", SECONDS, f'"{value}"') for name, value in answers if name not in taken]
    new = [each for each in given if (each.name, each.text) not in said]
    there = Counter(name for name, _ in said) + Counter(each.name for each in new)
    new = [each for each in new if there[each.name] <= MOST_OF_A_TYPE]
    return [*entries, *new, *(_unveiled(entries, new) if wild else ())]


def _unveiled(entries: Sequence[Entry], answers: Iterable[Entry]) -> list[Entry]:
    """What wildcards said of names, and of those below, that are there by answers alone."""
    wild: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.name.startswith("*"):
            wild.setdefault(entry.name[2:] or APEX, []).append(entry)
    there = {up for entry in entries for up in above(entry.name)} if wild else set()
    names = {up for answer in answers for up in above(answer.name) if up != answer.name} - there
    return [
        entry._replace(name=name, uid="")
        for new in sorted(names)
        for entry in wild.get(next((up for up in above(new) if up in there), APEX), ())
        for name in (new, f"*.{new}")
    ]
