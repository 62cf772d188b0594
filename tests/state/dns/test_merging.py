"""Bringing records into a zone: nothing is lost by a merge, and a replacement leaves just the file's."""

from hypothesis import given
from hypothesis import strategies as st

from state.dns.master import Line
from state.dns.merging import Merge, beyond, merge
from state.dns.zone import Entry

ENTRIES = st.lists(
    st.builds(
        Entry,
        st.sampled_from(["@", "www"]),
        st.just("A"),
        st.sampled_from([60, 3600]),
        st.sampled_from(["192.0.2.1", "192.0.2.2"]),
        st.just(""),
    ),
    unique_by=lambda e: (e.name, e.type, e.text),
)


def done(served: list[Entry], made: Merge) -> set[Entry]:
    """The records that are served afterwards."""
    gone = {*made.removed, *(entry for entry, _ in made.changed)}
    return {e for e in served if e not in gone} | {
        line.entry for line in (*made.added, *(line for _, line in made.changed))
    }


@given(ENTRIES, ENTRIES)
def test_a_merge_loses_nothing_and_a_replacement_leaves_the_files(
    served: list[Entry], file: list[Entry]
) -> None:
    lines = [Line(n, entry, entry.text, 0) for n, entry in enumerate(file, 1)]
    keys = {(e.name, e.text) for e in (*served, *file)}
    merged, replaced = merge(served, lines, replace=False), merge(served, lines, replace=True)
    assert {(e.name, e.text) for e in done(served, merged)} == keys
    assert done(served, replaced) == set(file)
    assert len(merged.added) + len(merged.changed) + merged.unchanged == len(file)
    assert done(list(done(served, merged)), merge(list(done(served, merged)), lines, replace=False)) == done(
        served, merged
    )


@given(ENTRIES, ENTRIES)
def test_what_the_template_gives_just_so_is_not_written(template: list[Entry], file: list[Entry]) -> None:
    lines = [Line(n, entry, entry.text, 0) for n, entry in enumerate(file, 1)]
    left = {line.entry for line in beyond(lines, template)}
    for name in ("@", "www"):
        wanted, given = ({e for e in entries if e.name == name} for entries in (file, template))
        assert {e for e in left if e.name == name} == (set() if wanted == given else wanted)


def test_only_what_nothing_takes_the_place_of_is_lost() -> None:
    def entries(*told: str) -> list[Entry]:
        return [Entry(name, kind, 60, text) for name, kind, text in (each.split() for each in told)]

    served = entries(
        "a A 192.0.2.1", "a A 192.0.2.2", "b A 192.0.2.1", "b TXT x", "c CNAME a", "d MX 1", "d CNAME a"
    )
    file = entries("a A 192.0.2.3", "b CNAME a", "c A 192.0.2.1")
    lines = [Line(n, entry, entry.text, 0) for n, entry in enumerate(file, 1)]
    made = merge(served, lines, replace=True)
    assert {str(entry) for entry in made.lost} == {"a 60 IN A 192.0.2.2", "d 60 IN MX 1", "d 60 IN CNAME a"}
    assert set(made.removed) == set(served)
    assert merge(served, lines, replace=False).lost == frozenset()
