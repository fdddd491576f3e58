"""Formulas by two of their figures: what they cost and what they give, and which nothing beats.

A dot for each pair of figures; larger dots stand for more formulas. The front is drawn as a stair:
on it stand those for which no other is at least as good in both and better in one.

>>> figure = front([Dot(1, 4, "a"), Dot(2, 4, "b"), Dot(2, 9, "c")], "kept", "paths")
>>> [text.get_text() for text in figure.axes[0].texts]
['a', 'c']
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recform.errors import UserError
from recform.pictures.figure import Picture
from recform.pictures.theme import (
    BLUE,
    INK,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    RED,
    SMALL,
    SOFT,
    TEXT,
    plain_axes,
    whole_ticks,
)
from recform.pictures.typeset import cut_text

# Names on the front; more would cover one another.
MAX_NAMES = 8
# Past this ratio of the largest to the smallest the axis is logarithmic.
MAX_RATIO = 50


@dataclass(frozen=True)
class Dot:
    """A formula: its figure along x, of which less is better, and along y, of which more is."""

    x: float
    y: float
    name: str


def front(dots: Sequence[Dot], x_name: str, y_name: str) -> Figure:
    """A dot for each formula, the names of those on the front, and the front itself.

    Raises UserError `bad-argument` if there is none.
    """
    if not dots:
        raise UserError("bad-argument", "a picture of a search needs a formula", "allow more")
    figure = Picture(figsize=(PAGE_WIDTH, 3.6), layout="constrained")
    axes = figure.subplots()
    plain_axes(axes)
    places = Counter((dot.x, dot.y) for dot in dots)
    axes.scatter([x for x, _ in places], [y for _, y in places], color=SOFT, zorder=2,
                 s=[8 + 3 * min(number, 20) for number in places.values()])  # fmt: skip
    best = undominated(dots)
    axes.step([dot.x for dot in best], [dot.y for dot in best], where="post", color=RED,
              linewidth=1.2, zorder=1)  # fmt: skip
    axes.scatter([dot.x for dot in best], [dot.y for dot in best], color=BLUE, s=26, zorder=3)
    middle = (min(dot.x for dot in dots) + max(dot.x for dot in dots)) / 2
    for dot in best[:MAX_NAMES]:
        _name(axes, dot, to_the_left=dot.x > middle)
    heights = [dot.y for dot in dots if dot.y > 0]
    if heights and max(heights) > MAX_RATIO * min(heights) and len(heights) == len(dots):
        axes.set_yscale("log")
    whole_ticks(axes.xaxis, 9)
    axes.margins(x=0.12, y=0.15)
    axes.set_xlabel(f"{x_name} (less is better)", fontsize=TEXT, color=INK)
    axes.set_ylabel(f"{y_name} (more is better)", fontsize=TEXT, color=INK)
    return figure


def _name(axes: Axes, dot: Dot, to_the_left: bool) -> None:
    """Above its dot, on paper of its own: the stair may pass there."""
    axes.annotate(
        cut_text(dot.name, PAGE_WIDTH * POINTS_PER_INCH / 2.5, SMALL),
        (dot.x, dot.y),
        xytext=(4 if to_the_left else -4, 7),
        textcoords="offset points",
        ha="right" if to_the_left else "left",
        fontsize=SMALL,
        color=INK,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )


def undominated(dots: Sequence[Dot]) -> list[Dot]:
    """One dot for each place of the front, from left to right: rising, or it would be beaten."""
    best: list[Dot] = []
    for dot in sorted(dots, key=lambda dot: (dot.x, -dot.y)):
        if not best or dot.y > best[-1].y:
            best.append(dot)
    return best
