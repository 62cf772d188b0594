"""What holds for every company, host and history."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.changes import Action, Cause, Observation
from reconciler.plan import make_plan
from state.document import Document, Status
from state.kinds import KINDS
from state.resource import LOOKED_AT
from tests.reconciler.worlds import Host, attributes_of, catalog_of, condition, converged, host_with
from tests.state.companies import LAW, Company, buried, companies, specs

DRIFTED = {"mode": "0777", "comment": "changed by hand"}


@st.composite
def histories(draw: st.DrawFn) -> tuple[Host, Company]:
    """A host on which a company was as wanted, then drifted; and the company that it has become since."""
    company = draw(companies())
    host = host_with(company)
    keys = sorted(host.there)
    for key in draw(st.sets(st.sampled_from(keys), max_size=4)) if keys else ():
        drifted = {**host.there.pop(key), **DRIFTED}
        if draw(st.booleans()):
            host.there[key] = drifted
    changed = draw(st.sets(st.sampled_from([d.uid for d in company.documents]), max_size=3))
    return host, company.having(*(draw(_fate(d)) for d in company.documents if d.uid in changed))


@st.composite
def strange_hosts(draw: st.DrawFn) -> tuple[Host, Company]:
    """A history, of which some of the inventory was lost: those things are foreign."""
    host, company = draw(histories())
    for uid, status in host.statuses.items():
        lost = draw(st.sets(st.sampled_from(sorted(status.applied)), max_size=3)) if status.applied else ()
        host.statuses[uid] = replace(
            status, applied={k: d for k, d in status.applied.items() if k not in lost}
        )
    return host, company


def _fate(known: Document) -> st.SearchStrategy[Document]:
    if known.deleted or not KINDS[known.kind].placed:
        return st.just(known)
    return specs(known) | st.just(buried(known))


@LAW
@given(companies())
def test_a_host_that_is_as_wanted_has_an_empty_plan(company: Company) -> None:
    catalog = catalog_of(company)
    plan = make_plan(catalog, Observation(attributes_of(catalog)), converged(catalog, company.documents))
    assert (plan.changes, plan.adopted, plan.gone, plan.unmanaged, plan.blocked) == ((), (), (), (), {})
    assert plan.unchanged == len(catalog.resources)


@LAW
@given(histories())
def test_a_plan_that_is_carried_out_leaves_the_catalog_and_nothing_to_plan(
    history: tuple[Host, Company],
) -> None:
    host, company = history
    before, _ = host.reconcile(company)
    after = host.survey(company)
    assert (after.plan.changes, after.plan.adopted, after.plan.gone) == ((), (), ())
    for key, resource in before.catalog.resources.items():
        assert resource.once or host.there[key] == dict(resource.attributes)


@LAW
@given(histories())
def test_after_a_pass_every_wanted_thing_is_in_the_inventory_of_who_wants_it(
    history: tuple[Host, Company],
) -> None:
    host, company = history
    survey, _ = host.reconcile(company)
    for key, uid in survey.catalog.wanted_by.items():
        if uid:
            assert host.statuses[uid].applied[key] == survey.catalog.resources[key].digest


@LAW
@given(histories())
def test_a_deleted_document_leaves_nothing_and_is_forgotten(history: tuple[Host, Company]) -> None:
    """A part is forgotten once its whole is without it, which one that is blocked is not yet."""
    host, company = history
    survey, conclusions = host.reconcile(company)
    for document in company.documents:
        whole = conclusions.get(document.whole)
        waits = whole is not None and not whole.forget and not condition(whole.status, "Ready").status
        if document.deleted:
            assert conclusions[document.uid].forget is not waits
            assert not {k for k, u in survey.catalog.wanted_by.items() if u == document.uid}


@LAW
@given(histories(), st.data())
def test_the_order_of_documents_does_not_matter(history: tuple[Host, Company], data: st.DataObject) -> None:
    host, company = history
    shuffled = Company(tuple(data.draw(st.permutations(company.documents))))
    one, other = host.survey(company), host.survey(shuffled)
    assert list(one.catalog.resources.items()) == list(other.catalog.resources.items())
    assert one.catalog.outcomes == other.catalog.outcomes
    assert one.plan.changes == other.plan.changes
    assert one.plan.blocked == other.plan.blocked


@LAW
@given(strange_hosts())
def test_nothing_outside_the_inventory_is_ever_changed_or_deleted(history: tuple[Host, Company]) -> None:
    host, company = history
    ours = {key for status in host.statuses.values() for key in status.applied}
    for change in host.survey(company).plan.changes:
        if change.action is not Action.CREATE and change.document and change.type not in LOOKED_AT:
            assert change.key in ours


@LAW
@given(strange_hosts(), st.dictionaries(st.sampled_from(["account:eve", "config:nginx/x"]), st.just({})))
def test_what_nobody_asked_for_is_told_of_and_stays(
    history: tuple[Host, Company], listed: dict[str, dict[str, str]]
) -> None:
    host, company = history
    plan = host.survey(company, listed=listed).plan
    assert set(listed) <= set(plan.unmanaged)
    assert not {change.key for change in plan.changes} & set(plan.unmanaged)


@LAW
@given(companies())
def test_equal_things_are_adopted_without_a_change(company: Company) -> None:
    host = host_with(company)
    host.statuses = {}
    survey, _ = host.reconcile(company)
    ours = [key for key, uid in survey.catalog.wanted_by.items() if uid]
    assert survey.plan.changes == ()
    assert list(survey.plan.adopted) == ours
    assert host.survey(company).plan.adopted == ()


@LAW
@given(histories())
def test_every_wanted_resource_is_counted_exactly_once(history: tuple[Host, Company]) -> None:
    host, company = history
    survey = host.survey(company)
    plan, wanted = survey.plan, set(survey.catalog.resources)
    made = [change.key for change in plan.changes if change.key in wanted]
    blocked = sum(map(len, plan.blocked.values()))
    assert len(made) + len(plan.adopted) + blocked + plan.unchanged == len(wanted)
    assert len({change.key for change in plan.changes}) == len(plan.changes)


@LAW
@given(histories(), st.data())
def test_a_document_that_cannot_be_had_keeps_what_was_applied_and_harms_no_other(
    history: tuple[Host, Company], data: st.DataObject
) -> None:
    host, company = history
    before = host.survey(company)
    choices = [d for d in company.documents if d.kind == "WebDomain" and not d.deleted]
    if not choices:
        return
    victim = data.draw(st.sampled_from(choices))
    faults = st.sampled_from([{"web_template": "gone"}, {"is_active": True, "aliases": ("a;b",)}])
    bad = victim.spec.model_copy(update=data.draw(faults))
    after = host.survey(company.having(replace(victim, spec=bad)))
    assert after.catalog.outcomes[victim.uid].held
    assert not [c for c in after.plan.changes if c.document == victim.uid]
    others = [c for c in before.plan.changes if c.document not in {victim.uid, ""}]
    assert [c for c in after.plan.changes if c.document] == others
    known = host.statuses.get(victim.uid, Status(victim.uid)).applied
    host.make(after.plan)
    assert host.conclude(after, host.applied(after.plan))[victim.uid].status.applied == known


@LAW
@given(companies(), st.data())
def test_what_drifted_is_corrective_and_what_was_changed_is_intended(
    company: Company, data: st.DataObject
) -> None:
    host = host_with(company)
    inside = [k for k, r in catalog_of(company).resources.items() if not r.once]
    drifted = data.draw(st.sets(st.sampled_from(inside), max_size=3)) if inside else set()
    for key in drifted:
        host.there[key] = {**host.there[key], **DRIFTED}
    plan = host.survey(company).plan
    assert {c.key for c in plan.changes} == drifted
    assert {c.cause for c in plan.changes} <= {Cause.CORRECTIVE}
    fresh = Host().survey(company).plan
    assert {c.cause for c in fresh.changes if c.document} <= {Cause.INTENDED}
