"""Authorities: those that everybody knows, and a file with more, whose secrets are in no complaint."""

from pathlib import Path

import pytest

from state.certificates.authorities import authorities, names, synonyms
from state.errors import Unreadable


def test_everybody_knows_some_and_a_file_adds_to_them_and_overrides_them(tmp_path: Path) -> None:
    assert {name for name in authorities(None) if "/" not in name} == {"letsencrypt", "zerossl", "buypass"}
    path = tmp_path / "authorities.yaml"
    path.write_text(
        "house: {directory: https://ca.example/dir}\nzerossl: {directory: https://z.example/, kid: k, hmac: h}\n"
    )
    found = authorities(path)
    assert found["house"].directory == "https://ca.example/dir"
    assert found["zerossl"].kid == "k"
    assert found["letsencrypt"].kid is None


def test_one_that_is_known_is_found_by_its_directory_too_with_who_we_are_there(tmp_path: Path) -> None:
    path = tmp_path / "authorities.yaml"
    path.write_text("zerossl: {directory: https://z.example/dir, kid: k, hmac: h}\n")
    found = authorities(path)
    assert found["https://z.example/dir"] == found["zerossl"]
    assert "https://acme-v02.api.letsencrypt.org/directory" in found
    assert "https://acme.zerossl.com/v2/DV90" not in found


def test_names_are_told_and_no_addresses(tmp_path: Path) -> None:
    path = tmp_path / "authorities.yaml"
    path.write_text("house: {directory: https://ca.inside.example/dir}\n")
    assert names(authorities(path)) == ["letsencrypt", "zerossl", "buypass", "house"]


def test_all_words_for_one_authority_are_known(tmp_path: Path) -> None:
    path, url = tmp_path / "authorities.yaml", "https://acme-v02.api.letsencrypt.org/directory"
    path.write_text(f"le: {{directory: '{url}'}}\nhouse: {{directory: https://ca.example/dir}}\n")
    for word in ("letsencrypt", "le", url):
        assert synonyms(path, word)[0] == word
        assert set(synonyms(path, word)) == {"letsencrypt", "le", url}
    assert synonyms(path, "nobody") == ("nobody",)
    assert synonyms(tmp_path / "none.yaml", "le") == ("le",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("house: {directory: http://ca.example, hmac: S3CRET}", "house.directory"),
        ("house: {hmac: S3CRET}", "house.directory"),
        ("- S3CRET", "GHOSTCP_AUTHORITIES"),
        ("{S3CRET", "ParserError"),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_the_place_and_without_its_secrets(
    tmp_path: Path, text: str, words: str
) -> None:
    path = tmp_path / "authorities.yaml"
    path.write_text(text)
    with pytest.raises(Unreadable, match=words) as caught:
        authorities(path)
    assert "S3CRET" not in str(caught.value)


def test_a_file_that_is_not_there_is_said_to_be_unusable(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="FileNotFoundError"):
        authorities(tmp_path / "none.yaml")
