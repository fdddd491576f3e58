"""A probed network: gradients by path length, and what it loses with some of its blocks.

Above, as in Veit et al. (2016), figure 6: the gradient along one path, the number of paths, and
their product, by length. Below, as in their figures 3 and 5: the error without each block, and
without several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from recform.pictures.figure import Picture
from recform.pictures.theme import (
    BLUE,
    INK,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    RED,
    ROW_HEIGHT,
    SMALL,
    TEXT,
    plain_axes,
    whole_ticks,
)
from recform.pictures.typeset import wrap_text

# Points.
MARK = 3.5
LINE = 1.2
# Blocks past which not every one has its name on the axis.
MOST_NAMED = 9
SERIES = (("surviving", BLUE, "o"), ("cancelled", RED, "s"))


class Magnitudes(Protocol):
    """Of paths: their number, how many were measured, mean and deviation of their gradients."""

    @property
    def paths(self) -> int: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def std(self) -> float | None: ...
    @property
    def contribution(self) -> float | None: ...


class Length(Protocol):
    @property
    def length(self) -> int: ...
    @property
    def surviving(self) -> Magnitudes: ...
    @property
    def cancelled(self) -> Magnitudes: ...


class Paths(Protocol):
    @property
    def lengths(self) -> Sequence[Length]: ...


class Score(Protocol):
    @property
    def error(self) -> float: ...


class Block(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def score(self) -> Score: ...


class Set(Protocol):
    @property
    def num_dropped(self) -> int: ...
    @property
    def mean_error(self) -> float: ...
    @property
    def std_error(self) -> float: ...


class Lesions(Protocol):
    """Errors in percent."""

    @property
    def intact(self) -> Score: ...
    @property
    def blocks(self) -> Sequence[Block]: ...
    @property
    def sets(self) -> Sequence[Set]: ...


def probe(paths: Paths, lesions: Lesions | None, title: str) -> Figure:
    """Three panels of gradients by path length, and two of lesions if there are some."""
    num_rows = 1 if lesions is None else 2
    figure = Picture(figsize=(PAGE_WIDTH, num_rows * ROW_HEIGHT + 0.7), layout="constrained")
    grid = figure.add_gridspec(num_rows, 6)
    panels = [figure.add_subplot(grid[0, place : place + 2]) for place in (0, 2, 4)]
    longest = max((row.length for row in paths.lengths), default=0)
    for axes in panels:
        _plain(axes, "blocks on the path")
        axes.set_xlim(-0.6, longest + 0.6)
    _draw_gradients(panels[0], paths)
    _draw_numbers(panels[1], paths)
    _draw_contributions(panels[2], paths)
    if any(row.cancelled.paths for row in paths.lengths):
        panels[0].legend(fontsize=SMALL, frameon=False, labelcolor=INK)
    if lesions is not None:
        _draw_blocks(figure.add_subplot(grid[1, :3]), lesions)
        _draw_sets(figure.add_subplot(grid[1, 3:]), lesions)
    page = PAGE_WIDTH * POINTS_PER_INCH
    lines = [line for given in title.splitlines() for line in wrap_text(given, page, TEXT)]
    figure.suptitle("\n".join(lines), fontsize=TEXT, color=INK)
    return figure


def _draw_gradients(axes: Axes, paths: Paths) -> None:
    for name, colour, mark in SERIES:
        rows = [(row.length, getattr(row, name)) for row in paths.lengths]
        rows = [(length, sizes) for length, sizes in rows if sizes.mean]
        if rows:
            lengths = [length for length, _ in rows]
            means = [sizes.mean for _, sizes in rows]
            _with_deviation(axes, lengths, means, [sizes.std or 0.0 for _, sizes in rows],
                            color=colour, marker=mark, label=name)  # fmt: skip
    axes.set_yscale("log")
    axes.tick_params(which="minor", labelsize=SMALL, labelcolor=INK)
    axes.set_title("gradient along one path", fontsize=TEXT, color=INK)


def _with_deviation(
    axes: Axes, places: Sequence[int], means: Sequence[float], stds: Sequence[float], **look: Any
) -> ErrorbarContainer:
    """Marks with bars of one deviation; on a logarithmic scale, the lower bar stays above 0."""
    below = [min(std, 0.9 * mean) for mean, std in zip(means, stds, strict=True)]
    return axes.errorbar(places, means, yerr=[below, stds], markersize=MARK, linewidth=LINE,
                         elinewidth=0.7, capsize=1.5, **look)  # fmt: skip


def _draw_numbers(axes: Axes, paths: Paths) -> None:
    for place, (name, colour, _) in enumerate(SERIES):
        numbers = [getattr(row, name).paths for row in paths.lengths]
        if any(numbers):
            _bars(axes, paths, [float(number) for number in numbers], place, colour)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_ylim(bottom=0)
    axes.set_title("number of paths", fontsize=TEXT, color=INK)


def _draw_contributions(axes: Axes, paths: Paths) -> None:
    for place, (name, colour, _) in enumerate(SERIES):
        sizes = [getattr(row, name).contribution or 0.0 for row in paths.lengths]
        if any(sizes):
            _bars(axes, paths, sizes, place, colour)
    axes.set_title("number x gradient", fontsize=TEXT, color=INK)


def _bars(axes: Axes, paths: Paths, heights: Sequence[float], place: int, colour: str) -> None:
    """Bars for one series; two stand side by side where words cancel."""
    cancels = any(row.cancelled.paths for row in paths.lengths)
    width = 0.42 if cancels else 0.8
    offset = (place - 0.5) * width if cancels else 0.0
    axes.bar([row.length + offset for row in paths.lengths], heights, width, color=colour)


def _draw_blocks(axes: Axes, lesions: Lesions) -> None:
    _plain(axes, "block dropped")
    names = [lesion.name for lesion in lesions.blocks]
    places = range(len(names))
    axes.plot(places, [lesion.score.error for lesion in lesions.blocks], "o", color=BLUE,
              markersize=MARK)  # fmt: skip
    _mark_intact(axes, lesions)
    step = -(-len(names) // MOST_NAMED)
    axes.set_xticks(places[::step], names[::step])
    axes.set_title("without one block", fontsize=TEXT, color=INK)


def _draw_sets(axes: Axes, lesions: Lesions) -> None:
    _plain(axes, "number of blocks dropped")
    _with_deviation(
        axes,
        [0, *(lesion.num_dropped for lesion in lesions.sets)],
        [lesions.intact.error, *(lesion.mean_error for lesion in lesions.sets)],
        [0.0, *(lesion.std_error for lesion in lesions.sets)],
        color=BLUE,
        marker="o",
    )
    axes.set_ylim(bottom=0)
    axes.set_title("without several", fontsize=TEXT, color=INK)


def _mark_intact(axes: Axes, lesions: Lesions) -> None:
    axes.axhline(lesions.intact.error, color=INK, linewidth=0.8, linestyle="--", label="intact")
    axes.set_ylabel("top-1 error (%)", fontsize=TEXT, color=INK)
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=SMALL, frameon=False, labelcolor=INK)


def _plain(axes: Axes, label: str) -> None:
    plain_axes(axes)
    axes.set_xlabel(label, fontsize=TEXT, color=INK)
    whole_ticks(axes.xaxis, 8)
