"""Authorities: those that everybody knows, and a file with more, whose secrets are in no complaint."""

import re
from pathlib import Path

import pytest

from state.certificates.authorities import authorities, names, synonyms
from state.errors import Unreadable
from tests.state.vouching import vouch

HMAC = "S3CRET_S3CRET-S3CRETS3CRETQ"


def _file(folder: Path, text: str | bytes) -> Path:
    path = folder / "authorities.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_everybody_knows_some_and_a_file_adds_to_them_and_overrides_them(tmp_path: Path) -> None:
    assert names(authorities(None).usable) == ["letsencrypt", "zerossl", "buypass"]
    text = "house: {directory: https://ca.example/dir}\n"
    text += f"zerossl: {{directory: https://z.example/, kid: k, hmac: {HMAC}}}\n"
    found = authorities(_file(tmp_path, text))
    assert found.faults == {}
    assert found.usable["house"].directory == "https://ca.example/dir"
    assert found.usable["zerossl"].kid == "k"
    assert found.usable["letsencrypt"].kid is None


def test_one_that_is_known_is_found_by_its_directory_too_with_who_we_are_there(tmp_path: Path) -> None:
    text = f"zerossl: {{directory: https://z.example/dir, kid: k, hmac: {HMAC}}}\n"
    found = authorities(_file(tmp_path, text)).usable
    assert found["https://z.example/dir"] == found["zerossl"]
    assert "https://acme-v02.api.letsencrypt.org/directory" in found
    assert "https://acme.zerossl.com/v2/DV90" not in found


def test_names_are_told_and_no_addresses(tmp_path: Path) -> None:
    path = tmp_path / "authorities.yaml"
    path.write_text("house: {directory: https://ca.inside.example/dir}\n")
    assert names(authorities(path).usable) == ["letsencrypt", "zerossl", "buypass", "house"]


def test_all_words_for_one_authority_are_known(tmp_path: Path) -> None:
    path, url = tmp_path / "authorities.yaml", "https://acme-v02.api.letsencrypt.org/directory"
    path.write_text(f"le: {{directory: '{url}'}}\nhouse: {{directory: https://ca.example/dir}}\n")
    for word in ("letsencrypt", "le", url):
        assert synonyms(path, word)[0] == word
        assert set(synonyms(path, word)) == {"letsencrypt", "le", url}
    assert synonyms(path, "nobody") == ("nobody",)
    assert synonyms(tmp_path / "none.yaml", "le") == ("le",)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("{directory: http://ca.example}", "directory"),
        (f"{{kid: k, hmac: {HMAC}}}", "directory: Field required"),
        (f"{{directory: https://ca.example, kid: k, hmac: '{HMAC} !'}}", "hmac: it is no base64url: copy it"),
        (f"{{directory: https://ca.example, kid: k, hmac: {HMAC}AA}}", "hmac: it is no base64url: copy it"),
        (f"{{directory: https://ca.example, hmac: {HMAC}}}", "there is hmac without kid"),
        ("{directory: https://ca.example, kid: S3CRET}", "there is kid without hmac"),
        (
            "{directory: https://ca.example, roots: /nowhere.pem}",
            "roots: /nowhere.pem cannot be read: No such",
        ),
        ("{directory: https://ca.example, roots: ROOTS}", "roots: there is no certificate"),
        ("{directory: https://ca.example, key: S3CRET}", "key: Extra inputs"),
        ("S3CRET", "dictionary"),
    ],
)
def test_what_is_wrong_with_one_is_told_and_concerns_no_other(
    tmp_path: Path, values: str, words: str
) -> None:
    (tmp_path / "roots").write_text("S3CRET")
    values = values.replace("ROOTS", str(tmp_path / "roots"))
    found = authorities(_file(tmp_path, f"letsencrypt: {values}\nhouse: {{directory: https://h.example}}\n"))
    assert names(found.usable) == ["zerossl", "buypass", "house"]
    assert words in found.faults["letsencrypt"]
    assert "S3CRET" not in found.faults["letsencrypt"]


def test_roots_are_a_file_or_a_folder_of_certificates(tmp_path: Path) -> None:
    path = tmp_path / "roots.pem"
    path.write_text(vouch("root.example").chain)
    for roots in (path, tmp_path):
        text = f"house: {{directory: https://h.example, roots: {roots}}}\n"
        assert authorities(_file(tmp_path, text)).usable["house"].roots == roots


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- S3CRET", "does not map names"),
        ("house:\n  hmac: {S3CRET}]", "line 2: is not YAML$"),
        ("house:\n  hmac: *S3CRET", "line 2: is not YAML$"),
        ("\0S3CRET", "line 1: is not YAML"),
        ("house:\n  hmac: " + "[" * 100_000, "line 2: is nested more than 50 levels deep"),
        ("a: {directory: https://a.example}\n---\nb: S3CRET\n", "line 3: another document begins"),
        ("? [S3CRET]\n: x\n", "line 1: a key is no string: quote it"),
        (b"house: {hmac: \xffS3CRET}", "is not UTF-8"),
        ("!S3CRET {}", "line 1: has a tag"),
    ],
)
def test_a_file_that_cannot_be_understood_is_refused_without_its_secrets(
    tmp_path: Path, text: str | bytes, words: str
) -> None:
    with pytest.raises(Unreadable, match=words) as caught:
        authorities(_file(tmp_path, text))
    assert "S3CRET" not in str(caught.value)


TWICE = "house: {directory: https://a.example}\nother: {directory: https://o.example}\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("house: {directory: https://b.example, hmac: S3CRET}", "line 3: is given twice, first in line 1"),
        ("house:\n  kid: S3CRET", "line 3: is given twice, first in line 1"),
    ],
)
def test_an_authority_that_is_given_twice_is_used_in_neither_way(
    tmp_path: Path, text: str, words: str
) -> None:
    found = authorities(_file(tmp_path, TWICE + text))
    assert found.faults == {"house": words}
    assert names(found.usable) == ["letsencrypt", "zerossl", "buypass", "other"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("  kid: a\n  hmac: S3CRET\n  hmac: x", "line 4: hmac: is given twice, first in line 3"),
        ("  S3CRET: a\n  S3CRET: b", "line 3: is given twice, first in line 2"),
        ("  hmac: !S3CRET x\n  kid: !!int S3CRET", "line 2: hmac: has a tag, .*; line 3: kid: is no int$"),
        ("  12: S3CRET", "line 2: a key is no string: quote it"),
        ("  kid: &a {S3CRET: *a}", "line 2: kid: refers to itself"),
    ],
)
def test_what_cannot_be_read_of_one_is_told_with_its_line_and_without_its_secrets(
    tmp_path: Path, values: str, words: str
) -> None:
    (found,) = authorities(_file(tmp_path, f"house:\n{values}\n")).faults.values()
    assert re.match(words, found)
    assert "S3CRET" not in found


def test_a_file_may_begin_with_a_mark_and_hold_nothing(tmp_path: Path) -> None:
    assert authorities(_file(tmp_path, "\ufeff---\n~\n")) == authorities(None)


def test_an_empty_file_adds_nothing_and_names_are_words(tmp_path: Path) -> None:
    assert authorities(_file(tmp_path, "")) == authorities(None)
    assert list(authorities(_file(tmp_path, "Not a name: {directory: https://h.example}")).faults) == [
        "Not a name"
    ]


def test_a_file_that_is_not_there_is_said_to_be_unusable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match=r"none\.yaml cannot be used: No such file"):
        authorities(tmp_path / "none.yaml")
