"""One tenant's certificates leave room for those of others."""

import threading
from http.server import BaseHTTPRequestHandler

import pytest

from reconciler.certificates import clerk as clerks
from reconciler.certificates.clerk import AT_ONCE
from reconciler.certificates.restraint import sated
from state.certificates.jobs import ask_for_one
from state.reading import get
from tests.lab.control import until
from tests.reconciler.certificates.office import Office


def test_there_is_always_room_for_one_more_tenant() -> None:
    under_way: list[str] = []
    for number in range(5):
        while f"u{number}" not in sated(under_way, AT_ONCE):
            under_way.append(f"u{number}")
        assert len(under_way) < AT_ONCE
    assert under_way.count("u0") == AT_ONCE // 2
    assert sated([], AT_ONCE) == frozenset()


def test_whose_authority_hangs_keeps_nobody_from_theirs(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerks, "AT_ONCE", 4)
    go_on, hang = threading.Event(), threading.Event()

    def hanging(handler: BaseHTTPRequestHandler) -> bool:
        if handler.path.startswith("/order-plz") and hang.is_set():
            go_on.wait(60)
        return False

    office.fault = hanging
    hang.set()
    office.company.user("cleo", web_domains_limit=0)
    others = [office.company.user(name) for name in ("dora", "eve")]
    many = [office.site(f"s{number}.example", "cleo") for number in range(6)]
    beside = next(each for each in others if each.target == many[0].target)
    one = office.site("d.example", beside.name)
    try:
        with office.database.writing() as connection:
            asked = [ask_for_one(connection, get(connection, each.uid), "ssl_issue") for each in many]
        assert office.begun(one.target) == 2
        until("they hang", lambda: office.asked["order-plz"] == 2)
        hang.clear()
        assert office.ask(one).status == "completed"
    finally:
        go_on.set()
    until("those that hung are over", lambda: all(office.over(job) for job in asked[:2]))
