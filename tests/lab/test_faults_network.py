"""Hosts that cannot be reached, before or in the middle of it: their documents wait and say so, others go on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from inventories import lab
from state.database import Database
from tests.lab.control import Control, control_plane, drop_in, until

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def planes(lab_var: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Control, Control]]:
    """One control plane seen from each of its two hosts, with a tenant there: ann on the first, bea on the second."""
    hosts = lab.up("far", 2, var=lab_var)
    with control_plane(hosts[0], tmp_path_factory.mktemp("control"), sweep_seconds=5.0) as plane:
        other = Control(hosts[1], plane.settings, plane.database)
        until("both hosts are known", lambda: known(plane.database) == len(hosts))
        plane.ready(plane.tenant("ann"), other.tenant("bea"))
        yield plane, other
    lab.down("far", var=lab_var)


def known(database: Database) -> int:
    with database.reading() as connection:
        query = "SELECT count(*) FROM targets WHERE observed_at IS NOT NULL"
        return int(connection.exec_driver_sql(query).scalar_one())


def test_a_host_that_is_cut_off_waits_and_catches_up_even_after_a_restart(
    planes: tuple[Control, Control],
) -> None:
    near, far = planes
    kept, gone = far.site("kept.test", "bea"), far.site("gone.test", "bea")
    far.ready(kept, gone)
    lab.cut(far.host)
    try:
        kept = far.change(kept, aliases=["alias.kept.test"])
        far.remove(gone)
        neighbour = near.site("near.test", "ann")
        near.ready(neighbour)
        assert near.fetch("near.test")[0] == 200
        assert "does not answer" in far.says(kept, "Unreachable").message
        assert not far.target().reachable
        assert near.target().reachable
        near.stop()
        near.start()
    finally:
        lab.restore(far.host)
    far.ready(kept, seconds=120)
    far.gone(gone)
    until("the host counts as reachable", lambda: far.target().reachable)
    assert far.fetch("alias.kept.test")[0] == 200
    assert far.fetch("gone.test")[0] == 421


def test_what_a_cut_play_had_made_is_still_known_as_ours(planes: tuple[Control, Control]) -> None:
    _, far = planes
    with drop_in(far, "php8.4-fpm", "ExecReload=/bin/sleep 3"):
        with far.together():
            cleo = far.tenant("cleo")
            site = far.site("cleo.test", "cleo", backend_template="PHP-8.4")
        until("the account is made", lambda: far.run("id", "cleo", check=False))
        lab.cut(far.host)
        try:
            until("it is noticed", lambda: far.condition(site, "Ready"))
            assert far.condition(site, "Ready").reason in ("Unreachable", "Unknown")
            far.remove(cleo)
        finally:
            lab.restore(far.host)
    far.gone(cleo, seconds=120)
    far.gone(site)
    assert far.run("id", "cleo", check=False) == ""
    assert far.fetch("cleo.test")[0] == 421
    looked = far.target().observed_at
    until("the host was swept", lambda: far.target().observed_at != looked)
    assert far.target().unmanaged == ()


def test_a_host_that_froze_is_given_up_and_taken_up_again(planes: tuple[Control, Control]) -> None:
    near, far = planes
    lab.freeze(far.host)
    try:
        frozen, neighbour = far.site("frozen.test", "bea"), near.site("lively.test", "ann")
        near.ready(neighbour)
        far.says(frozen, "Unreachable")
    finally:
        lab.thaw(far.host)
    far.ready(frozen, seconds=120)
    assert far.fetch("frozen.test")[0] == 200
