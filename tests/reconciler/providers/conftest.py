"""Fixtures: a PowerDNS for the session, a stub of Cloudflare, and control planes that have one as a provider."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from state.database import Database
from tests.reconciler.providers.cloudflare import Cloudflare, cloudflare
from tests.reconciler.providers.plane import Plane, plane_with
from tests.reconciler.providers.powerdns import PowerDns, powerdns

CLOUDFLARE = "octodns_cloudflare.CloudflareProvider"
POWERDNS = "octodns_powerdns.PowerDnsProvider"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PowerDns]:
    with powerdns(tmp_path_factory.mktemp("powerdns") / "server") as running:
        yield running


@pytest.fixture
def plane(database: Database, server: PowerDns, tmp_path: Path) -> Iterator[Plane]:
    server.clear()
    with plane_with(database, tmp_path, POWERDNS, server.options) as made:
        yield made


@pytest.fixture
def stub() -> Iterator[Cloudflare]:
    with cloudflare() as running:
        yield running


@pytest.fixture
def there(database: Database, stub: Cloudflare, tmp_path: Path) -> Iterator[Plane]:
    """A control plane with the stub as its provider."""
    with plane_with(database, tmp_path, CLOUDFLARE, stub.options) as made:
        yield made
