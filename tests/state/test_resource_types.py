"""Resources: identity, state, and the digest that both sides of the wire agree upon."""

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.module_utils.ghostcp import wire
from state.resource import Resource, account, config, digest, directory, seed, service, sha256
from tests.state.companies import LAW

SCALARS = st.text(max_size=20) | st.integers() | st.booleans() | st.none()
ATTRIBUTES = st.dictionaries(st.text(max_size=10), SCALARS, max_size=6)


@LAW
@given(ATTRIBUTES)
def test_both_sides_of_the_wire_make_the_same_digest(attributes: dict[str, object]) -> None:
    assert digest(attributes) == wire.digest(attributes)


@LAW
@given(ATTRIBUTES)
def test_a_digest_does_not_depend_on_the_order_of_attributes(attributes: dict[str, object]) -> None:
    assert digest(dict(reversed(attributes.items()))) == digest(attributes)


@LAW
@given(ATTRIBUTES)
def test_a_digest_is_the_first_half_of_the_sha_256_of_canonical_json(attributes: dict[str, object]) -> None:
    text = json.dumps(attributes, sort_keys=True, separators=(",", ":"))
    assert digest(attributes) == hashlib.sha256(text.encode()).hexdigest()[:32]


@LAW
@given(st.text(max_size=60))
def test_a_text_travels_as_its_sha_256(text: str) -> None:
    made = config("nginx", "x.conf", text)
    assert made.attributes["sha256"] == sha256(text) == hashlib.sha256(text.encode()).hexdigest()
    assert made.content == text
    assert made.digest == digest(made.attributes)


def test_a_key_is_type_and_name_even_where_the_name_has_a_colon() -> None:
    made = Resource("directory:/home/a:b", {}, digest({}))
    assert (made.type, made.name) == ("directory", "/home/a:b")


def test_equal_things_are_equal_and_a_changed_attribute_changes_the_digest() -> None:
    one = directory("/srv", owner="a", group="a", mode="0755")
    assert one == directory("/srv", owner="a", group="a", mode="0755")
    assert one.digest != directory("/srv", owner="a", group="a", mode="0700").digest


def test_an_account_has_a_group_of_its_own_number() -> None:
    made = account("anna", uid=10001, comment="Anna", home="/home/anna", shell="/bin/sh", locked=False)
    assert made.key == "account:anna"
    assert made.attributes["uid"] == made.attributes["gid"] == 10001


def test_the_digest_of_an_account_stays_what_inventories_hold() -> None:
    made = account("anna", uid=10001, comment="Anna", home="/home/anna", shell="/bin/sh", locked=False)
    assert made.digest == "a4ebe72dafc77fa3075a9721c4e487e9"


@pytest.mark.parametrize("data", [True, False])
def test_a_directory_says_whether_it_holds_data(data: bool) -> None:
    made = directory("/srv", owner="a", group="b", mode="0755", requires=("account:a",), data=data)
    assert (made.data, made.requires) == (data, ("account:a",))
    assert made.attributes == {"owner": "a", "group": "b", "mode": "0755"}


def test_a_seed_is_made_once() -> None:
    made = seed("/srv/x", "hello", owner="a", group="b", mode="0644")
    assert (made.key, made.once, made.content) == ("file:/srv/x", True, "hello")
    assert made.digest == digest(made.attributes)


def test_a_configuration_is_roots_and_its_services() -> None:
    made = config("nginx", "x.conf", "text", requires=("directory:/srv",))
    assert (made.key, made.service, made.requires) == ("config:nginx/x.conf", "nginx", ("directory:/srv",))
    assert (made.attributes["owner"], made.attributes["mode"]) == ("root", "0644")


def test_a_service_is_active_and_runs_what_is_live() -> None:
    assert service("nginx").attributes == {"active": True, "current": True}
    assert service("nginx").service == "nginx"


def test_a_copy_with_other_attributes_is_another_thing() -> None:
    made = service("nginx")._replace(key="service:bind")
    assert made != service("nginx")
