"""The texts of configuration files: ours, and what operators add or override in folders of theirs."""

import os
import stat
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import DictLoader, StrictUndefined
from jinja2.runtime import Context

from state.errors import Temporary
from state.template_bounds import MAX_TEXT, Bounded, TooMuch
from state.words import Rendered, Words

SUFFIX = ".j2"


class TemplateSet:
    """Templates by folder and name; the values in a text are words of a closed alphabet, or are refused."""

    def __init__(self, sources: Mapping[str, str], unreadable: Mapping[str, str] | None = None) -> None:
        """`sources`: text by ``folder/name``; `unreadable`: why there is none, likewise."""
        self._unreadable = dict(unreadable or {})
        self._names: dict[str, tuple[str, ...]] = {}
        for path in sorted({*sources, *self._unreadable}):
            folder, name = path.rsplit("/", 1)
            self._names[folder] = (*self._names.get(folder, ()), name)
        self._environment = Bounded(  # no HTML: `Words` let nothing through that means something
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
        """The text. Raises jinja2.TemplateError or ValueError for a bad template or value, or for too long a text."""
        if f"{folder}/{name}" in self._unreadable:
            raise ValueError(
                f"template {folder}/{name} cannot be read: {self._unreadable[f'{folder}/{name}']}"
            )
        words = values if isinstance(values, Words) else Words(values)
        template = self._get(f"{folder}/{name}")
        known = {**self._environment.globals, **words}
        context = Context(self._environment, known, template.name, template.blocks)
        try:
            return Rendered(self._environment.whole(template.root_render_func(context)))
        except TooMuch as error:
            raise TooMuch(f"template {folder}/{name}: {error}") from None


def stamp(folders: Iterable[Path]) -> int:
    """A number that changes when a template is added, edited or removed."""
    found = (
        (str(p), p.lstat().st_mtime_ns) for folder in folders for p in sorted(folder.rglob(f"*{SUFFIX}"))
    )
    return hash(tuple(found))


def load_templates(folders: Iterable[Path]) -> TemplateSet:
    """Reads ``<folder>/<kind of template>/<name>.*.j2`` from each of `folders`; later ones override earlier ones.

    What cannot be read harms those alone who use it. Raises Temporary when a whole folder cannot be read: it is
    not an empty one.
    """
    sources: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for folder in folders:
        if not os.access(folder, os.R_OK | os.X_OK):
            raise Temporary(
                f"the folder of templates {folder} cannot be read: put it back, or change GHOSTCP_TEMPLATES"
            )
        for path in sorted(folder.rglob(f"*{SUFFIX}")):
            relative = path.relative_to(folder)
            name = path.name.removesuffix(SUFFIX).rsplit(".", 1)[0]
            key = f"{relative.parent.as_posix()}/{name}"
            sources.pop(key, None)
            unreadable.pop(key, None)
            try:
                sources[key] = _text(path)
            except (OSError, ValueError) as error:
                unreadable[key] = getattr(error, "strerror", None) or _why(error)
    return TemplateSet(sources, unreadable)


def _text(path: Path) -> str:
    """What is in a template's file. Raises OSError and ValueError."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is no file")
    if status.st_size > MAX_TEXT:
        raise ValueError(f"it is larger than {MAX_TEXT // 2**20} MiB")
    return path.read_text("utf-8")


def _why(error: Exception) -> str:
    return "it is not UTF-8" if isinstance(error, UnicodeError) else str(error)
