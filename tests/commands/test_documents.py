"""`validate` and `export`."""

from pathlib import Path

from state.files.folder import load
from tests.commands.conftest import Run
from tests.commands.stub import Api

EXAMPLES = Path(__file__).resolve().parents[2] / "state" / "examples"


def put(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "a.yaml").write_text(text)
    return folder


def test_a_right_folder_is_said_to_be_right(run: Run) -> None:
    ended = run("validate", EXAMPLES)
    assert (ended.status, ended.out, ended.err) == (0, "29 documents are right.\n", "")


def test_every_fault_is_printed_with_file_line_and_field(run: Run, tmp_path: Path) -> None:
    folder = put(tmp_path / "d", "kind: User\nmetadata: {name: Anna}\nspec: {}\n---\n- x\n")
    ended = run("validate", folder)
    assert ended.status == 1
    assert ended.out.splitlines() == [
        "a.yaml:1: apiVersion: is missing: it must be a string",
        "a.yaml:2: metadata.name: must be 1-32 of a-z, 0-9, '_' and '-', starting with a letter",
        "a.yaml:3: spec.email: is missing",
        "a.yaml:5: must be a mapping of apiVersion, kind, metadata and spec",
    ]
    assert "4 faults" in ended.err


def test_a_missing_folder_is_an_error(run: Run, tmp_path: Path) -> None:
    ended = run("validate", tmp_path / "nowhere")
    assert (ended.status, ended.out) == (1, "")
    assert "nowhere cannot be read: No such file or directory" in ended.err


def test_what_was_applied_is_exported_the_same(ask: Run, tmp_path: Path) -> None:
    assert ask("apply", "-f", EXAMPLES).status == 0
    assert ask("export", tmp_path / "out").status == 0
    assert sorted(load(tmp_path / "out"), key=str) == sorted(load(EXAMPLES), key=str)
    assert ask("plan", "-f", tmp_path / "out").status == 0


def test_an_export_goes_to_standard_output_or_a_new_folder(ask: Run, tmp_path: Path) -> None:
    folder = put(tmp_path / "in", "apiVersion: ghostcp/v1\nkind: Package\nmetadata: {name: p}\nspec: {}\n")
    ask("apply", "-f", folder)
    ended = ask("export")
    expected = "---\napiVersion: ghostcp/v1\nkind: Package\nmetadata:\n  name: p\n  owner: admin\nspec: {}\n"
    assert (ended.status, ended.out) == (0, expected)
    assert ask("export", folder).status == 1
    assert ask("export", folder, "--replace").status == 0
    assert [path.name for path in folder.rglob("*.yaml")] == ["p.yaml"]


def test_the_systems_own_documents_are_not_exported(ask: Run, api: Api) -> None:
    metadata = {"name": "admin", "owner": None, "host": None}
    api.documents["User", "admin"] = {"kind": "User", "metadata": metadata, "spec": {"email": "a@b"}}
    assert ask("export").out == ""


def test_what_comes_with_a_site_is_not_exported_unless_it_says_more(
    ask: Run, api: Api, tmp_path: Path
) -> None:
    metadata = {"name": "shop.example", "owner": "anna", "host": None}
    kinds = {
        "WebDomain": {"letsencrypt_enabled": True, "aliases": ["www.shop.example"]},
        "Certificate": {
            "san_domains": ["shop.example", "www.shop.example"],
            "acme_provider": "letsencrypt",
            "acme_challenge_type": "http01",
            "auto_renew": True,
            "is_active": True,
            "is_wildcard": False,
        },
    }
    for kind, spec in kinds.items():
        api.documents[kind, "shop.example"] = {"kind": kind, "metadata": metadata, "spec": spec}
    assert ask("export").out.count("kind: ") == 1
    for field, value in (("auto_renew", False), ("acme_provider", None)):
        other = {**kinds["Certificate"], field: value}
        api.documents["Certificate", "shop.example"] = {
            "kind": "Certificate",
            "metadata": metadata,
            "spec": other,
        }
        assert ask("export").out.count("kind: ") == 2
    ended = ask("export", tmp_path / "out")
    assert "without certificate and private_key: shop.example" in " ".join(ended.err.split())


def test_a_site_with_more_names_than_it_may_have_now_is_exported(ask: Run, api: Api) -> None:
    metadata = {"name": "shop.example", "owner": "anna", "host": None}
    spec = {"letsencrypt_enabled": True, "aliases": [f"a{n}.shop.example" for n in range(100)]}
    api.documents["WebDomain", "shop.example"] = {"kind": "WebDomain", "metadata": metadata, "spec": spec}
    assert ask("export").out.count("kind: ") == 1


def test_an_export_goes_through_all_pages(ask: Run, api: Api) -> None:
    def page(name: str, following: str | None) -> tuple[int, dict[str, object], dict[str, str]]:
        metadata: dict[str, object] = {"name": name, "owner": None, "host": None}
        content: dict[str, object] = {
            "documents": [{"kind": "Package", "metadata": metadata, "spec": {}}],
            "next": following,
        }
        return 200, content, {}

    api.answers["GET", "/documents"] = [page("two", "abc"), page("one", None)]
    assert [line for line in ask("export").out.splitlines() if "name" in line] == [
        "  name: one",
        "  name: two",
    ]
    assert api.asked.count(("GET", "/documents")) == 2
