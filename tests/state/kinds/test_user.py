"""Users: valid or refused with the field, completed from their package, and made into an account and a home."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from state.compiling import Context
from state.document import Document, Ref
from state.kinds import KINDS
from state.kinds.user import FIRST_UID, USER
from state.names import Claim
from state.resource import Resource
from state.spec import AdminOnly, Copied, Immutable
from tests.state.companies import FACTS, company, document, templates, user

GOLD = document("Package", "gold", disk_quota=9, shell="/bin/bash", web_domains_limit=0)

UNSEEN = "\u202e\u2066\u200b\u200e\xad\ufeff\ue000\ufffe\U000e0041\U0010fffd"


def _made(one: Document) -> dict[str, Resource]:
    context = Context(one, FACTS, templates(), company(one).related.get)
    compiled = USER.compile(context)
    assert compiled.blocked == ()
    return {resource.key: resource for resource in compiled.resources}


def _reasons(one: Document, *others: Document) -> list[str]:
    context = Context(one, FACTS, templates(), {d.ref: d for d in others}.get)
    return [reason.code for reason in USER.compile(context).blocked]


@pytest.mark.parametrize(
    "values",
    [
        {"email": "no-at-sign"},
        {"email": "a@b@c"},
        {"email": "a b@example.com"},
        {"email": "a;b@example.com"},
        {"email": "a@example.com\n"},
        {"email": "a" * 250 + "@b.cc"},
        {"full_name": "a\nb"},
        {"full_name": "a\u2028b"},
        {"full_name": "\x1b[31m"},
        *({"full_name": f"a{each}b"} for each in UNSEEN),
        {"full_name": "x" * 201},
        {"role": "root"},
        {"shell": "bash"},
        {"shell": "/bin/bash -i"},
        {"shell": "/bin/bash\n"},
        {"language": "e"},
        {"language": "en\n"},
        {"timezone": "../../etc/passwd"},
        {"timezone": "Europe/Berlin\n"},
        {"timezone": "a b"},
        {"disk_quota": -1},
        {"is_suspended": "perhaps"},
    ],
    ids=str,
)
def test_a_value_that_can_never_be_right_is_refused_with_its_field(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        USER.schema.model_validate({"email": "anna@example.com", **values})
    assert {error["loc"][0] for error in caught.value.errors()} == set(values)


def test_marks_say_what_is_fixed_what_is_copied_and_what_only_managers_set() -> None:
    assert USER.marked(Immutable) == {"role"}
    assert USER.marked(Copied) == KINDS["Package"].schema.model_fields.keys() - {
        "description",
        "web_template",
        "backend_template",
        "proxy_template",
    }
    assert USER.marked(AdminOnly) == USER.marked(Copied) | {
        "role",
        "package_name",
        "is_active",
        "is_suspended",
    }


def _complete(values: dict[str, Any], previous: Any = None) -> Any:
    return USER.complete(values, "anna", "admin", {GOLD.ref: GOLD}.get, previous)


def test_what_was_not_given_is_copied_from_the_package() -> None:
    completed = _complete({"package_name": "gold", "disk_quota": None, "databases_limit": 7})
    assert (completed["disk_quota"], completed["shell"], completed["databases_limit"]) == (9, "/bin/bash", 7)
    assert completed["web_domains_limit"] == 0


def test_what_was_copied_once_is_kept_when_the_package_changes() -> None:
    previous = user(disk_quota=123).spec
    assert _complete({"package_name": "gold"}, previous)["disk_quota"] == 123


def test_without_a_package_the_defaults_hold() -> None:
    assert _complete({"package_name": "missing", "email": "a@b.cc"}) == {
        "package_name": "missing",
        "email": "a@b.cc",
    }


def test_nothing_else_is_made_up_for_what_is_not_given() -> None:
    assert _complete({"full_name": None, "package_name": "gold"})["full_name"] is None


def test_a_user_refers_to_its_package_and_claims_its_login_name() -> None:
    assert USER.references(user(package_name="gold")) == (Ref("Package", "gold"),)
    assert USER.claims(user()) == (Claim("accounts", "anna"),)


def test_a_user_is_an_account_and_a_home_that_keeps_others_out() -> None:
    made = _made(replace(user(full_name="Anna"), number=5))
    assert made["account:anna"].attributes == {
        "uid": FIRST_UID + 5,
        "gid": FIRST_UID + 5,
        "comment": "Anna",
        "home": "/home/anna",
        "shell": "/usr/sbin/nologin",
        "locked": False,
    }
    home = made["directory:/home/anna"]
    assert home.attributes == {"owner": "anna", "group": "www-data", "mode": "0710"}
    assert home.data
    assert list(made) == [
        "account:anna",
        "directory:/home/anna",
        "directory:/home/anna/web",
        "directory:/home/anna/tmp",
    ]


@pytest.mark.parametrize("values", [{"is_suspended": True}, {"is_active": False}])
def test_a_suspended_or_inactive_user_is_locked_out_and_keeps_all(values: dict[str, Any]) -> None:
    made, open_ = _made(user(**values)), _made(user())
    assert made["account:anna"].attributes["locked"] is True
    assert made.keys() == open_.keys()


def test_the_comment_has_nothing_that_would_separate_fields() -> None:
    assert _made(user(full_name="a:b,c"))["account:anna"].attributes["comment"] == "a b c"


def test_an_administrator_has_no_account() -> None:
    assert _made(user(role="admin")) == {}


def test_a_user_without_a_number_has_no_account_yet() -> None:
    assert _made(replace(user(), number=None)) == {}


def test_a_package_that_does_not_exist_blocks() -> None:
    assert _reasons(user(package_name="gone")) == ["PackageMissing"]


@pytest.mark.parametrize(
    ("shell", "reasons"),
    [
        ("/bin/bash", []),
        ("/usr/sbin/nologin", []),
        ("/bin/false", []),
        ("/bin/zsh", ["ShellMissing"]),
        ("/etc/passwd", ["ShellMissing"]),
    ],
)
def test_a_shell_that_the_host_does_not_have_blocks(shell: str, reasons: list[str]) -> None:
    assert _reasons(user(shell=shell, package_name="gold"), GOLD) == reasons


def test_all_that_blocks_is_told_at_once() -> None:
    assert _reasons(user(shell="/bin/zsh", package_name="gone")) == ["PackageMissing", "ShellMissing"]


@pytest.mark.parametrize(
    "name", ["\u0645\u06cc\u200c\u062e", "\u0915\u094d\u200d\u0937", "Bj\u00f6rn \U00020000"]
)
def test_a_name_may_be_written_in_any_script(name: str) -> None:
    assert user(full_name=name).spec.full_name == name  # type: ignore[attr-defined]
