"""What name servers are told of a zone that is handed on."""

import re
from types import SimpleNamespace

import pytest

from state.dns import transfer

SECRET = "c2VjcmV0" * 5


@pytest.mark.parametrize(
    ("active", "provider", "copied"),
    [(True, "local", True), (False, "local", False), (True, "cloudflare", False)],
)
def test_only_what_its_own_host_serves_is_copied(active: bool, provider: str, copied: bool) -> None:
    spec = SimpleNamespace(is_active=active, dns_provider=provider)
    assert transfer.copied(spec) is copied


def test_both_sides_name_the_key_that_the_file_has() -> None:
    file = transfer.key_file("example.com", SECRET)
    (name,) = re.findall(r'key "([^"]+)" \{', file)
    assert f'secret "{SECRET}";' in file
    assert "algorithm hmac-sha256;" in file
    given = "\n".join(transfer.given_to("example.com", ["192.0.2.2", "2001:db8::2"]))
    assert re.findall(r'key "([^"]+)"', given) == [name] * 3
    assert f'also-notify {{ 192.0.2.2 key "{name}"; 2001:db8::2 key "{name}"; }};' in given
    copy = transfer.copy_statement("example.com", "192.0.2.1")
    assert f'primaries {{ 192.0.2.1 key "{name}"; }};' in copy
    assert f'allow-notify {{ key "{name}"; }};' in copy
    assert transfer.with_key("example.com") in copy
    assert transfer.with_key("example.com").endswith(f'/private/{transfer.key_name("example.com")}";')


def test_a_journal_and_a_copy_have_files_of_their_own() -> None:
    journal, _ = transfer.in_parts("example.com")
    assert journal == 'journal "/var/cache/bind/journals/example.com";'
    assert 'file "/var/cache/bind/copies/example.com";' in transfer.copy_statement("example.com", "192.0.2.1")
