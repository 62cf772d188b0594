"""What Ansible and ssh are told of the hosts of a lab."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from inventories.lab import ssh
from inventories.lab.host import LabHost

GROUP = "ghostcp_hosts"


def render(hosts: Iterable[LabHost]) -> str:
    """An Ansible inventory in YAML with all hosts in one group."""
    named = {host.name: _variables(host) for host in hosts}
    body = yaml.safe_dump({GROUP: {"hosts": named}}, sort_keys=False, width=1000)
    return f"---\n# Managed by GhostCP: written by `ghostcp lab up`.\n{body}"


def _variables(host: LabHost) -> dict[str, Any]:
    return {
        "ansible_host": host.ipv4,
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_private_key_file": str(host.ssh_key),
        "ansible_ssh_common_args": shlex.join(ssh.options(host.lab)),
        "ansible_control_path": str(host.lab.control_path(host.index, "ansible")),
    }


def known_hosts(hosts: Iterable[LabHost], keys: Mapping[int, str]) -> str:
    """The pinned host keys, by address and name, in the format of sshd(8)."""
    return "".join(
        f"{host.name},{host.ipv4},{host.ipv6} {' '.join(keys[host.index].split()[:2])}\n" for host in hosts
    )
