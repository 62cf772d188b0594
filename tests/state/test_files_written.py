"""What is written is read back the same: export, then import, is the identity."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from state.files.documents import judge
from state.files.folder import FileDocument, dump_documents, load, write
from state.files.yaml_source import sources
from state.kinds import KINDS
from state.validation import dump

WORD = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
TEXT = st.text(
    (st.characters(exclude_categories=("C", "Z")) | st.just(" ")).filter(
        lambda each: not "\U000e0000" <= each <= "\U000e0fff"
    ),
    max_size=40,
)
COUNT = st.integers(0, 2**53)
TEMPLATE = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True)
HOST = st.builds("{}.{}.example".format, WORD, WORD)
_LIMITED = "web_domains_limit dns_domains_limit mail_domains_limit databases_limit cron_jobs_limit"
LIMITS = dict.fromkeys(["disk_quota", "bandwidth_quota", *_LIMITED.split()], COUNT)
_FLAGS = "ssl_enabled ssl_force ssl_hsts letsencrypt_enabled letsencrypt_wildcard is_active is_suspended"
_NAMES = {
    "Certificate": "s.example",
    "WebDomain": "s.example",
    "DnsZone": "s.example",
    "DnsRecord": "www.s.example",
}
SPECS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Package": LIMITS
    | {
        "description": st.text(st.characters(exclude_categories=("Cs",)), max_size=60),
        "shell": st.sampled_from(["/usr/sbin/nologin", "/bin/bash"]),
        "web_template": TEMPLATE,
        "backend_template": st.none() | TEMPLATE,
        "proxy_template": st.none() | TEMPLATE,
    },
    "User": LIMITS
    | {
        "email": st.builds("{}@{}".format, WORD, HOST),
        "full_name": TEXT,
        "role": st.sampled_from(["admin", "reseller", "user"]),
        "package_name": WORD,
        "shell": st.sampled_from(["/usr/sbin/nologin", "/bin/bash"]),
        "language": st.sampled_from(["en", "no", "pt-BR"]),
        "timezone": st.sampled_from(["UTC", "Europe/Berlin"]),
        "is_active": st.booleans(),
        "is_suspended": st.booleans(),
    },
    "Certificate": {
        "san_domains": st.lists(HOST, max_size=4, unique=True).map(tuple),
        "acme_provider": st.none() | st.sampled_from(["letsencrypt", "house"]),
        "acme_challenge_type": st.sampled_from(["http01", "dns01"]),
        "is_wildcard": st.just(False),
        "auto_renew": st.booleans(),
        "is_active": st.booleans(),
    },
    "WebDomain": {
        "ip_address": st.none() | st.ip_addresses(v=4),
        "ipv6_address": st.none() | st.ip_addresses(v=6),
        "web_template": TEMPLATE,
        "backend_template": st.none() | TEMPLATE,
        "proxy_template": st.none() | TEMPLATE,
        "document_root": st.builds("/home/o/web/s.example/{}".format, WORD),
        "aliases": st.lists(HOST, max_size=4, unique=True).map(tuple),
    }
    | dict.fromkeys(_FLAGS.split(), st.booleans()),
    "DnsZone": {
        "primary_ns": HOST,
        "admin_email": st.builds("{}@{}".format, WORD, HOST),
        **dict.fromkeys(
            ("refresh_interval", "retry_interval", "expire_interval"), st.integers(60, 2**31 - 1)
        ),
        "minimum_ttl": st.integers(0, 2**31 - 1),
        "dns_provider": TEMPLATE,
        "dnssec_enabled": st.booleans(),
        "ds_ignored": st.booleans(),
        "template": TEMPLATE,
        "is_active": st.booleans(),
    },
    "DnsRecord": {
        "name": st.just("@") | WORD,
        "record_type": st.just("TXT"),
        "value": TEXT.map(lambda text: f"{text}."),
        "ttl": st.integers(0, 2**31 - 1),
        "priority": st.just(0),
        "is_active": st.booleans(),
    },
}


def test_the_strategies_cover_every_field_of_every_kind() -> None:
    assert {name: set(spec) for name, spec in SPECS.items()} == {
        name: set(kind.schema.model_fields) for name, kind in KINDS.items()
    }


@st.composite
def documents(draw: st.DrawFn, kind: str) -> FileDocument:
    values = draw(st.fixed_dictionaries(SPECS[kind]))
    spec = dump(KINDS[kind].schema.model_validate(values))
    host = draw(st.none() | WORD) if KINDS[kind].placed else None
    return FileDocument(kind, _NAMES.get(kind, "s"), "o", spec, host)


@pytest.mark.parametrize("kind", KINDS)
@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_what_is_dumped_is_read_as_the_same(kind: str, data: st.DataObject) -> None:
    document = data.draw(documents(kind))
    folder = judge(("f", source) for source in sources(dump_documents([document])))
    assert folder.faults == ()
    assert folder.documents == (document,)


@pytest.mark.parametrize(
    "word", ["no", "1:30", "0x1f", "1e3", "2024-01-01", "null", "~", "=", "<<", "", " x", "a: b", "#"]
)
def test_a_string_stays_a_string(word: str) -> None:
    document = FileDocument("Package", "p", "admin", {"description": word})
    folder = judge(("f", source) for source in sources(dump_documents([document])))
    assert (folder.faults, folder.documents) == ((), (document,))


def test_a_written_folder_is_read_as_the_same(tmp_path: Path) -> None:
    examples = load(Path(__file__).resolve().parents[2] / "state" / "examples")
    places = write(tmp_path, examples)
    assert len(set(places)) == len(examples)
    assert sorted(load(tmp_path), key=str) == sorted(examples, key=str)
    assert (tmp_path / "anna" / "webdomain" / "lindqvist.example.yaml").is_file()


def test_a_very_long_name_still_has_a_file(tmp_path: Path) -> None:
    name = ".".join(["a" * 60] * 4) + ".example"
    document = FileDocument("WebDomain", name, "anna", {"document_root": f"/home/anna/web/{name}/x"})
    write(tmp_path, [document])
    assert load(tmp_path) == (document,)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".x", "a\0b"])
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a file"):
        write(tmp_path / "in", [FileDocument("Package", name, "admin", {})])
    assert list(tmp_path.rglob("*.yaml")) == []
