"""Zones of other name servers brought in, served and handed out again: by commands, with real BIND on both sides."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventories import lab
from tests.lab.control import until
from tests.lab.doors import Doors, control_plane_processes

pytestmark = pytest.mark.lab
KEY = 'key "move" { algorithm hmac-sha256; secret "c2VjcmV0IG9mIHR3byBzaWRlcyE="; };\n'
CONFIG = """
options { directory "/tmp/elsewhere"; listen-on port 5300 { any; }; listen-on-v6 { none; }; recursion no;
  pid-file none; session-keyfile none; dnssec-validation no; allow-transfer { none; }; };
controls { };
include "/tmp/elsewhere/key";
zone "moved.test" { type primary; file "moved.zone"; allow-transfer { key "move"; }; };
"""
FILE = """\
$TTL 1h
@ IN SOA ns1.example.net. first\\.last.example.net. ( 3000000001 7200 900 1209600 60 )
@ NS ns1
@ NS ns2.example.net.
ns1 A 192.0.2.1
@ A 192.0.2.2
@ AAAA 2001:db8::2
@ MX 10 mail
@ TXT "v=spf1 mx -all"
@ CAA 0 issue "ca.example"
mail A 192.0.2.3
www CNAME @
*.dev CNAME www
_sip._udp SRV 10 5 5060 sip.example.net.
sip NAPTR 100 10 "S" "SIP+D2U" "" _sip._udp
_443._tcp.www TLSA 3 1 1 abababababababababababababababababababababababababababababababab
host SSHFP 4 2 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd
sub NS ns.sub
ns.sub AAAA 2001:db8::53
sub DS 60485 13 2 efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef
h HTTPS 1 . alpn=h2 ipv4hint=192.0.2.2
_dns SVCB 1 dot.example.net. alpn=dot port=853
4 PTR host
odd HINFO cpu os
long TXT ( "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
  "y;(z" )
"""


@pytest.fixture(scope="module")
def doors(lab_host: lab.LabHost, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    var = tmp_path_factory.mktemp("var")
    networks = {"GHOSTCP_TRANSFER_NETWORKS": f"{lab_host.ipv4}/32", "GHOSTCP_SWEEP_SECONDS": "3600"}
    with control_plane_processes(lab_host, var, **networks) as made:
        user = {"username": "mia", "email": "mia@example.com", "password": "long enough"}
        made.json("POST", "/users?wait=60", 201, **user)
        yield made


@pytest.fixture(scope="module")
def elsewhere(doors: Doors) -> Iterator[None]:
    """Another name server, which has the zone and gives it to who knows the key."""
    lines = "mkdir -p /tmp/elsewhere && cd /tmp/elsewhere"
    for name, text in (("key", KEY), ("named.conf", CONFIG), ("moved.zone", FILE)):
        lines += f"\ncat > {name} <<'END'\n{text}END"
    doors.run(f"{lines}\nsystemd-run --unit elsewhere named -f -c /tmp/elsewhere/named.conf")
    until("the other server answers", lambda: "3000000001" in transferred(doors, "5300"))
    yield
    doors.run("systemctl stop elsewhere; rm -r /tmp/elsewhere")


def transferred(doors: Doors, port: str) -> str:
    return doors.run(f"dig +noall +answer @127.0.0.1 -p {port} moved.test SOA || true")


def records(doors: Doors, port: int) -> set[str]:
    """Every record that the name server at this port answers with, asked for one by one."""
    found = set[str]()
    for line in FILE.replace("( ", "").splitlines()[2:-1]:
        name, kind = line.split()[0], line.split()[1]
        whole = "moved.test" if name == "@" else name.replace("*", "any") + ".moved.test"
        told = doors.run(f"dig +noall +answer +authority +norecurse @127.0.0.1 -p {port} {whole} {kind}")
        found |= {" ".join(each.split()) for each in told.splitlines() if kind in each}
    return found


def test_a_zone_is_transferred_and_then_served_just_as_it_was(
    doors: Doors, elsewhere: None, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(KEY)
    server = ("--server", doors.host.ipv4, "--port", "5300")
    refused = doors.cli("import", "zone", "moved.test", *server, "--user", "mia")
    assert refused.returncode == 1
    assert "did not hand moved.test over" in refused.stderr
    assert "502" in refused.stderr
    tried = doors.cli(
        "import", "zone", "moved.test", *server, "--key", str(key), "--user", "mia", "--dry-run"
    )
    assert tried.returncode == 2, tried.stderr
    assert "+ www 3600 IN CNAME moved.test." in tried.stdout
    assert doors.json("GET", "/dns")["total"] == 0
    done = doors.cli("import", "zone", "moved.test", *server, "--key", str(key), "--user", "mia")
    assert done.returncode == 0, done.stderr
    (left,) = (line for line in done.stdout.splitlines() if line.startswith("!"))
    assert left.endswith('odd HINFO "cpu" "os": left out: records of type HINFO are not served here')
    assert records(doors, 53) == {each for each in records(doors, 5300) if "HINFO" not in each}
    serial = doors.run("dig +short @127.0.0.1 moved.test SOA").split()[2]
    assert serial == "3000000002"


def test_what_is_handed_out_is_brought_in_unchanged_and_a_replacement_is_served(
    doors: Doors, elsewhere: None, tmp_path: Path
) -> None:
    out = doors.cli("export", "zone", "moved.test")
    assert out.returncode == 0, out.stderr
    file = tmp_path / "moved.zone"
    file.write_text(out.stdout)
    again = doors.cli("import", "zone", "moved.test", str(file), "--replace")
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    doors.run("mkdir -p /tmp/judged")
    lab.exec(doors.host, ["sh", "-c", "cat > /tmp/judged/zone"], stdin=out.stdout)
    assert "OK" in doors.run("named-checkzone moved.test /tmp/judged/zone; rm -r /tmp/judged")
    file.write_text("@ NS ns2.example.net.\nonly 60 A 192.0.2.9\n")
    guarded = doors.cli("import", "zone", "moved.test", str(file), "--replace")
    assert guarded.returncode == 3
    assert "records would be deleted" in guarded.stderr
    meant = ("--replace", "--allow-deletes", "100")
    assert doors.cli("import", "zone", "moved.test", str(file), *meant).returncode == 0
    assert doors.run("dig +short @127.0.0.1 only.moved.test A") == "192.0.2.9\n"
    assert doors.run("dig +short @127.0.0.1 www.moved.test A") == ""
    file.write_text("@ NS ns2.example.net.\nbad A 192.0.2\n$INCLUDE /etc/shadow\n")
    wrong = doors.cli("import", "zone", "moved.test", str(file), "--replace")
    assert wrong.returncode == 1
    assert "line 2" in wrong.stderr
    assert "line 3: other files are not read" in wrong.stderr
    assert doors.run("dig +short @127.0.0.1 only.moved.test A") == "192.0.2.9\n"


@pytest.mark.parametrize("server", ["127.0.0.1", "localhost", "169.254.169.254", "10.0.0.1", "::1", "0"])
def test_no_server_is_asked_that_is_not_public(doors: Doors, server: str) -> None:
    answer = doors.json("POST", "/dns/import", 422, domain="other.test", server=server)
    assert "not public" in answer["details"]["errors"][0]["message"]
