"""What a validator says, as it may be told: who reads it knows the tree, and nothing else of the host."""

import pytest

from playbooks.module_utils.ghostcp.host import Host
from playbooks.module_utils.ghostcp.validate import VALIDATORS, read
from tests.playbooks.calls import config, make

NGINX, FPM, *_ = VALIDATORS
LIVE = "/etc/ghostcp/live"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'unknown directive "root:*:20000:0:99999:7:::" in /etc/shadow:1',
            'unknown directive "…" in /etc/shadow:1',
        ),
        (
            '"secret" directive is not allowed here in /etc/x.conf:3',
            '"…" directive is not allowed here in /etc/x.conf:3',
        ),
        (
            'unexpected end of file, expecting ";" or "}" in /etc/shadow:9',
            'unexpected end of file, expecting "…" in /etc/shadow:9',
        ),
        ('unknown directive "one\nsecret" in /etc/x.conf:1', 'unknown directive "…" in /etc/x.conf:1'),
        ('unknown directive "one " secret" in /etc/x.conf:1', 'unknown directive "…" in /etc/x.conf:1'),
        (
            f'unknown directive "one" in {LIVE}/nginx/a.conf:1',
            'unknown directive "one" in nginx/a.conf:1',
        ),
        (
            f'open() "/etc/nothing" failed (2: No such file) in {LIVE}/nginx/a.conf:4',
            'open() "/etc/nothing" failed (2: No such file) in nginx/a.conf:4',
        ),
    ],
)
def test_nginx_quotes_nothing_of_files_outside_of_the_tree(said: str, told: str) -> None:
    failed = "nginx: configuration file /etc/nginx/nginx.conf test failed"
    complaint = read(f"nginx: [emerg] {said}\n{failed}\n", NGINX)
    assert complaint.message == f"[emerg] {told} {failed.removeprefix('nginx: ')}"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("[/etc/shadow:1] unknown entry 'secret'", '[/etc/shadow:1] unknown entry "…"'),
        (
            "syntax error, unexpected 'secret' in /etc/shadow on line 1",
            'syntax error, unexpected "…" in /etc/shadow on line 1',
        ),
        (
            f"[{LIVE}/php8.4-fpm/a.conf:1] unknown entry 'one'",
            "[php8.4-fpm/a.conf:1] unknown entry 'one'",
        ),
    ],
)
def test_nor_does_php_fpm(said: str, told: str) -> None:
    assert read(f"[25-Nov-2026 12:00:00] ERROR: {said}\n", FPM).message == f"ERROR: {told}"


def test_a_complaint_that_names_no_file_of_ours_is_told_of_the_only_change(host: Host) -> None:
    results = make(host, config("a.conf", "vague\n"))["results"]
    assert results == {"config:nginx/a.conf": {"status": "refused", "message": "something is wrong"}}
