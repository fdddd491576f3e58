"""Which blocks the paths go through: a map of blocks by path length.

Dark to bright is few paths to many. In a ResNet all rows are alike, since half of its paths go
through any one block (Veit et al. 2016, section 4.1); where rows differ, some blocks carry more.

>>> figure = routes(["resnet"], depth=3)
>>> figure.axes[0].images[0].get_array().shape      # blocks, lengths
(3, 4)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure

from recform.errors import UserError
from recform.formula import Formula, resolve
from recform.paths import through_block
from recform.pictures.counts import Count, count_to_text, log10_of
from recform.pictures.figure import Picture
from recform.pictures.graph import tape_with_output
from recform.pictures.theme import (
    DIGIT_WIDTH,
    INK,
    NUMBER_SIZE,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    SMALL,
    TEXT,
    whole_ticks,
)
from recform.pictures.typeset import line_height, typeset_equations, wrap_text

# More rows than these are thinner than a dot.
MAX_BLOCKS = 1000
# Yellow to blue by lightness alone, the same for the colour-blind (Nunez et al. 2018).
COLOURS = "cividis"
NOTHING = "#F2F2F2"
# Inches: a map with the lengths below it, and without the lines above it.
PANEL_HEIGHT = 2.8
# Names of blocks that fit beside a panel.
MAX_NAMES = 20


@dataclass(frozen=True)
class Map:
    """Gross paths through each block of a formula, by length; zeros up to the longest path."""

    formula: Formula
    depth: int
    start: int
    blocks: tuple[str, ...]
    counts: tuple[tuple[Count, ...], ...]


def routes(formulas: Sequence[Formula | str], depth: int = 16, start: int = 0) -> Figure:
    """For each formula a map of how many paths of d x[depth] / d x[start] go through each block.

    Rows are blocks, the first one lowest; columns are the numbers of blocks on the path. Paths are
    counted as drawn, before cancellation, and a path that passes a block twice counts twice. The
    colours have one logarithmic scale for all maps, which the colour bar says; a block that no
    path of some length goes through is left grey there.

    Raises UserError `absent-output`, `too-deep` for more than 1,000 blocks, `bad-argument` without
    a formula or a block, and FormulaError as `unroll` does.
    """
    if not formulas:
        raise UserError("bad-argument", "a route map needs a formula", "name at least one")
    maps = [_map(resolve(formula), depth, start) for formula in formulas]
    num_columns = min(len(maps), 2)
    width = PAGE_WIDTH / num_columns
    heads = [_head(shown, width) for shown in maps]
    rows = [heads[first : first + num_columns] for first in range(0, len(maps), num_columns)]
    height = sum(PANEL_HEIGHT + max(sum(map(line_height, head)) for head in row) for row in rows)
    figure = Picture(figsize=(PAGE_WIDTH, height), layout="constrained")
    panels = list(figure.subplots(len(rows), num_columns, squeeze=False).flat)
    low, high = _ends(maps)
    for axes, shown, head in zip(panels, maps, heads, strict=False):
        axes.set_title("\n".join(head), loc="left", fontsize=TEXT, color=INK)
        _draw(axes, shown, (low, high), width)
    for axes in panels[len(maps) :]:
        axes.set_axis_off()
    bar = figure.colorbar(panels[0].images[0], ax=panels, aspect=30, pad=0.02)
    _name_powers(bar, low, high)
    return figure


def _map(formula: Formula, depth: int, start: int) -> Map:
    if depth > MAX_BLOCKS:
        raise UserError("too-deep", f"a route map shows at most {MAX_BLOCKS:,} blocks, and the "
                        f"depth is {depth:,}", f"choose --depth {MAX_BLOCKS}")  # fmt: skip
    counts = through_block(tape_with_output(formula, depth), start)
    if not counts:
        raise UserError("bad-argument", f"at depth {depth} no block is on the way to the output",
                        "choose a depth of 1 or more")  # fmt: skip
    num_lengths = max(map(len, counts.values()))
    rows = [(*row, *[0] * (num_lengths - len(row))) for row in counts.values()]
    return Map(formula, depth, start, tuple(counts), tuple(rows))


def _ends(maps: Sequence[Map]) -> tuple[float, float]:
    """log10 of the smallest and of the largest count, at least a factor of 10 apart."""
    logarithms = [log10_of(count) for shown in maps for row in shown.counts for count in row
                  if count]  # fmt: skip
    low = math.floor(min(logarithms, default=0.0))
    return low, max(max(logarithms, default=0.0), low + 1)


def _draw(axes: Axes, shown: Map, ends: tuple[float, float], width: float) -> None:
    heights = [[log10_of(count) if count else math.nan for count in row] for row in shown.counts]
    axes.set_facecolor(NOTHING)
    axes.imshow(heights, origin="lower", aspect="auto", interpolation="nearest", cmap=COLOURS,
                vmin=ends[0], vmax=ends[1])  # fmt: skip
    axes.set_xlabel("blocks on the path", fontsize=TEXT, color=INK)
    axes.set_ylabel("block", fontsize=TEXT, color=INK)
    axes.tick_params(colors=INK, labelsize=SMALL, length=2)
    axes.spines[:].set_visible(False)
    whole_ticks(axes.xaxis, 10)
    step = -(-len(shown.blocks) // MAX_NAMES)
    axes.set_yticks(range(0, len(shown.blocks), step), shown.blocks[::step])
    room = (width - 1.4) * POINTS_PER_INCH / len(shown.counts[0])
    texts = [[count_to_text(count, 6) if count else "" for count in row] for row in shown.counts]
    longest = max(len(text) for row in texts for text in row)
    if longest * NUMBER_SIZE * DIGIT_WIDTH <= room and len(shown.blocks) <= MAX_NAMES:
        _write_numbers(axes, texts, heights, sum(ends) / 2)


def _head(shown: Map, width: float) -> list[str]:
    """Title, equations and depth, a line each."""
    points = (width - 1.2) * POINTS_PER_INCH
    since = f"{shown.start} to {shown.depth}" if shown.start else f"{shown.depth}"
    lines = wrap_text(shown.formula.title, points, TEXT)
    return [*lines, *typeset_equations(shown.formula, points, TEXT), f"depth {since}"]


def _write_numbers(
    axes: Axes, texts: list[list[str]], heights: list[list[float]], middle: float
) -> None:
    for y, row in enumerate(texts):
        for x, text in enumerate(row):
            # White on the dark half of the scale.
            colour = "white" if heights[y][x] < middle else "black"
            axes.text(x, y, text, fontsize=NUMBER_SIZE, color=colour, ha="center",
                      va="center")  # fmt: skip


def _name_powers(bar: Colorbar, low: float, high: float) -> None:
    bar.set_label("paths through the block\n(as drawn, log scale)", fontsize=TEXT, color=INK)
    step = max(1, math.ceil((high - low) / 8))
    powers = range(math.ceil(low), math.floor(high) + 1, step)
    names = {0: "1", 1: "10"}
    bar.set_ticks([*powers], labels=[names.get(p, f"$10^{{{p}}}$") for p in powers])
    bar.ax.tick_params(colors=INK, labelsize=SMALL, length=2)
    bar.outline.set_visible(False)  # type: ignore[operator]
