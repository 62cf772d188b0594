import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.module_utils.ghostcp import wire
from state import resource

scalars = st.none() | st.booleans() | st.integers() | st.text()
attributes = st.dictionaries(st.text(), scalars)


@given(attributes)
def test_controller_and_host_agree_on_every_digest(value: dict[str, object]) -> None:
    assert wire.digest(value) == resource.digest(value)


@given(attributes)
def test_what_is_packed_is_unpacked_the_same(value: dict[str, object]) -> None:
    request = {**value, "version": wire.VERSION}
    assert wire.decode(wire.encode(request)) == request


@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_a_damaged_payload_is_refused(payload: str) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(payload)


@pytest.mark.parametrize("value", [{}, {"version": 2}, [], "x", None])
def test_another_version_is_refused(value: object) -> None:
    with pytest.raises(wire.WireError):
        wire.decode(wire.encode(value))


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(wire.WireError):
        wire.changes({"changes": [{"action": "destroy", "key": "account:a"}]})


def test_the_factories_of_the_controller_make_what_the_host_reads() -> None:
    item = resource.config("nginx", "a.conf", "x")
    change = wire.changes(
        {"changes": [{"action": "create", "key": item.key, "attributes": item.attributes}]}
    )[0]
    assert (change.type, change.name) == (item.type, item.name)
    assert wire.digest(change.attributes or {}) == item.digest
