"""Path counts as text and as heights: exact numbers of any size, made floats at the last moment.

At depth 1,000 there are 1e381 ways through ResNet-s, more than a float can hold, and one path of
each length is left of them. A `Scale` turns such counts into heights of ordinary size.

>>> count_to_text(265729, room=7), count_to_text(3**700, room=7)
('265729', '~9.7e333')
>>> LogScale().position(10**381)
382.0
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, TypeAlias

from recform.errors import UserError
from recform.paths import Analysis
from recform.tape import Irrational

Count: TypeAlias = "int | Fraction | Irrational"

# The readings in the order in which they are shown, with what each counts.
READINGS = {
    "net": "with sign",
    "gross": "as drawn",
    "distinct": "what survives cancellation",
}

# The least part of a logarithmic scale that is between zero and its lowest power of ten.
FOOT_PART = 0.08
# Bars of counts further apart than this cannot be compared by eye on a linear scale.
LARGEST_RATIO = 100
# Powers of ten past which floats do not hold every whole number.
LARGEST_POWER = 15


def counts_of(analysis: Analysis, reading: str) -> tuple[Count, ...] | None:
    """The counts by path length, with zeros up to the longest path; None if they are not known."""
    counts = {"net": analysis.net, "gross": analysis.gross, "distinct": analysis.distinct}[reading]
    return None if counts is None else counts + (0,) * (num_lengths(analysis) - len(counts))


def num_lengths(analysis: Analysis) -> int:
    """One more than the longest path, of the paths as drawn or counted otherwise."""
    return max(len(row or ()) for row in (analysis.net, analysis.gross, analysis.distinct))


def refuse_left_out(analysis: Analysis) -> None:
    """Raises UserError `too-deep` if the counts are too large to be written down."""
    if analysis.counts_reason is not None:
        raise UserError("too-deep", f"the counts at depth {analysis.depth:,} are "
                        f"{analysis.counts_reason}", "choose a smaller depth")  # fmt: skip


def log10_of(magnitude: Count) -> float:
    """log10 of a positive number, also where no float can hold the number itself."""
    if isinstance(magnitude, Irrational):
        return math.log10(float(magnitude))
    return math.log10(magnitude.numerator) - math.log10(magnitude.denominator)


def count_to_text(count: Count, room: int) -> str:
    """The exact number if it fits in `room` characters; else rounded, with `~` before it."""
    if isinstance(count, Irrational):
        if len(str(count)) <= room:
            return str(count)
    else:
        parts = (count.numerator, count.denominator)
        # Python refuses to print very long integers, so their length is judged first.
        num_digits = sum(log10_of(abs(part)) for part in parts if part)
        if num_digits <= room and len(str(count)) <= room:
            return str(count)
    sign = "-" if count < 0 else ""
    return f"~{sign}{_rounded(log10_of(abs(count)))}"


def _rounded(logarithm: float) -> str:
    if -3 <= logarithm < 4:
        return f"{10**logarithm:#.3g}".rstrip(".") if logarithm < 2 else f"{10**logarithm:.0f}"
    exponent = math.floor(logarithm)
    digits = f"{10 ** (logarithm - exponent):.1f}"
    return f"1.0e{exponent + 1}" if digits == "10.0" else f"{digits}e{exponent}"


class Scale(Protocol):
    """How high a count stands. Rising, odd, and zero at zero, so that bars have a foot."""

    @property
    def label(self) -> str:
        """What an axis must say about it; empty if nothing."""
        ...

    def position(self, count: Count) -> float: ...


@dataclass(frozen=True)
class LinearScale:
    """As high as the count."""

    label: str = ""

    def position(self, count: Count) -> float:
        return float(count)


@dataclass(frozen=True)
class LogScale:
    """One step up for each factor of ten; linear from zero to 10^`exponent`, which is at `foot`.

    So a count of one still shows, a count of zero does not, and negative counts hang below.
    """

    exponent: int = 0
    foot: float = 1.0

    @property
    def label(self) -> str:
        return f"log scale, linear below {10.0**self.exponent:g}"

    def position(self, count: Count) -> float:
        magnitude = abs(count)
        if magnitude <= Fraction(10) ** self.exponent:
            return self.foot * float(count / Fraction(10) ** self.exponent)
        height = self.foot + log10_of(magnitude) - self.exponent
        return height if count > 0 else -height


def scale_for(counts: Iterable[Count]) -> Scale:
    """Linear where all counts but zeros can be seen side by side, else logarithmic."""
    counts = list(counts)
    magnitudes = [abs(count) for count in counts if count]
    if not magnitudes:
        return LinearScale()
    smallest, largest = min(magnitudes), max(magnitudes)
    if largest <= LARGEST_RATIO * smallest and abs(log10_of(largest)) < LARGEST_POWER:
        return LinearScale()
    return log_scale(counts)


def linear_scale(counts: Iterable[Count]) -> Scale:
    """Linear. Raises UserError `bad-argument` for counts that a float cannot tell apart."""
    if any(log10_of(abs(count)) > LARGEST_POWER for count in counts if count):
        raise UserError("bad-argument", f"counts past 10^{LARGEST_POWER} cannot stand on a linear "
                        "scale", "take a log scale (--scale log), or a smaller depth")  # fmt: skip
    return LinearScale()


def log_scale(counts: Iterable[Count]) -> Scale:
    """Logarithmic, from the smallest count or a few steps below the largest."""
    counts = list(counts)
    magnitudes = [abs(count) for count in counts if count]
    if not magnitudes:
        return LogScale()
    smallest, largest = min(magnitudes), max(magnitudes)
    # Three steps below one, or below the largest, are enough: what is less counts as nothing.
    lowest = min(0, math.floor(log10_of(largest))) - 3
    exponent = max(lowest, min(0, math.floor(log10_of(smallest))))
    # A hundredth of the height cannot be told from zero, so the foot grows with the rest.
    ends = [abs(end) for end in (min(counts), max(counts)) if end] if min(counts) < 0 else [largest]
    num_steps = sum(log10_of(end) - exponent for end in ends)
    return LogScale(exponent, foot=max(1.0, FOOT_PART * num_steps))


# How a person asks for a scale.
SCALES: dict[str, Callable[[Iterable[Count]], Scale]] = {
    "auto": scale_for,
    "linear": linear_scale,
    "log": log_scale,
}
