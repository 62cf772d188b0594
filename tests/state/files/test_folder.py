"""Folders of documents: what is right is read whole, what is wrong is told whole."""

from pathlib import Path

import pytest

from state.errors import Unreadable
from state.files.folder import Faulty, FileDocument, load, read

EXAMPLES = Path(__file__).resolve().parents[3] / "state" / "examples"
USER = """\
---
apiVersion: ghostcp/v1
kind: User
metadata:
  name: {name}
spec:
  email: {name}@{name}.example
"""
SITE = """\
---
apiVersion: ghostcp/v1
kind: WebDomain
metadata:
  name: {name}
  owner: {owner}
spec:
  aliases: [{aliases}]
"""


def user(name: str) -> str:
    return USER.format(name=name)


def site(name: str, owner: str, *aliases: str) -> str:
    return SITE.format(name=name, owner=owner, aliases=", ".join(aliases))


def faults(folder: Path) -> list[str]:
    with pytest.raises(Faulty) as caught:
        load(folder)
    return [str(fault) for fault in caught.value.faults]


def put(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_examples_are_right_and_complete_in_themselves() -> None:
    folder = read(EXAMPLES)
    assert (folder.faults, folder.warnings) == ((), ())
    assert sum(document.kind == "WebDomain" for document in folder.documents) == 13


def test_documents_are_found_in_any_layout(tmp_path: Path) -> None:
    put(tmp_path, a=user("anna") + site("anna.example", "anna"), deep__er__b=user("bob"))
    (tmp_path / "README.md").write_text("not: [yaml")
    put(tmp_path, **{".git__c": "not: [yaml"})
    names = [(document.kind, document.name, document.owner) for document in load(tmp_path)]
    expected = [("User", "anna", "admin"), ("WebDomain", "anna.example", "anna"), ("User", "bob", "admin")]
    assert names == expected


def test_a_single_file_can_be_given(tmp_path: Path) -> None:
    put(tmp_path, a=user("anna"))
    document = load(tmp_path / "a.yaml")[0]
    assert (document.ref.name, document.file, document.line) == ("anna", "a.yaml", 2)


def test_names_are_kept_in_their_canonical_form(tmp_path: Path) -> None:
    put(tmp_path, a=user("anna") + site("Bücher.EXAMPLE", "anna"))
    assert load(tmp_path)[1].name == "xn--bcher-kva.example"


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    broken = user("anna").replace("email", "emial").replace("v1", "v2")
    put(tmp_path, a=broken + "---\n- what\n", b="a: [1\n" + user("Bob") + "kind: User\n")
    assert faults(tmp_path) == [
        "a.yaml:2: apiVersion: must be ghostcp/v1",
        "a.yaml:6: spec.email: is missing",
        "a.yaml:7: spec.emial: Extra inputs are not permitted",
        "a.yaml:9: must be a mapping of apiVersion, kind, metadata and spec",
        "b.yaml:2: is not YAML: did not find expected ',' or ']', while parsing a flow sequence",
        "b.yaml:6: metadata.name: must be 1-32 of a-z, 0-9, '_' and '-', starting with a letter",
        "b.yaml:9: kind: is given twice, first in line 4",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "kind: WebDomain",
            "kind: Webdomain",
            "3: kind: 'Webdomain' is none of Package, User, DnsZone, Certificate, WebDomain, DnsRecord",
        ),
        ("kind: WebDomain", "kind: [WebDomain]", "3: kind: must be a string"),
        ("  owner: anna\n", "", "4: metadata.owner: is missing: a WebDomain belongs to a user"),
        ("  owner: anna", "  owner: ../anna", "6: metadata.owner: must be 1-32 of"),
        ("  owner: anna", "  owner: 7", "6: metadata.owner: must be a string that is not empty"),
        ("  owner: anna", "  owner: anna\n  uid: x", "7: metadata.uid: is none of name, owner, host"),
        ("  name: a.example", "  name: com", "5: metadata.name: is not a fully qualified domain name"),
        ("  name: a.example\n", "", "4: metadata.name: is missing"),
        ("spec:", "status: {}\nspec:", "7: status: is no field of a document"),
        ("aliases: []", "document_root: /etc", "8: spec.document_root: must be a plain path below"),
        ("aliases: []", "aliases: [b.example, 7]", "8: spec.aliases.1: Input should be a valid string"),
        ("aliases: []", "aliases: [a.example]", "8: spec.aliases: 'a.example' is the site's own name"),
        ("aliases: []", 'aliases: ["x;y.example"]', "8: spec.aliases: is not a domain name"),
        ("aliases: []", "is_active: !!python/name:os.system x", "8: spec.is_active: has the tag"),
    ],
)
def test_a_fault_names_line_and_field(tmp_path: Path, old: str, new: str, fault: str) -> None:
    put(tmp_path, users=user("anna"), site=site("a.example", "anna").replace(old, new))
    assert any(each.startswith(f"site.yaml:{fault}") for each in faults(tmp_path)), faults(tmp_path)


def test_what_is_there_twice_is_told_with_its_first_place(tmp_path: Path) -> None:
    put(tmp_path, a=user("anna"), b=user("anna"))
    assert "b.yaml:5: metadata.name: User 'anna' is there already: a.yaml:2" in faults(tmp_path)


