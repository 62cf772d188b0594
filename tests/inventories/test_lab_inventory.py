"""What Ansible and ssh are told of a lab."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inventories.lab import Lab, LabHost, inventory

ROOT = Path(__file__).resolve().parents[2]


def hosts(var: Path) -> list[LabHost]:
    lab = Lab("demo", var)
    return [LabHost(lab.host_name(n), n, lab, f"10.213.0.{10 + n}", f"fd00::{n}", None) for n in (1, 2)]


def test_all_hosts_are_in_one_group_and_pinned(tmp_path: Path) -> None:
    content = yaml.safe_load(inventory.render(hosts(tmp_path)))["ghostcp_hosts"]["hosts"]
    assert list(content) == ["demo-1", "demo-2"]
    assert content["demo-2"]["ansible_host"] == "10.213.0.12"
    assert content["demo-1"]["ansible_python_interpreter"] == "/usr/bin/python3"
    assert "StrictHostKeyChecking=yes" in content["demo-1"]["ansible_ssh_common_args"]


def test_known_hosts_name_a_host_by_name_and_both_addresses(tmp_path: Path) -> None:
    lines = inventory.known_hosts(
        hosts(tmp_path), {1: "ssh-ed25519 KEY1 comment", 2: "ssh-ed25519 KEY2 comment"}
    )
    assert lines.splitlines()[1] == "demo-2,10.213.0.12,fd00::2 ssh-ed25519 KEY2"


@pytest.mark.parametrize("name", ["", "-x", "x-", "UPPER", "a/b", "..", "a\n", "x" * 40])
def test_a_lab_is_named_like_a_host(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no name for a lab"):
        Lab(name, tmp_path)


def test_labs_of_one_name_in_two_places_share_nothing(tmp_path: Path) -> None:
    one, other = Lab("demo", tmp_path / "one"), Lab("demo", tmp_path / "other")
    assert one.bridge != other.bridge
    assert one.cgroup(1) != other.cgroup(1)
    assert len(one.link(99)) <= 15


@pytest.mark.parametrize("kind", ["example", "vagrant"])
def test_an_inventory_that_we_ship_can_be_read(kind: str) -> None:
    command = [
        str(Path(sys.executable).parent / "ansible-inventory"),
        "-i",
        f"inventories/{kind}/hosts.yml",
        "--list",
    ]
    content = json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout)
    assert content["ghostcp_hosts"]["hosts"]
