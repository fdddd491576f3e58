"""What a comparison found, drawn: who differs from whom, and by how much.

`differences` is Demsar's diagram: models on an axis of mean ranks, bars joining those that cannot
be told apart. `intervals` is the same as Liao et al. (2021, section 5.3.2) draw it: an interval of
half a critical difference to both sides of each mean rank; where two do not overlap, the models
differ. `scores` has the scores themselves, with their spread over seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from recform.compare import Comparison
from recform.errors import UserError
from recform.pictures.figure import Picture
from recform.pictures.legends import draw_legend, lay_out_legend
from recform.pictures.theme import (
    BLUE,
    FAINT,
    INK,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    RED,
    ROW_HEIGHT,
    RUN_COLOURS,
    SMALL,
    TEXT,
    plain_axes,
)
from recform.pictures.typeset import cut_text, text_width, wrap_text

# Heights in lines of text: of the axis above the first model, between models, between bars.
HEAD, STEP, BAR = 3.0, 1.7, 0.7
LINE = TEXT / POINTS_PER_INCH
# Bars a group of this share of the room between two groups; of the page no bar has more than this.
GROUP, WIDEST = 0.8, 0.1
# With these, three times as many models as there are colours differ.
HATCHES = ("", "///", "...")
# Points: names of rows that stand upright on their ends.
LONGEST_TURNED = 120
_WORDS: dict[str, Any] = {"fontsize": TEXT, "color": INK}


@dataclass(frozen=True)
class RowNames:
    """What stands below each `step`-th group of bars, turned by `angle` degrees; inches high."""

    step: int
    texts: tuple[str, ...]
    angle: int
    height: float


def differences(comparison: Comparison) -> Figure:
    """Mean ranks on an axis, the best on the right; bars join what cannot be told apart."""
    models, threshold = comparison.by_rank, _threshold(comparison)
    cliques = joined([comparison.ranks[model] for model in models], threshold)
    num_lines = (len(models) + 1) // 2
    depth = HEAD + BAR * len(cliques) + STEP * num_lines
    figure = Picture(figsize=(PAGE_WIDTH, (depth + 1.6) * LINE * 1.25), layout="constrained")
    axes = figure.subplots()
    highest = len(models)
    margin = 0.42 * (highest - 1)
    axes.set_xlim(highest + margin, 1 - margin)
    axes.set_ylim(depth - 1.6, -3.2)
    axes.axis("off")
    _rule(axes, highest)
    _scale_of(axes, threshold, highest)
    for place, (first, last) in enumerate(cliques):
        reach = 0.012 * (highest - 1)
        ends = [comparison.ranks[models[last]] + reach, comparison.ranks[models[first]] - reach]
        axes.plot(ends, [1.0 + BAR * place] * 2, color=RED, linewidth=3, solid_capstyle="butt")
    for place, model in enumerate(models):
        is_better = place < num_lines
        line = place if is_better else len(models) - 1 - place
        below = HEAD + BAR * len(cliques) + STEP * line - 1.4
        _lead(axes, comparison.ranks[model], below, 1 if is_better else highest, is_better,
              f"{_cut(model)}  {comparison.ranks[model]:.2f}", margin)  # fmt: skip
    return figure


def intervals(comparison: Comparison) -> Figure:
    """Mean rank of each model, half a critical difference to both sides."""
    models, threshold = comparison.by_rank, _threshold(comparison)
    height = (STEP * len(models) + 5) * LINE
    figure = Picture(figsize=(PAGE_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    plain_axes(axes)
    axes.grid(axis="x", color=FAINT, linewidth=0.6)
    ranks = [comparison.ranks[model] for model in models]
    axes.errorbar(ranks, range(len(models)), xerr=threshold / 2, fmt="o", color=BLUE, markersize=4,
                  capsize=3, linewidth=1.4)  # fmt: skip
    axes.set_yticks(range(len(models)), [_cut(model) for model in models], **_WORDS)
    axes.set_ylim(len(models) - 0.5, -0.5)
    axes.set_xlabel(f"mean rank over {len(comparison.table.datasets)} rows, and half the critical "
                    f"difference {threshold:.2f} to both sides", **_WORDS)  # fmt: skip
    return figure


def scores(comparison: Comparison) -> Figure:
    """Bars of the mean score in each row; whiskers of one deviation over the seeds."""
    table = comparison.table
    legend, below = lay_out_legend(table.models, SMALL), _below_rows(table.datasets)
    height = ROW_HEIGHT + 0.3 + below.height + legend.height
    figure = Picture(figsize=(PAGE_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    plain_axes(axes)
    width = min(GROUP / len(table.models), WIDEST * len(table.datasets))
    lows, highs, handles = [], [], []
    for place, model in enumerate(table.models):
        cells = [table.cell(model, dataset) for dataset in table.datasets]
        means = [cell.mean for cell in cells]
        spreads = [0.0 if cell.deviation is None else cell.deviation for cell in cells]
        whiskers = [math.nan if cell.deviation is None else cell.deviation for cell in cells]
        at = [row + (place + 0.5 - len(table.models) / 2) * width for row in range(len(cells))]
        bars = axes.bar(at, means, width * 0.92, color=RUN_COLOURS[place % len(RUN_COLOURS)],
                        hatch=HATCHES[place // len(RUN_COLOURS) % len(HATCHES)],
                        edgecolor="white", linewidth=0)  # fmt: skip
        handles.append(bars[0])
        axes.errorbar(at, means, whiskers, fmt="none", ecolor=INK, elinewidth=0.9, capsize=2)
        lows += [mean - spread for mean, spread in zip(means, spreads, strict=True)]
        highs += [mean + spread for mean, spread in zip(means, spreads, strict=True)]
    _limit(axes, min(lows), max(highs))
    axes.set_xlim(-0.5, len(table.datasets) - 0.5)
    axes.set_xticks(range(0, len(table.datasets), below.step), below.texts, rotation=below.angle)
    draw_legend(figure, handles, legend)
    return figure


def joined(ranks: Sequence[float], threshold: float) -> list[tuple[int, int]]:
    """The longest stretches of sorted ranks whose ends are less than `threshold` apart.

    >>> joined([1.0, 1.5, 2.6, 2.9], 1.25)
    [(0, 1), (1, 2), (2, 3)]
    >>> joined([1.0, 1.5, 2.2, 2.9], 1.5)
    [(0, 2), (1, 3)]
    """
    stretches: list[tuple[int, int]] = []
    for first, rank in enumerate(ranks):
        last = max(place for place, other in enumerate(ranks)
                   if place == first or 0 <= other - rank < threshold)  # fmt: skip
        if last > first and (not stretches or last > stretches[-1][1]):
            stretches.append((first, last))
    return stretches


def _threshold(comparison: Comparison) -> float:
    if comparison.critical_difference is None:
        raise UserError("bad-argument", "one row has no critical difference to draw",
                        "draw the scores: --draw scores")  # fmt: skip
    return comparison.critical_difference


def _rule(axes: Axes, highest: int) -> None:
    axes.plot([1, highest], [0, 0], color=INK, linewidth=1)
    for rank in range(1, highest + 1):
        axes.plot([rank, rank], [0, -0.45], color=INK, linewidth=1)
        axes.text(rank, -0.6, str(rank), ha="center", va="bottom", **_WORDS)


def _scale_of(axes: Axes, threshold: float, highest: int) -> None:
    """The critical difference as a length, above the axis where there is room for it."""
    shown = min(threshold, 1.3 * (highest - 1))
    ends = [highest, highest - shown]
    cut = "" if shown == threshold else " (cut)"
    axes.plot(ends, [-2.2, -2.2], color=RED, linewidth=2, solid_capstyle="butt")
    axes.text(sum(ends) / 2, -2.4, f"critical difference {threshold:.2f}{cut}", ha="center",
              va="bottom", fontsize=TEXT, color=RED)  # fmt: skip


def _lead(axes: Axes, rank: float, below: float, edge: int, to_right: bool, text: str,
          margin: float) -> None:  # fmt: skip
    """From the axis down to a model's line, and out to its name at the side."""
    side = edge - 0.06 * margin if to_right else edge + 0.06 * margin
    axes.plot([rank, rank, side], [0, below, below], color=INK, linewidth=0.8)
    axes.text(side, below, f" {text}" if to_right else f"{text} ",
              ha="left" if to_right else "right", va="center", **_WORDS)  # fmt: skip


