"""Bounds on what a template may do, so that one that goes astray is told of and stops nobody."""

import threading
from collections.abc import Iterator
from itertools import islice
from typing import Any

from jinja2 import Environment, nodes, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import safe_range
from jinja2.visitor import NodeTransformer

MAX_TEXT = 2**20
MAX_STEPS = 100_000
_AT_ONCE = 256


class TooMuch(ValueError):  # noqa: N818
    """A template that makes too long a text, or takes too long for it."""


_STEP = "one more step"  # no template can write this name


class Bounded(Environment):
    """Counts the turns of loops, the calls of macros and what they write; takes no power, and no long product."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._spent = threading.local()
        self.globals["range"] = safe_range
        self.globals.pop("lipsum")
        self.filters[_STEP] = self.step

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        parsed: nodes.Template = _Counting().visit(super()._parse(source, name, filename))
        parsed.set_environment(self)
        return parsed

    def whole(self, chunks: Iterator[str]) -> str:
        """The text that a template makes in these chunks. Raises TooMuch as soon as that is too much."""
        self._spent.steps = self._spent.text = size = 0
        made: list[str] = []
        try:
            while some := list(islice(chunks, _AT_ONCE)):
                size += sum(map(len, some))
                if size > MAX_TEXT:
                    raise _too_long()
                made += some
        except OverflowError:  # of `safe_range`
            raise _too_many() from None
        return "".join(made)

    @pass_context
    def step(self, _: Context, text: int) -> str:
        """One more turn, which writes so many characters. Raises TooMuch."""
        spent = self._spent
        spent.steps += 1
        spent.text += text
        if spent.steps > MAX_STEPS:
            raise _too_many()
        if spent.text > MAX_TEXT:
            raise _too_long()
        return ""

    def product(self, left: Any, right: Any) -> Any:
        """One times the other. Raises TooMuch."""
        for one, other in ((left, right), (right, left)):
            if isinstance(one, int) and hasattr(other, "__len__") and one * len(other) > MAX_TEXT:
                raise _too_long()
        return left * right

    def power(self, _left: Any, _right: Any) -> Any:
        """Raises TooMuch."""
        raise TooMuch("it takes a power, which can take for ever: write the number")

    def joined(self, text: Any) -> Any:
        """What was put together. Raises TooMuch."""
        if hasattr(text, "__len__") and len(text) > MAX_TEXT:
            raise _too_long()
        return text


def _too_long() -> TooMuch:
    return TooMuch(f"it makes more than {MAX_TEXT // 2**20} MiB of text: let it make less")


def _too_many() -> TooMuch:
    return TooMuch(f"it takes more than {MAX_STEPS:,} turns of loops: let it take fewer")


class _Counting(NodeTransformer):
    """Puts a count into all that can be done many times, and a bound on all that can become long at once."""

    def visit(self, node: nodes.Node, *_: Any, **__: Any) -> Any:
        self.generic_visit(node)
        match node:
            case nodes.Mul():
                return _call("product", node, node.left, node.right)
            case nodes.Pow():
                return _call("power", node, node.left, node.right)
            case nodes.Concat() | nodes.Add():
                return _call("joined", node, node)
            case nodes.Include():
                return [nodes.ExprStmt(_step(node, 0), lineno=node.lineno), node]
            case nodes.For() | nodes.Macro() | nodes.CallBlock():
                text = sum(len(each.data) for each in _written(node.body))
                node.body.insert(0, nodes.ExprStmt(_step(node, text), lineno=node.lineno))
        return node


def _written(body: list[nodes.Node]) -> Iterator[nodes.TemplateData]:
    """The literal text of a body, without that of what is counted for itself."""
    for node in body:
        if isinstance(node, nodes.TemplateData):
            yield node
        elif not isinstance(node, nodes.For | nodes.Macro | nodes.CallBlock):
            yield from _written(list(node.iter_child_nodes()))


def _step(where: nodes.Node, text: int) -> nodes.Filter:
    """A count as a filter, which costs a third of a call; one of the context, so that it is not done once for all."""
    return nodes.Filter(nodes.Const(text), _STEP, [], [], None, None, lineno=where.lineno)


def _call(name: str, where: nodes.Node, *arguments: nodes.Expr) -> nodes.Call:
    method = nodes.EnvironmentAttribute(name, lineno=where.lineno)
    return nodes.Call(method, list(arguments), [], None, None, lineno=where.lineno)
