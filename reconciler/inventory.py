"""Which hosts are managed: those of the group ``ghostcp_hosts`` in an Ansible inventory."""

import json
import subprocess
import sys
from pathlib import Path

from state.errors import Unreadable

GROUP = "ghostcp_hosts"


def inventory_hosts(path: Path) -> dict[str, str]:
    """Address by host name. Raises Unreadable when there is no such inventory or group, or it is empty."""
    program = str(Path(sys.executable).parent / "ansible-inventory")
    result = subprocess.run(
        [program, "-i", str(path), "--list"], check=False, capture_output=True, text=True, timeout=60
    )
    if result.returncode != 0 or not path.exists():
        raise Unreadable(f"the inventory {path} could not be read: {result.stderr.strip()[-500:]}")
    data = json.loads(result.stdout)
    variables = data.get("_meta", {}).get("hostvars", {})
    hosts = data.get(GROUP, {}).get("hosts", [])
    if not hosts:
        raise Unreadable(f"the inventory {path} has no host in the group {GROUP}")
    return {name: str(variables.get(name, {}).get("ansible_host", name)) for name in hosts}
