"""Key files: made once, readable by nobody else, rotated with overlap."""

import stat
from pathlib import Path

import pytest

from state.errors import Unreadable
from state.keys import keyring, retire, rotate
from tests.state.conftest import at_once

NAMES = ("tokens", "vault", "audit", "answers")


@pytest.mark.parametrize("name", NAMES)
def test_a_key_is_made_at_first_use_for_nobody_else_to_read(tmp_path: Path, name: str) -> None:
    key = keyring(tmp_path, name)
    assert (len(key), len(key[0]) >= 44) == (1, True)
    assert keyring(tmp_path, name) == key
    assert keyring(tmp_path / "another", name) != key
    assert stat.S_IMODE((tmp_path / "keys" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_makers_at_once_agree_on_one_key(tmp_path: Path) -> None:
    assert len(set(at_once(*[lambda: keyring(tmp_path, "vault")] * 8))) == 1


def test_a_new_key_comes_first_and_the_old_ones_stay_until_they_are_retired(tmp_path: Path) -> None:
    (first,) = keyring(tmp_path, "tokens")
    assert rotate(tmp_path, "tokens") == 2
    second = keyring(tmp_path, "tokens")[0]
    assert keyring(tmp_path, "tokens") == (second, first)
    assert stat.S_IMODE((tmp_path / "keys" / "tokens").stat().st_mode) == 0o600
    assert retire(tmp_path, "tokens") == 1
    assert keyring(tmp_path, "tokens") == (second,)
    assert retire(tmp_path, "tokens") == 0


def test_no_key_is_lost_when_many_rotate_at_once(tmp_path: Path) -> None:
    first = keyring(tmp_path, "vault")
    at_once(*[lambda: rotate(tmp_path, "vault")] * 8)
    keys = keyring(tmp_path, "vault")
    assert (len(set(keys)), keys[-1:]) == (9, first)


def test_what_is_left_of_a_write_that_died_is_no_key(tmp_path: Path) -> None:
    keys = keyring(tmp_path, "tokens")
    (tmp_path / "keys" / ".tokens.dead").write_text("x")
    rotate(tmp_path, "tokens")
    assert keyring(tmp_path, "tokens")[1:] == keys


def test_a_file_without_a_key_is_not_filled_with_another(tmp_path: Path) -> None:
    keyring(tmp_path, "vault")
    (tmp_path / "keys" / "vault").write_text("\n")
    with pytest.raises(Unreadable, match="put back"):
        keyring(tmp_path, "vault")
