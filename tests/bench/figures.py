"""What a benchmark found: one line each, with its target and what a peer needed for the same in the same run."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What a run was asked for: small sizes only, and where its progress goes."""

    quick: bool
    say: Say


@dataclass(frozen=True, slots=True)
class Line:
    """One figure. `ratio` is how many times better than the peer it is; `met` is None without a target."""

    what: str
    measured: str
    peer: str = ""
    ratio: float | None = None
    target: str = ""
    met: bool | None = None


def seconds(value: float) -> str:
    """A duration with as many digits as mean something."""
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def timed(
    what: str, took: float, *, peer: tuple[str, float] | None = None, most: float | None = None
) -> Line:
    """A line for a duration in seconds; `peer` is what was done instead and how long that took."""
    return Line(
        what,
        seconds(took),
        f"{seconds(peer[1])}: {peer[0]}" if peer else "",
        peer[1] / took if peer else None,
        f"≤ {most:g} s" if most is not None else "",
        took <= most if most is not None else None,
    )


def percentile(values: list[float], share: float) -> float:
    """The smallest of `values` that at least `share` of them do not exceed."""
    return sorted(values)[max(0, ceil(len(values) * share) - 1)]