@pytest.mark.parametrize(
    ("first", "second", "taken"),
    [
        (("a.example", "anna"), ("b.example", "bob", "a.example"), "'a.example' is taken by"),
        (("a.example", "anna"), ("c.a.example", "bob"), "'c.a.example' belongs to a name of"),
        (("a.example", "anna", '"*.a.example"'), ("x.y.a.example", "bob"), "'x.y.a.example' belongs to"),
        (("z.a.example", "anna"), ("a.example", "bob"), "'z.a.example' belongs to a name of"),
        (("bücher.example", "anna"), ("b.example", "bob", "xn--bcher-kva.example"), "is taken by"),
        (("a.example", "anna", "w.example"), ("b.example", "anna", "w.example"), "'w.example' is taken by"),
    ],
)
def test_a_host_name_belongs_to_one_tenant(
    tmp_path: Path, first: tuple[str, ...], second: tuple[str, ...], taken: str
) -> None:
    put(tmp_path, a=user("anna") + user("bob") + site(*first), b=site(*second))
    assert any(taken in each for each in faults(tmp_path))


def test_a_tenant_may_have_names_below_its_own(tmp_path: Path) -> None:
    put(tmp_path, a=user("anna") + site("a.example", "anna", '"*.a.example"') + site("b.a.example", "anna"))
    assert len(load(tmp_path)) == 3


def test_what_is_not_in_the_folder_is_only_a_warning(tmp_path: Path) -> None:
    put(tmp_path, a=site("a.example", "anna"), b=user("bob") + "  package_name: gold\n")
    assert [str(each) for each in read(tmp_path).warnings] == [
        "a.yaml:2: User/anna is not in this folder: it must exist already",
        "b.yaml:2: Package/gold is not in this folder: it must exist already",
    ]
    assert len(load(tmp_path)) == 2


def test_a_package_fills_what_a_site_does_not_say(tmp_path: Path) -> None:
    package = "---\napiVersion: ghostcp/v1\nkind: Package\nmetadata: {name: p}\nspec: {web_template: '-x'}\n"
    put(tmp_path, a=user("anna") + "  package_name: p\n" + site("a.example", "anna"), b=package)
    assert [each for each in faults(tmp_path) if "web_template" in each] == [
        "b.yaml:5: spec.web_template: String should match pattern '^[A-Za-z0-9][A-Za-z0-9._-]*$'"
    ]


@pytest.mark.parametrize("content", ["", "\n# nothing\n", "---\n---\n...\n"])
def test_an_empty_file_is_a_fault(tmp_path: Path, content: str) -> None:
    put(tmp_path, a=user("anna"), b=content)
    assert faults(tmp_path) == ["b.yaml:1: holds no document: write one, or delete the file"]


def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: 1\nb: \xff\n")
    assert faults(tmp_path) == ["a.yaml:2: is not UTF-8"]


def test_a_file_cut_off_anywhere_never_yields_other_documents(tmp_path: Path) -> None:
    whole = (EXAMPLES / "tenants" / "anna.yaml").read_text()
    put(tmp_path, a=whole)
    complete = load(tmp_path)
    for length in range(len(whole)):
        put(tmp_path, a=whole[:length])
        folder = read(tmp_path)
        kept = folder.documents[:-1]
        assert folder.faults or kept == complete[: len(kept)]


def test_what_a_kind_checks_is_told_beside_what_its_schema_refuses(tmp_path: Path) -> None:
    site = "kind: WebDomain\nmetadata: {name: example.com, owner: anna}\nspec:\n  document_root: /etc\n"
    put(tmp_path, a=f"apiVersion: 1.0\n{site}  unknown: 1\n  http2: what\n")
    assert [fault.partition(": must")[0] for fault in faults(tmp_path)] == [
        "a.yaml:1: apiVersion",
        "a.yaml:5: spec.document_root",
        "a.yaml:6: spec.unknown: Extra inputs are not permitted",
        "a.yaml:7: spec.http2: Extra inputs are not permitted",
    ]


def test_a_site_whose_certificate_would_have_too_many_names_is_told_with_its_line(tmp_path: Path) -> None:
    aliases = [f"a{n}.example.com" for n in range(100)]
    put(tmp_path, a=user("anna"), b=site("example.com", "anna", *aliases))
    assert len(load(tmp_path)) == 2
    put(tmp_path, b=f"{site('example.com', 'anna', *aliases)}  letsencrypt_enabled: true\n")
    (fault,) = faults(tmp_path)
    assert fault.startswith(
        "b.yaml:8: spec.aliases: with letsencrypt_enabled its certificate is for 101 names"
    )


@pytest.mark.parametrize("make", [lambda _: None, lambda path: path.mkdir()])
def test_a_missing_or_empty_folder_is_unreadable(tmp_path: Path, make: object) -> None:
    make(tmp_path / "x")
    with pytest.raises(Unreadable, match="x"):
        load(tmp_path / "x")


def test_a_folder_linked_in_is_read_and_a_loop_ends(tmp_path: Path) -> None:
    put(tmp_path / "here" / ".kept", a=user("anna"))
    (tmp_path / "here" / "linked").symlink_to(".kept")
    (tmp_path / "here" / "loop").symlink_to(tmp_path / "here")
    assert [document.name for document in load(tmp_path / "here")] == ["anna"]


def test_a_host_can_be_wished_for(tmp_path: Path) -> None:
    put(tmp_path, a=user("anna").replace("name: anna", "name: anna\n  host: web-1", 1))
    assert load(tmp_path) == (FileDocument("User", "anna", "admin", {"email": "anna@anna.example"}, "web-1"),)


def test_a_package_is_on_no_host(tmp_path: Path) -> None:
    put(tmp_path, a="apiVersion: ghostcp/v1\nkind: Package\nmetadata: {name: p, host: web-1}\nspec: {}\n")
    assert faults(tmp_path) == ["a.yaml:3: metadata.host: a Package is on no host"]
