"""A small host in a directory: the files that the hands read, validators as scripts, and no daemons."""

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from playbooks.module_utils.ghostcp.host import Host

VALIDATOR = """#!/bin/sh
# Refuses files with a line "bad", and the second of two files with the same "zone X" line; names the file,
# or the one that another needs.
cd "$GHOSTCP_LIVE/$(basename "$0")" 2>/dev/null || exit 0
for file in $(find . -name '*.conf' | sort); do
    if grep -qx bad "$file"; then
        echo "[emerg] unknown directive in /etc/ghostcp/live/$(basename "$0")/${file#./}:1"
        exit 1
    fi
    needed=$(sed -n 's/^needs //p' "$file")
    if [ -n "$needed" ] && [ ! -e "$needed" ]; then
        echo "[emerg] cannot load \\"/etc/ghostcp/live/$(basename "$0")/$needed\\": No such file"
        exit 1
    fi
    if grep -qx vague "$file"; then
        echo "something is wrong"
        exit 1
    fi
done
"""


def no_daemons(argv: Sequence[str], timeout: float) -> tuple[int, str]:
    """A systemctl that knows no unit."""
    units = [word for word in argv if word.endswith(".service")]
    return 0, "\n\n".join(f"Id={unit}\nLoadState=not-found\nActiveState=inactive" for unit in units)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    if os.geteuid() != 0:
        pytest.skip("needs root: it makes files of other users")
    return furnish(tmp_path / "root")


def furnish(root: Path) -> Host:
    for folder in ("etc", "home", "run", "usr/sbin", "var/lib", "var/spool/cron/crontabs", "etc/ghostcp"):
        (root / folder).mkdir(parents=True)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/bin/sh\n")
    (root / "etc/shadow").write_text("root:*:20000:0:99999:7:::\nwww-data:*:20000:0:99999:7:::\n")
    (root / "etc/group").write_text("root:x:0:\nwww-data:x:33:\n")
    (root / "etc/gshadow").write_text("root:*::\nwww-data:!::\n")
    (root / "etc/shadow").chmod(0o640)
    for name in ("nginx", "php-fpm8.4"):
        (root / "usr/sbin" / name).write_text(VALIDATOR)
        (root / "usr/sbin" / name).chmod(0o755)
    return Host(str(root), no_daemons)