def _below_rows(names: Sequence[str]) -> RowNames:
    """Upright where the names fit beside each other, in lines if need be; else turned."""
    room = (PAGE_WIDTH - 0.8) * POINTS_PER_INCH / len(names)
    lines = [wrap_text(name, room, SMALL) for name in names]
    if all((text_width(line, SMALL) or 0.0) < room for name in lines for line in name):
        height = max(map(len, lines)) * LINE
        return RowNames(1, tuple("\n".join(name) for name in lines), 0, height)
    # Rows closer than a line of text: not every one has its name.
    step = math.ceil(1.2 * SMALL / room)
    shown = [cut_text(name, LONGEST_TURNED, SMALL) for name in names[::step]]
    longest = max(text_width(name, SMALL) or 0.0 for name in shown)
    return RowNames(step, tuple(shown), 90, longest / POINTS_PER_INCH)


def _limit(axes: Axes, low: float, high: float) -> None:
    """Scores close together are drawn from just below the lowest, and the axis says so."""
    room = (high - low) or 1.0
    foot = max(0.0, low - 0.25 * room) if low > 0 else low
    axes.set_ylim(foot, high + 0.08 * room)
    axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.set_ylabel("score" if foot <= 0 else f"score (axis begins at {foot:.3g})", **_WORDS)


def _cut(name: str) -> str:
    """A name that leaves room for the axis beside it."""
    return cut_text(name, PAGE_WIDTH * POINTS_PER_INCH / 3, TEXT)


KINDS: Mapping[str, Callable[[Comparison], Figure]] = MappingProxyType(
    {"differences": differences, "intervals": intervals, "scores": scores}
)


def draw(comparison: Comparison, kind: str) -> Figure:
    """One of KINDS. Raises UserError `bad-argument` for another."""
    if kind not in KINDS:
        raise UserError("bad-argument", f"comparisons are not drawn as {kind}",
                        f"--draw {', '.join(KINDS)}")  # fmt: skip
    return KINDS[kind](comparison)
