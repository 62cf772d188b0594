"""Accounts and their data on a real host, as its own tools see them."""

import time
from collections.abc import Iterator

import pytest

from state import resource
from state.resource import Resource
from tests.playbooks.remote import Hands, change, hands

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def host() -> Iterator[Hands]:
    with hands("hostaccounts") as found:
        yield found


def account(name: str, uid: int, *, shell: str = "/bin/bash", locked: bool = False) -> Resource:
    return resource.account(name, uid=uid, comment="", home=f"/home/{name}", shell=shell, locked=locked)


def home(name: str) -> Resource:
    return resource.directory(f"/home/{name}", owner=name, group=name, mode="0750", data=True)


def test_a_thousand_accounts_take_less_than_three_seconds(host: Hands) -> None:
    people = [account(f"t{n:04}", 20_000 + n) for n in range(1000)]
    response = host.make(*people)
    assert {result["status"] for result in response["results"].values()} == {"applied"}
    assert response["elapsed"] < 3
    assert host.shell("getent passwd t0999") == "t0999:x:20999:20999::/home/t0999:/bin/bash\n"
    assert host.remove(*people)["elapsed"] < 10
    assert "t0999" not in host.shell("cat /etc/passwd /etc/shadow /etc/group /etc/gshadow")


def test_the_host_s_own_tools_find_nothing_wrong(host: Hands) -> None:
    host.make(account("alice", 10_001), home("alice"))
    host.shell("pwck -r -q && grpck -r && useradd -M bob && userdel bob")
    assert host.shell("id alice") == "uid=10001(alice) gid=10001(alice) groups=10001(alice)\n"
    assert "alice P" not in host.shell("passwd -S alice")


def test_a_locked_account_cannot_log_in_and_an_unlocked_one_can(host: Hands) -> None:
    login = "su alice -c true 2>/dev/null && echo in || echo out"
    host.make(account("alice", 10_001))
    assert host.shell(login) == "in\n"
    host.make(account("alice", 10_001, locked=True))
    assert host.shell("chage -l alice | grep -c 'Account expires.*1970'") == "1\n"
    host.make(account("alice", 10_001, shell="/bin/sh"))
    assert host.shell(login) == "in\n"


def test_an_account_in_another_group_differs_and_is_taken_out_of_it(host: Hands) -> None:
    host.make(account("alice", 10_001))
    host.shell("groupadd -f -r wheel && usermod -aG wheel,adm alice && gpasswd -A alice wheel")
    assert host.look("account:alice")["account:alice"]["groups"] == "adm,wheel"
    host.make(account("alice", 10_001))
    assert host.shell("id -Gn alice; grep alice /etc/group /etc/gshadow | cut -d: -f1,2") == (
        "alice\n/etc/group:alice\n/etc/gshadow:alice\n"
    )
    assert host.shell("grpck -r -q && echo well") == "well\n"


def test_an_account_goes_with_its_processes_and_its_home_is_kept(host: Hands) -> None:
    host.make(account("carol", 10_003), home("carol"))
    host.shell("echo dear > /home/carol/diary; setsid runuser -u carol -- sleep 1000 >/dev/null 2>&1 &")
    deadline = time.monotonic() + 10
    while "carol" not in host.shell("ps -eo user:20") and time.monotonic() < deadline:
        pass
    response = host.remove(home("carol"), account("carol", 10_003))
    assert [result["status"] for result in response["results"].values()] == ["applied", "applied"]
    assert host.shell("pgrep -u 10003 || echo none") == "none\n"
    assert host.shell("cat /home/.quarantine/*_home-carol_*/diary") == "dear\n"
    assert host.shell("stat -c %U:%a /home/.quarantine") == "root:700\n"
    assert host.shell("getent passwd carol || echo gone") == "gone\n"


def test_a_tenant_cannot_turn_root_elsewhere_with_a_link(host: Hands) -> None:
    host.make(account("eve", 10_004), home("eve"))
    host.shell("runuser -u eve -- ln -s /etc /home/eve/web")
    web = resource.directory("/home/eve/web/cron.d", owner="eve", group="eve", mode="0777")
    response = host.make(web)
    assert response["results"][web.key]["status"] == "failed"
    assert "symlink" in response["results"][web.key]["message"]
    assert host.shell("stat -c %U /etc/cron.d") == "root\n"


def test_a_superseded_controller_is_fenced_off(host: Hands) -> None:
    late = account("frank", 10_005)
    host.apply(token=10)
    assert host.apply(change(late, None), token=9) == {"version": 1, "fenced": True, "highest": 10}
    assert host.look(late.key) == {late.key: None}
    host.apply(change(late, None), token=10)
    assert host.look(late.key) == {late.key: late.attributes}
    host.shell("rm /var/lib/ghostcp/fence")
