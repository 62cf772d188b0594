"""Names and values that were made to do harm are refused at the door, and the field is named."""

from collections.abc import Iterator
from typing import Any

import pytest

from state import store
from state.database import Database
from state.document import Document
from state.errors import Conflict, Invalid
from state.kinds import KINDS
from state.targets import list_hosts

EVIL = {
    "newline": "a\nb",
    "trailing newline": "ab\n",
    "carriage return": "a\rb",
    "nul": "a\0b",
    "single quote": "a'b",
    "double quote": 'a"b',
    "backtick": "a`id`",
    "brace": "a{b}",
    "template": "{{ 7 * 7 }}",
    "semicolon": "a;b",
    "dollar": "a$(id)",
    "space": "a b",
    "slash": "a/b",
    "parent": "../a",
    "dots": "a..b",
    "option": "-rf",
    "percent": "a%2e%2eb",
    "long": "a" * 300,
    "empty": "",
    "right to left": "a\u202eb",
    "line separator": "a\u2028b",
    "surrogate": "a\ud800b",
}
SITES = {
    **{label: f"{text}.example.com" for label, text in EVIL.items()},
    "newline at the end": "example.com\n",
    "cyrillic among latin": "p\u0430ypal.com",
    "greek among latin": "go\u03bfgle.com",
    "punycode of a mixed label": "xn--pypal-4ve.com",
    "an address": "192.0.2.1",
    "a public suffix": "co.uk",
    "one label": "localhost",
    "a leading hyphen": "-x.example.com",
    "a long label": f"{'a' * 64}.example.com",
}
SYSTEM = ["root", "www", "default", "nginx", "www-data", "admin", "nobody", "mysql", "postmaster", "ghostcp"]


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('state')}/ghostcp.db")
    database.migrate()
    with database.writing() as connection:
        list_hosts(connection, {"web1": "192.0.2.10"})
        store.create(connection, KINDS["Package"], "default", "admin", {}, actor="test")
        for name in ("ann", "bob"):
            store.create(connection, KINDS["User"], name, "admin", {"email": "x@example.com"}, actor="test")
    yield database
    database.close()


def create(database: Database, kind: str, name: str, owner: str = "admin", **values: Any) -> Document:
    with database.writing() as connection:
        if kind == "User":
            values.setdefault("email", "someone@example.com")
        return store.create(connection, KINDS[kind], name, owner, values, actor="test")


def refused(database: Database, kind: str, name: str, owner: str = "admin", **values: Any) -> set[str]:
    """The fields that are found faulty."""
    with pytest.raises(Invalid) as found:
        create(database, kind, name, owner, **values)
    return {fault.field for fault in found.value.faults}


@pytest.mark.parametrize("name", [*EVIL.values(), *SYSTEM], ids=[*EVIL, *SYSTEM])
def test_a_hostile_or_reserved_user_name_is_refused(database: Database, name: str) -> None:
    assert refused(database, "User", name) == {"username"}


@pytest.mark.parametrize("name", SITES.values(), ids=SITES)
def test_a_hostile_site_name_is_refused(database: Database, name: str) -> None:
    assert "domain" in refused(database, "WebDomain", name, "ann")


@pytest.mark.parametrize("name", SITES.values(), ids=SITES)
def test_a_hostile_alias_is_refused(database: Database, name: str) -> None:
    assert refused(database, "WebDomain", "example.org", "ann", aliases=[name]) <= {"aliases", "aliases.0"}


LEGAL_IN_A_WORD = {"dots", "option", "parent", "long", "empty", "slash"}
WORDS = {label: text for label, text in EVIL.items() if label not in LEGAL_IN_A_WORD}
BASE = "/home/ann/web/example.org"
ROOTS = [
    "/etc",
    "/home/bob/web/example.org/public_html",
    f"{BASE}",
    f"{BASE}/",
    f"{BASE}/../../../bob",
    f"{BASE}/./x",
    f"{BASE}//x",
    f"{BASE}/x/",
    f"{BASE}/-x",
    f"{BASE}/.ssh",
    f"{BASE}x/public_html",
    f"{BASE}/{'a' * 256}",
    "public_html",
    "",
]


@pytest.mark.parametrize("text", WORDS.values(), ids=WORDS)
def test_a_hostile_value_is_refused_in_each_field_that_reaches_a_host(database: Database, text: str) -> None:
    templates = dict.fromkeys(("web_template", "backend_template", "proxy_template"), text)
    for field, value in {"document_root": f"{BASE}/{text}", **templates}.items():
        assert refused(database, "WebDomain", "example.org", "ann", **{field: value}) == {field}
    assert refused(database, "User", "carl", shell=f"/bin/{text}") == {"shell"}
    assert refused(database, "User", "carl", email=f"{text}\n@example.com") == {"email"}
    assert refused(database, "User", "carl", timezone=text + ";") == {"timezone"}


@pytest.mark.parametrize("root", ROOTS)
def test_a_document_root_outside_the_site_is_refused(database: Database, root: str) -> None:
    assert refused(database, "WebDomain", "example.org", "ann", document_root=root) == {"document_root"}


@pytest.mark.parametrize(
    "text", ["a\nb", "a\0b", "a\u2028b", "a\x85b", "a\x1bb", "a\u202eb", "a\ud800b", "a" * 300]
)
def test_a_full_name_is_one_printable_line(database: Database, text: str) -> None:
    assert refused(database, "User", "carl", full_name=text) == {"full_name"}


def test_a_name_of_another_tenant_and_all_below_it_are_taken(database: Database) -> None:
    create(database, "WebDomain", "example.com", "ann", aliases=["shop.example.com"])
    for taken in ("example.com", "EXAMPLE.com", "shop.example.com", "*.example.com", "a.b.example.com"):
        with pytest.raises(Conflict):
            create(database, "WebDomain", "example.org", "bob", aliases=[taken])
        if not taken.startswith("*"):
            with pytest.raises(Conflict):
                create(database, "WebDomain", taken, "bob")


def test_an_international_name_and_its_punycode_are_one(database: Database) -> None:
    assert create(database, "WebDomain", "b\u00fccher.example", "ann").name == "xn--bcher-kva.example"
    for twin in ("xn--bcher-kva.example", "B\u00dcCHER.example", "bu\u0308cher.example"):
        with pytest.raises(Conflict):
            create(database, "WebDomain", twin, "bob")
