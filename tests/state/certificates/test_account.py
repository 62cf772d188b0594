"""The account with certificate authorities: one key, made once, sealed; its thumbprint is that of the standard."""

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import select

from state.certificates.account import account_key, account_url, keep_account, thumbprint, thumbprint_of
from state.certificates.tables import acme_keys
from state.database import Database
from tests.state.conftest import at_once


def test_the_key_is_made_once_whoever_asks_first_and_is_sealed(database: Database, tmp_path: Path) -> None:
    def ask() -> str:
        with database.writing() as connection:
            return account_key(connection, tmp_path)

    one, *others = at_once(ask, ask, ask)
    assert one.startswith("-----BEGIN PRIVATE KEY-----")
    assert others == [one, one]
    with database.reading() as connection:
        assert "PRIVATE" not in connection.execute(select(acme_keys.c.secret)).scalar_one()


def test_the_thumbprint_is_that_of_the_key_and_empty_before_there_is_one(
    database: Database, tmp_path: Path
) -> None:
    with database.writing() as connection:
        assert thumbprint(connection) == ""
        key = load_pem_private_key(account_key(connection, tmp_path).encode(), None)
        assert isinstance(key, EllipticCurvePrivateKey)
        assert thumbprint(connection) == thumbprint_of(key.public_key())


def test_a_thumbprint_is_made_as_the_standard_says() -> None:
    """The key of RFC 7517, appendix A.1; its thumbprint as step and openssl have it."""
    x = 0x30A0424CD21C2944838A2D75C92B37E76EA20D9F00893A3B4EEE8A3C0AAFEC3E
    y = 0xE04B65E92456D9888B52B379BDFBD51EE869EF1F0FC65B6659695B6CCE081723
    key = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
    assert thumbprint_of(key) == "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"


def test_an_account_is_remembered_for_each_authority(database: Database) -> None:
    with database.writing() as connection:
        assert account_url(connection, "https://ca.example/dir") is None
        keep_account(connection, "https://ca.example/dir", "https://ca.example/acct/1")
        keep_account(connection, "https://ca.example/dir", "https://ca.example/acct/2")
        assert account_url(connection, "https://ca.example/dir") == "https://ca.example/acct/2"
        assert account_url(connection, "https://other.example/dir") is None
