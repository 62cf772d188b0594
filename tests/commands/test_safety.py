"""What of a configuration is unsafe or will not work."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from commands.facts import Facts, File, Role, Store
from commands.safety import Severity, examine, is_safe
from state.settings import Settings

NOW = datetime(2026, 5, 1, tzinfo=UTC)
UNSAFE, BROKEN, ADVICE = Severity


def facts(**settings: Any) -> Facts:
    chosen = Settings(var=Path("var"), inventory=Path("hosts.yml"), **settings)
    return Facts(chosen, NOW, "here", 1000, store=Store(machines=frozenset({"here"}), latest=NOW))


def found(given: Facts) -> list[tuple[Severity, str]]:
    return [(each.severity, each.subject) for each in examine(given)]


def networks(*texts: str) -> tuple[Any, ...]:
    return tuple(map(ip_network, texts))


def test_the_defaults_are_safe() -> None:
    assert examine(facts()) == ()
    assert is_safe(examine(facts()))


@pytest.mark.parametrize(
    ("settings", "severity", "subject"),
    [
        ({"listen": "0.0.0.0:80"}, UNSAFE, "LISTEN"),
        ({"listen": "[::]:80"}, UNSAFE, "LISTEN"),
        ({"listen": "panel.example:80"}, UNSAFE, "LISTEN"),
        ({"listen": "0.0.0.0:80", "trusted_proxies": networks("10.0.0.1")}, ADVICE, "LISTEN"),
        ({"trusted_proxies": networks("0.0.0.0/0")}, UNSAFE, "TRUSTED_PROXIES"),
        ({"trusted_proxies": networks("::/0")}, UNSAFE, "TRUSTED_PROXIES"),
        ({"metrics_networks": networks("0.0.0.0/1")}, UNSAFE, "METRICS_NETWORKS"),
        ({"webhook_networks": networks("0.0.0.0/0")}, UNSAFE, "WEBHOOK_NETWORKS"),
        ({"webhook_networks": networks("169.254.169.254")}, UNSAFE, "WEBHOOK_NETWORKS"),
        ({"webhook_networks": networks("10.0.0.0/8")}, ADVICE, "WEBHOOK_NETWORKS"),
        ({"cors_origins": ("*",)}, UNSAFE, "CORS_ORIGINS"),
        ({"cors_origins": ("http://panel.example",)}, UNSAFE, "CORS_ORIGINS"),
        ({"cors_origins": ("https://panel.example/",)}, BROKEN, "CORS_ORIGINS"),
        ({"cors_origins": ("panel.example",)}, BROKEN, "CORS_ORIGINS"),
        ({"database_url": "postgresql://db.example/x"}, UNSAFE, "DATABASE_URL"),
        ({"database_url": "postgresql:///x?host=db.example&sslmode=prefer"}, UNSAFE, "DATABASE_URL"),
        ({"database_url": "postgresql://u:p@localhost/x"}, ADVICE, "DATABASE_URL"),
        ({"redis_url": "rediss://redis.example"}, UNSAFE, "REDIS_URL"),
        ({"redis_url": "redis://:p@redis.example"}, ADVICE, "REDIS_URL"),
        ({"broker_url": "redis://localhost"}, BROKEN, "BROKER_URL"),
        ({"rate_authentication": 10_000}, ADVICE, "RATE_AUTHENTICATION"),
    ],
)
def test_a_setting_is_found(settings: dict[str, Any], severity: Severity, subject: str) -> None:
    assert found(facts(**settings)) == [(severity, f"GHOSTCP_{subject}")]


@pytest.mark.parametrize(
    "settings",
    [
        {"listen": "127.0.0.1:80"},
        {"listen": "[::1]:80"},
        {"listen": "localhost:80"},
        {"trusted_proxies": networks("10.0.0.0/8", "fd00::/16")},
        {"cors_origins": ("https://panel.example", "https://panel.example:8443", "http://localhost:3000")},
        {"database_url": "postgresql:///x?host=/run/postgresql"},
        {"database_url": "postgresql://db.example/x?sslmode=verify-full"},
        {
            "database_url": "postgresql:///x",
            "broker_url": "redis://127.0.0.1",
            "redis_url": "unix:///run/r.sock",
        },
        {"redis_url": "rediss://:p@redis.example"},
    ],
)
def test_what_is_safe_is_left_alone(settings: dict[str, Any]) -> None:
    assert found(facts(**settings)) == []


@pytest.mark.parametrize(
    ("role", "mode", "owner", "severities"),
    [
        (Role.SECRET, 0o600, 1000, []),
        (Role.SECRET, 0o600, 0, []),
        (Role.SECRET, 0o640, 1000, [UNSAFE]),
        (Role.SECRET, 0o602, 1000, [UNSAFE]),
        (Role.SECRET, 0o600, 1001, [UNSAFE]),
        (Role.SECRET, 0o666, 1001, [UNSAFE, UNSAFE]),
        (Role.FOLDER, 0o700, 1000, []),
        (Role.FOLDER, 0o755, 1000, [ADVICE]),
        (Role.FOLDER, 0o777, 1000, [UNSAFE]),
        (Role.TRUSTED, 0o755, 1000, []),
        (Role.TRUSTED, 0o775, 1000, [UNSAFE]),
    ],
)
def test_who_may_read_and_write_a_file(role: Role, mode: int, owner: int, severities: list[Severity]) -> None:
    given = replace(facts(), files=(File("path", role, mode, owner),))
    assert [severity for severity, _ in found(given)] == severities


@pytest.mark.parametrize(
    ("store", "words"),
    [
        (Store("it does not answer"), "does not answer"),
        (Store(behind=True), "older than the program"),
        (Store(administrator=False), "no administrator"),
        (Store(machines=frozenset({"here", "there"})), "several machines (there)"),
        (Store(latest=NOW + timedelta(seconds=61)), "61 s ahead"),
    ],
)
def test_what_the_database_says(store: Store, words: str) -> None:
    findings = examine(replace(facts(), store=store))
    assert [finding.severity for finding in findings] == [BROKEN]
    assert words in findings[0].message
    assert not is_safe(findings)


def test_postgresql_may_be_used_from_several_machines() -> None:
    given = facts(database_url="postgresql:///x")
    assert found(replace(given, store=Store(machines=frozenset({"one", "two"})))) == []


@pytest.mark.parametrize(("length", "severity"), [(11, UNSAFE), (12, ADVICE)])
def test_the_administrators_password_in_the_environment(length: int, severity: Severity) -> None:
    assert found(replace(facts(), password=length)) == [(severity, "GHOSTCP_ADMIN_PASSWORD")]


def test_an_inventory_that_cannot_be_read() -> None:
    given = replace(facts(), inventory_fault="it has no host")
    assert found(given) == [(BROKEN, "GHOSTCP_INVENTORY")]


def test_authorities_that_cannot_be_used() -> None:
    given = replace(facts(), authority_faults=("zerossl: hmac: it is no base64url", "house: roots"))
    assert found(given) == [(BROKEN, "GHOSTCP_AUTHORITIES")] * 2


def test_advice_is_no_fault() -> None:
    given = replace(facts(), uid=0, settings=Settings())
    assert found(given) == [(ADVICE, "GHOSTCP_INVENTORY"), (ADVICE, "user")]
    assert is_safe(examine(given))


def test_the_worst_comes_first() -> None:
    given = replace(facts(listen="0.0.0.0:80", cors_origins=("x",)), uid=0)
    assert [severity for severity, _ in found(given)] == [UNSAFE, BROKEN, ADVICE]
