"""Resources and their digests."""

from hypothesis import given
from hypothesis import strategies as st

from state.resource import config, digest, directory, seed


@given(st.text(), st.text(), st.text(), st.text(max_size=50))
def test_a_digest_is_that_of_the_attributes_however_it_was_come_by(
    owner: str, group: str, mode: str, content: str
) -> None:
    content = content.encode(errors="replace").decode()
    made = (
        directory("/d", owner=owner, group=group, mode=mode),
        seed("/f", content, owner=owner, group=group, mode=mode),
        config("nginx", "a.conf", content),
    )
    for resource in made:
        assert resource.digest == digest(resource.attributes)
