"""What is told of a daemon that is there, stopped, masked or missing."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from playbooks.module_utils.ghostcp import loading, services
from playbooks.module_utils.ghostcp.host import Host


@pytest.mark.parametrize(
    ("load", "state", "told"),
    [
        ("loaded", "active", {"active": True, "current": True}),
        ("loaded", "failed", {"active": False, "current": False}),
        ("masked", "inactive", {"active": False, "current": False, "masked": True}),
        ("masked", "active", {"active": True, "current": True, "masked": True}),
        ("not-found", "inactive", None),
    ],
)
def test_a_masked_daemon_is_not_a_missing_one(
    tmp_path: Path, load: str, state: str, told: Mapping[str, bool] | None
) -> None:
    said = f"Id=nginx.service\nLoadState={load}\nActiveState={state}\n"
    host = Host(str(tmp_path), lambda _argv, _timeout: (0, said))
    assert services.observe(host, ["nginx"]) == {"nginx": told}
    if load == "masked":
        report = loading.bring_up(host, ["nginx"], frozenset({"nginx"}))["nginx"]
        assert (report.ok, report.message) == (False, "nginx is masked on this host: systemctl unmask nginx")
