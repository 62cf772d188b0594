"""The texts of configuration files: ours, and what operators add or override in folders of theirs."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import DictLoader, Environment, StrictUndefined
from jinja2.runtime import Context

from state.words import Rendered, Words

SUFFIX = ".j2"


class TemplateSet:
    """Templates by folder and name; the values in a text are words of a closed alphabet, or are refused."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        """`sources`: text by ``folder/name``."""
        self._names: dict[str, tuple[str, ...]] = {}
        for path in sorted(sources):
            folder, name = path.rsplit("/", 1)
            self._names[folder] = (*self._names.get(folder, ()), name)
        self._environment = Environment(  # noqa: S701 - no HTML: `Words` let nothing through that means something
            loader=DictLoader(dict(sources)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            cache_size=-1,
            auto_reload=False,
        )
        self._get = cache(self._environment.get_template)

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the templates there are in `folder`."""
        return self._names.get(folder, ())

    def render(self, folder: str, name: str, values: Mapping[str, object]) -> Rendered:
        """The text. Raises jinja2.TemplateError or ValueError for a bad template or value."""
        words = values if isinstance(values, Words) else Words(values)
        template = self._get(f"{folder}/{name}")
        known = {**self._environment.globals, **words}
        context = Context(self._environment, known, template.name, template.blocks)
        return Rendered("".join(template.root_render_func(context)))


def stamp(folders: Iterable[Path]) -> int:
    """A number that changes when a template is added, edited or removed."""
    found = ((str(p), p.stat().st_mtime_ns) for folder in folders for p in sorted(folder.rglob(f"*{SUFFIX}")))
    return hash(tuple(found))


def load_templates(folders: Iterable[Path]) -> TemplateSet:
    """Reads ``<folder>/<kind of template>/<name>.*.j2`` from each of `folders`; later ones override earlier ones."""
    sources: dict[str, str] = {}
    for folder in folders:
        for path in sorted(folder.rglob(f"*{SUFFIX}")):
            relative = path.relative_to(folder)
            name = path.name.removesuffix(SUFFIX).rsplit(".", 1)[0]
            sources[f"{relative.parent.as_posix()}/{name}"] = path.read_text("utf-8")
    return TemplateSet(sources)
