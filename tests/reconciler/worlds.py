"""A host as values: what is on it, what a plan makes of it, and what is concluded; to state laws of the pure part."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from reconciler.apply import Applied, Result
from reconciler.changes import Action, Observation, Plan
from reconciler.compile import Catalog, compile_documents
from reconciler.conclude import Conclusion, conclude
from reconciler.observe import Look
from reconciler.plan import make_plan
from reconciler.subject import Subject, Survey
from state.compiling import Plane
from state.document import Condition, Document, Status
from state.resource import Resource
from tests.state.companies import DAY, FACTS, TARGET, Company, templates

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def catalog_of(company: Company, now: datetime | None = None) -> Catalog:
    plane = Plane(day=DAY, now=now)
    return compile_documents(company.documents, company.related, FACTS, templates(), plane, company.parts)


def attributes_of(catalog: Catalog) -> dict[str, Any]:
    return {key: dict(resource.attributes) for key, resource in catalog.resources.items()}


def converged(catalog: Catalog, documents: Iterable[Document]) -> dict[str, Status]:
    """The statuses when all of the catalog was applied."""
    statuses = {d.uid: Status(d.uid) for d in documents}
    for key, uid in catalog.wanted_by.items():
        if uid:
            applied = {**statuses[uid].applied, key: catalog.resources[key].digest}
            statuses[uid] = replace(statuses[uid], applied=applied)
    return statuses


def condition(status: Status, type_: str) -> Condition:
    return next(c for c in status.conditions if c.type == type_)


@dataclass
class Host:
    """What is there by key; and what is known of it by uid; `now`: the time, where it matters."""

    there: dict[str, Any] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    now: datetime | None = None

    def survey(self, company: Company, *, listed: Mapping[str, Any] | None = None) -> Survey:
        """A look at all of the company's documents."""
        catalog = catalog_of(company, self.now)
        statuses = {d.uid: self.statuses.get(d.uid, Status(d.uid)) for d in company.documents}
        asked = {*catalog.resources, *(key for s in statuses.values() for key in s.applied)}
        found = {key: self.there.get(key) for key in sorted(asked)}
        observation = Observation(found, extra=listed or {})
        plan = make_plan(catalog, observation, statuses)
        documents = {d.uid: d for d in company.documents}
        subject = Subject(TARGET, documents, company.related, statuses, len(documents))
        return Survey(subject, catalog, Look(observation, FACTS, 0), plan)

    def make(self, plan: Plan, but: Container[str] = ()) -> None:
        """What a host does: every change of the plan, `but` some."""
        for change in plan.changes:
            if change.key in but:
                continue
            if change.action in {Action.REPLACE, Action.DELETE} and change.type in {"account", "directory"}:
                gone = change.before["home"] if change.before and change.type == "account" else ""
                self._quarantine(str(gone) if gone else change.key.split(":", 1)[1])
            if change.after is None:
                self.there.pop(change.key, None)
            else:
                self.there[change.key] = dict(change.after)

    def applied(self, plan: Plan, results: Mapping[str, Result] | None = None) -> Applied:
        """The host's answer: all applied but for `results`, and the second look."""
        told = {change.key: Result("applied") for change in plan.changes} | dict(results or {})
        return Applied(told, {key: self.there.get(key) for key in told}, {}, {})

    def conclude(self, survey: Survey, applied: Applied, at: datetime = NOON) -> dict[str, Conclusion]:
        conclusions = conclude(survey, applied, at)
        self.statuses |= {uid: c.status for uid, c in conclusions.items()}
        return conclusions

    def reconcile(self, company: Company, at: datetime = NOON) -> tuple[Survey, dict[str, Conclusion]]:
        """One whole pass in which everything goes well."""
        survey = self.survey(company)
        self.make(survey.plan)
        return survey, self.conclude(survey, self.applied(survey.plan), at)

    def _quarantine(self, path: str) -> None:
        for key in list(self.there):
            kind, name = key.split(":", 1)
            if kind in {"directory", "file"} and (name == path or name.startswith(f"{path}/")):
                del self.there[key]


def host_with(company: Company) -> Host:
    """A host on which the company is as wanted."""
    catalog = catalog_of(company)
    return Host(attributes_of(catalog), converged(catalog, company.documents))


def found_as(survey: Survey, key: str) -> Resource:
    return survey.catalog.resources[key]
