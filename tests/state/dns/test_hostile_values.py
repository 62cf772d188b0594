"""Values made to be read slowly: each takes a time that grows as its length does, whatever it says."""

import subprocess
import sys

from state.dns.values import TYPES

_SECONDS = 15
"""Of processor time, for all of them; one value alone took 26 where a place was tried again and again."""
_SCRIPT = """
import resource, sys
from contextlib import suppress
from state.dns.values import rdata
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[1]), int(sys.argv[1])))
for record_type, value in (line.split(" ", 1) for line in sys.stdin.read().splitlines()):
    with suppress(ValueError):
        rdata(record_type, value, 0, "example.com")
print("read")
"""
_VALUES = [
    *(
        f'{record_type} "{fill * (64000 // len(fill))}'
        for record_type in TYPES
        for fill in ('\\"', "(", "a.", "\\")
    ),
    f'HTTPS 1 . key7="/{{{"dns," * 16000}"',
    f'SVCB 1 . alpn="{"h2," * 20000}"',
    f'NAPTR 1 1 "u" "s" "!{"(a" * 100}!b!" .',
]


def test_what_is_made_to_be_slow_is_read_as_fast_as_anything() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, str(_SECONDS)],
        check=False,
        input="\n".join(_VALUES),
        capture_output=True,
        text=True,
    )
    assert done.stdout == "read\n", done.stderr
