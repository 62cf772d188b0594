"""What a tenant is told when it is the operator's list of authorities that is wrong."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from state.database import Database
from tests.lab.difficult import nothing
from tests.reconciler.certificates.test_clerk import Office
from tests.state.conftest import Company

GOOD = "directory: https://ca.example"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "Misconfigured"),
        (f"pebble: {{{GOOD}, roots: /nowhere/roots.pem}}", "AuthorityMisconfigured"),
        (f"pebble: {{{GOOD}, kid: k, hmac: S3CRET!}}", "AuthorityMisconfigured"),
        (f"house: {{{GOOD}}}", "AuthorityUnknown"),
    ],
)
def test_tenants_are_told_no_path_no_secret_and_no_address(
    sqlite: Database, tmp_path: Path, text: str, code: str
) -> None:
    company = Company(sqlite)
    company.user("anna")
    path = tmp_path / "authorities.yaml"
    path.write_text(text)
    office = Office(company, cast("Any", SimpleNamespace(authorities=path, fault=nothing)), tmp_path)
    one = office.site("a.example", "anna")
    job = office.ask(one)
    trouble = office.kept(one)["trouble"]
    assert (job.status, trouble["code"]) == ("failed", code)
    told = f"{trouble} {office.log(job)}"
    assert not [word for word in (str(tmp_path), "/nowhere", "S3CRET", "https://") if word in told]
    assert ("ghostcp check" in told) == (code != "AuthorityUnknown")
