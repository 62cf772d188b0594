"""A service's own validator, run on a staged tree as if that tree were live already.

The validator runs in a mount namespace of its own in which the staged tree lies over the live one, so that it
reads the very paths that the daemon will read, while the daemon still reads the old ones.
"""

import ctypes
import os
import re
import resource
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from . import bind_check
from .generations import LIVE
from .host import Host

SECONDS = 120.0
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000


@dataclass(frozen=True, slots=True)
class Validator:
    """How the units that match are judged, and how their complaints name files and sections.

    `command` is given the live tree and the staged one, and is empty when nothing of it is to be judged. Whose
    words name files that are not to blame has `blame`: what is said of those that are, by file.
    """

    unit: re.Pattern[str]
    command: Callable[[re.Match[str], str, str], tuple[str, ...]]
    sections: re.Pattern[str] | None = None
    blame: Callable[[str], Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    """What a validator has against a tree: its words, and the files (relative to the tree) it names; of some files it
    has words of their own."""

    message: str
    files: tuple[str, ...] = ()
    sections: tuple[str, ...] = ()
    installed: bool = True
    words: Mapping[str, str] = field(default_factory=dict)


VALIDATORS = (
    Validator(re.compile(r"nginx\Z"), lambda *_: ("/usr/sbin/nginx", "-t", "-q")),
    Validator(
        re.compile(r"php(\d+\.\d+)-fpm\Z"),
        lambda match, *_: (f"/usr/sbin/php-fpm{match.group(1)}", "-t"),
        re.compile(r"\[pool ([^\]\n]+)\]"),
    ),
    Validator(re.compile(r"named\Z"), bind_check.options),
    Validator(re.compile(r"named\Z"), bind_check.zones, blame=bind_check.blame),
)
_FILE = re.compile(re.escape(LIVE) + r"/([A-Za-z0-9_@.][A-Za-z0-9_@./-]*?)(?=:\d+|[\s'\"\]:,)]|$)")
_EACH = re.compile(r"^(?=nginx: |\[\d\d-\w{3}-\d{4} )", re.MULTILINE)
_PLACE = re.compile(r" in (/[^\s:]+)(?::| on line )\d+|\[(/[^\s:\]]+):\d+\]")
_QUOTED = re.compile(r"""(["']).*\1|["'].*(?= in /)""", re.DOTALL)
_NOISE = re.compile(r"^\[\d\d-\w{3}-\d{4} [\d:]+\] |^\d{4}/\d\d/\d\d [\d:]+ |^nginx: ", re.MULTILINE)


def validate(host: Host, tree: str, units: Iterable[str]) -> dict[str, Complaint]:
    """What the validators of `units` have against `tree`, all asked at the same time.

    Those that accept, and those of units that have no validator, have no complaint.
    """
    live, running, complaints = host.path(LIVE), [], {}
    for unit, validator, argv in _asked(units, live, tree):
        binary = host.path(argv[0])
        if os.path.exists(binary):
            running.append((unit, validator, _start([binary, *argv[1:]], tree, live)))
        else:
            words = f"{os.path.basename(binary)} is not installed on this host"
            complaints[unit] = Complaint(words, installed=False)
    for unit, validator, process in running:
        complaint = _verdict(validator, process)
        if complaint:
            complaints.setdefault(unit, complaint)
    return complaints


def _asked(units: Iterable[str], live: str, tree: str) -> Iterator[tuple[str, Validator, tuple[str, ...]]]:
    for unit in units:
        for validator in VALIDATORS:
            match = validator.unit.match(unit)
            argv = validator.command(match, live, tree) if match else ()
            if argv:
                yield unit, validator, argv


def _start(argv: list[str], tree: str, live: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "GHOSTCP_LIVE": live},
        preexec_fn=lambda: _enter(tree, live),  # noqa: PLW1509 - only one thread runs while validators start
    )


def _enter(tree: str, live: str) -> None:
    """As the daemon: with as many open files as may be, since BIND opens all it includes, and with `tree` for live."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    overlay(tree, live)


def _verdict(validator: Validator, process: "subprocess.Popen[bytes]") -> Complaint | None:
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Complaint(f"the validator did not finish within {SECONDS:.0f} s")
    return read(output.decode(errors="replace"), validator) if process.returncode else None


def read(text: str, validator: Validator) -> Complaint:
    """A complaint from the validator's output."""
    text = "".join(map(_discreet, _EACH.split(text)))
    lines = [
        line for line in text.splitlines() if not re.search(r"\b(NOTICE|WARNING)\b|\[(warn|notice)\]", line)
    ]
    words = "\n".join(lines) or text or "the validator refused without a word"
    apart = {name: shorten(said) for name, said in validator.blame(text).items()} if validator.blame else {}
    named = apart if validator.blame else dict.fromkeys(match.group(1) for match in _FILE.finditer(words))
    sections = tuple(dict.fromkeys(validator.sections.findall(words))) if validator.sections else ()
    return Complaint(shorten(words), tuple(named), sections, words=apart)


def _discreet(words: str) -> str:
    """One complaint; of a file outside of the tree it quotes nothing, since who reads it may not read that file."""
    places = [path for found in _PLACE.finditer(words) for path in found.groups() if path]
    if all(path.startswith(f"{LIVE}/") for path in places):
        return words
    return _QUOTED.sub('"…"', words)


def shorten(words: str) -> str:
    """The complaint for a reader who knows the tree: no times, no long paths, at most 500 characters."""
    text = _NOISE.sub("", words).replace(f"{LIVE}/", "")
    return " ".join(text.split())[:500]


def overlay(tree: str, live: str) -> None:
    """In this process only, let `live` show `tree`. OSError when the kernel refuses."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(_CLONE_NEWNS))
    _checked(libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))
    _checked(libc.mount(os.fsencode(tree), os.fsencode(live), None, _MS_BIND, None))


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
