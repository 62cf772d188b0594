"""How long it takes to compile and plan, and how much memory, with nothing but documents.

Run as a module it is the measured process: one variant, its figures as JSON.
"""

import hashlib
import json
import resource
import subprocess
import sys
import time

from jinja2 import DictLoader, Environment

from reconciler.changes import Observation
from reconciler.compile import Catalog, compile_documents
from reconciler.garbage import collect_seldom
from reconciler.plan import make_plan
from state.document import Document, Status
from state.settings import Settings
from state.site_values import site_values
from state.templates import load_templates
from state.validation import dump
from tests.bench.company import FACTS, by_ref, company, tenants
from tests.bench.figures import Line, Run, seconds

TITLE = "Compile and plan, nothing else"
_SIZE, _QUICK = 100_000, 10_000
_SECONDS, _MIB = 10.0, 1024.0
_VARIANTS = {"new": "nothing is there yet", "equal": "all is there already"}


def measure(run: Run) -> list[Line]:
    """Each variant and the peers in processes of their own."""
    size = _QUICK if run.quick else _SIZE
    texts, hashes = _alone("texts", size, run), _alone("hashes", size, run)
    rendered = f"{seconds(texts['seconds'])}: the same texts through Jinja alone"
    hashed = f"{seconds(hashes['seconds'])}: the documents as JSON, hashed"
    lines = []
    for variant, meaning in _VARIANTS.items():
        found = _alone(variant, size, run)
        what = f"{size:,} documents, {found['resources']:,.0f} resources, {meaning}"
        took, memory = found["seconds"], found["mebibytes"]
        ratio = texts["seconds"] / took
        lines.append(Line(what, seconds(took), rendered, ratio, f"≤ {_SECONDS:g} s", took <= _SECONDS))
        lines.append(Line("the same", seconds(took), hashed, hashes["seconds"] / took))
        lines.append(Line("its memory", f"{memory:,.0f} MiB", "", None, "≤ 1 GiB", memory <= _MIB))
    return lines


def _alone(variant: str, size: int, run: Run) -> dict[str, float]:
    run.say(f"compile and plan: {variant}, {size:,} documents")
    argv = [sys.executable, "-m", "tests.bench.planning", variant, str(size)]
    done = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _documents(size: int) -> list[Document]:
    sites = size * 10 // 11
    while sites + tenants(sites) < size:
        sites += 1
    return list(company(sites, "host"))


def _compiled(documents: list[Document]) -> Catalog:
    templates = load_templates(Settings().template_folders)
    return compile_documents(documents, by_ref(documents), FACTS, templates)


def _new(documents: list[Document]) -> int:
    catalog = _compiled(documents)
    statuses = {document.uid: Status(document.uid) for document in documents}
    plan = make_plan(catalog, Observation(dict.fromkeys(catalog.resources)), statuses)
    return len(plan.changes)


def _equal(documents: list[Document], statuses: dict[str, Status]) -> int:
    catalog = _compiled(documents)
    found = {key: each.attributes for key, each in catalog.resources.items()}
    plan = make_plan(catalog, Observation(found), statuses)
    if plan.changes or plan.adopted:
        raise AssertionError(f"{len(plan.changes)} changes, where all is as it should be")
    return plan.unchanged


def _applied(documents: list[Document]) -> dict[str, Status]:
    """What would be known of them had all of it been applied."""
    applied: dict[str, dict[str, str]] = {document.uid: {} for document in documents}
    catalog = _compiled(documents)
    for key, uid in catalog.wanted_by.items():
        if uid:
            applied[uid][key] = catalog.resources[key].digest
    return {uid: Status(uid, 1, applied=keys) for uid, keys in applied.items()}


def _texts(documents: list[Document]) -> int:
    """Every text that the sites have, by Jinja's own means, and nothing else."""
    sources = {}
    for path in Settings().template_folders[0].rglob("*.j2"):
        sources[f"{path.parent.name}/{path.name.split('.')[0]}"] = path.read_text()
    environment = Environment(loader=DictLoader(sources), trim_blocks=True, lstrip_blocks=True)
    page, web, closed, pool = map(
        environment.get_template, ("page/default", "web/default", "web/suspended", "backend/PHP")
    )
    made = 0
    for document in documents:
        if document.kind == "WebDomain":
            values = dict(site_values(document))
            suspended = getattr(document.spec, "is_suspended", False)
            texts = [page.render(values), (closed if suspended else web).render(**values, proxy=None)]
            if values["php"] and not suspended:
                texts.append(pool.render(values))
            made += len(texts)
    return made


def _hashes(documents: list[Document]) -> int:
    return len({hashlib.sha256(json.dumps(dump(d.spec)).encode()).digest() for d in documents})


def _main(variant: str, size: int) -> None:
    collect_seldom()
    documents = _documents(size)
    statuses = _applied(documents) if variant == "equal" else {}
    began = time.perf_counter()
    if variant == "equal":
        made = _equal(documents, statuses)
    else:
        made = {"new": _new, "texts": _texts, "hashes": _hashes}[variant](documents)
    took = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps({"seconds": took, "mebibytes": peak, "resources": made}))


if __name__ == "__main__":
    _main(sys.argv[1], int(sys.argv[2]))
