"""The axis of counts: where its ticks stand and what they say.

Heights are those of a `Scale`, computed from exact counts; the axis itself is an ordinary linear
one, whose ticks are named for the counts that stand there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count

from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator

from recform.pictures.counts import LogScale, Scale

# Powers of ten: with more, only some have names; with more still, the steps between have no marks.
MOST_NAMED = 8
MOST_DIVIDED = 9


def name_counts(axes: Axes, scale: Scale, heights: Sequence[float]) -> None:
    """Ticks of the y axis, for bars of these heights."""
    if isinstance(scale, LogScale):
        _name_powers(axes, scale, min(heights), max(heights))
    else:
        whole = all(height.is_integer() for height in heights)
        axes.yaxis.set_major_locator(MaxNLocator(6, integer=whole))
        axes.yaxis.set_major_formatter(lambda height, _: f"{height:,.10g}".replace("-", "−"))


def _name_powers(axes: Axes, scale: LogScale, low: float, high: float) -> None:
    """Zero, and powers of ten on both sides of it."""
    above, below = _powers_up_to(high, scale), _powers_up_to(-low, scale)
    step = round_step((len(above) + len(below)) / MOST_NAMED)
    names = {0.0: "0"}
    names |= {_height(power, scale): _name(power) for power in _named(above, step)}
    names |= {-_height(power, scale): f"−{_name(power)}" for power in _named(below, step)}
    axes.yaxis.set_major_locator(FixedLocator(list(names)))
    axes.yaxis.set_major_formatter(FixedFormatter(list(names.values())))
    if len(above) + len(below) <= MOST_DIVIDED:
        between = [*_between(above, high, scale), *(-h for h in _between(below, -low, scale))]
        axes.yaxis.set_minor_locator(FixedLocator(between))


def _powers_up_to(height: float, scale: LogScale) -> range:
    return range(scale.exponent, scale.exponent + math.floor(height - scale.foot) + 1)


def _height(power: int, scale: LogScale) -> float:
    return scale.foot + power - scale.exponent


def round_step(least: float) -> int:
    """The first of 1, 2, 5, 10, 20, 50, ... that is not below `least`.

    >>> round_step(0.3), round_step(5), round_step(61 / 8)
    (1, 5, 10)
    """
    return next(digit * 10**power for power in count() for digit in (1, 2, 5)
                if digit * 10**power >= least)  # fmt: skip


def _named(powers: range, step: int) -> list[int]:
    """The lowest power and the multiples of `step` that do not stand too near to it."""
    far_enough = (power for power in powers if power - powers.start >= 0.75 * step)
    return [*powers[:1], *(power for power in far_enough if power % step == 0)]


def _name(power: int) -> str:
    return {0: "1", 1: "10"}.get(power, f"$10^{{{power}}}$")


def _between(powers: range, high: float, scale: LogScale) -> list[float]:
    """Heights of 2, 3, ..., 9 times each power, as far as something is drawn."""
    heights = [
        _height(power, scale) + math.log10(digit) for power in powers for digit in range(2, 10)
    ]
    return [height for height in heights if height <= high]
