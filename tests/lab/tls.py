"""Speaking TLS to a lab host, with the programs that everybody has."""

import subprocess

from inventories import lab


def handshake(host: lab.LabHost, name: str, *options: str) -> str:
    """What `openssl s_client` tells of a handshake for a name, offering HTTP/2."""
    address = ("-connect", f"{host.ipv4}:443", "-servername", name)
    argv = ["openssl", "s_client", *address, "-alpn", "h2,http/1.1", *options]
    done = subprocess.run(argv, input=b"", capture_output=True, check=False, timeout=30)
    return (done.stdout + done.stderr).decode(errors="replace")


def curl(host: lab.LabHost, url: str, *options: str) -> tuple[int, str]:
    """Status and body of an answer; 0 when there is none. Every name is at the host."""
    at = ("--connect-to", f"::{host.ipv4}:")
    argv = ["curl", "-s", "--max-time", "10", "-w", "\n%{http_code}", *at, *options, url]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    body, _, code = done.stdout.rpartition("\n")
    return int(code or 0), body
