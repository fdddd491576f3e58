"""Paths by length, drawn: how many ways go through 0, 1, 2, ... blocks.

The picture of Veit et al. (2016), figure 6(a), with three readings of the formula beside each
other: net, gross and distinct.

>>> from recform.paths import analyze
>>> figure = histogram([analyze("resnet"), analyze("resnet_s")])
>>> len(figure.axes)
2
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MultipleLocator

from recform.errors import UserError
from recform.paths import Analysis, notes_of
from recform.pictures.axis import name_counts, round_step
from recform.pictures.counts import (
    READINGS,
    SCALES,
    Count,
    Scale,
    count_to_text,
    counts_of,
    num_lengths,
    refuse_left_out,
)
from recform.pictures.figure import Picture
from recform.pictures.theme import (
    DIGIT_WIDTH,
    INK,
    LINE_HEIGHT,
    NUMBER_SIZE,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    READING_COLOURS,
    ROW_HEIGHT,
    SMALL,
    TEXT,
    plain_axes,
)
from recform.pictures.typeset import line_height, typeset_equations, wrap_text

# The part of the distance from one length to the next that its bars fill.
FILLED = 0.84
MAX_COLUMNS = 6
# Points: the least that a length needs for bars.
NARROWEST_GROUP = 6
# Characters of the numbers at bars.
NUMBER_ROOM = 7
LINE_WIDTHS = {"net": 1.5, "gross": 3.0, "distinct": 1.2}
LINE_STYLES = {"net": "-", "gross": "-", "distinct": (0, (3, 2))}
# Net over gross, distinct over both: each leaves something to be seen of what it covers.
LINE_ORDER = {"gross": 2, "net": 3, "distinct": 4}


@dataclass(frozen=True)
class Layout:
    """What the panels of a figure have in common.

    `width` and `height` are those of the room for bars in one panel, in points; `head_width` and
    `head_height` those of the lines above it, which are above the first panel only if
    `is_by_depth`: each row has one formula at several depths. `number_angle` is how the numbers at
    the bars are turned, None where they do not fit.
    """

    num_rows: int
    num_columns: int
    head_height: float
    head_width: float
    width: float
    height: float
    num_lengths: int
    scale: Scale
    number_angle: int | None
    is_by_depth: bool

    @property
    def in_bars(self) -> bool:
        return self.width / self.num_lengths >= NARROWEST_GROUP


def histogram(
    analyses: Sequence[Analysis], scale: str = "auto", num_columns: int | None = None
) -> Figure:
    """A panel for each analysis; all have the same axes, so that they can be compared.

    Bars, with numbers where these fit; lines where there are too many lengths for bars. By the
    scale "auto", counts that differ by more than a factor of 100 are drawn on a logarithmic scale,
    which the axis says; "linear" and "log" ask for one. Panels are set in rows of `num_columns`,
    by default two.

    Raises UserError `bad-argument` for no formula, an unknown scale, or more than six panels in a
    row, and `too-deep` for counts that are too large to be written down.
    """
    num_columns = num_columns or min(len(analyses), 2)
    _check(analyses, scale, num_columns)
    layout = _layout(analyses, SCALES[scale], num_columns)
    height = layout.num_rows * (ROW_HEIGHT + layout.head_height / POINTS_PER_INCH) + 0.4
    figure = Picture(figsize=(PAGE_WIDTH, height), layout="constrained")
    grid = figure.subplots(
        layout.num_rows, layout.num_columns, sharex=True, sharey=True, squeeze=False
    )
    panels = list(grid.flat)
    for place, (axes, analysis) in enumerate(zip(panels, analyses, strict=False)):
        if place % layout.num_columns == 0 or not layout.is_by_depth:
            _draw_head(axes, _head(analysis, layout.head_width), layout.is_by_depth)
        _draw_panel(axes, analysis, layout)
    _set_limits(panels[0], analyses, layout)
    _name_axes(panels, len(analyses), layout)
    _draw_legend(figure, panels[len(analyses) :], layout)
    return figure


def _check(analyses: Sequence[Analysis], scale: str, num_columns: int) -> None:
    if not analyses:
        raise UserError("bad-argument", "a histogram needs a formula", "name at least one")
    if scale not in SCALES:
        raise UserError("bad-argument", f"there is no scale `{scale}`",
                        f"the scales are {', '.join(SCALES)}")  # fmt: skip
    for analysis in analyses:
        refuse_left_out(analysis)
    if num_columns > MAX_COLUMNS:
        raise UserError("bad-argument", f"{num_columns} panels do not fit beside each other",
                        f"choose at most {MAX_COLUMNS} depths: --depths 4,8,16")  # fmt: skip


def _layout(
    analyses: Sequence[Analysis], scale_of: Callable[[Iterable[Count]], Scale], num_columns: int
) -> Layout:
    # The y axis takes the inches that are subtracted, the gap between panels the points.
    width = (PAGE_WIDTH - 0.8) * POINTS_PER_INCH / num_columns - 12
    rows = [analyses[first : first + num_columns] for first in range(0, len(analyses), num_columns)]
    is_by_depth = num_columns > 1 and all(
        {analysis.formula for analysis in row} == {row[0].formula}
        and len({(analysis.depth, analysis.start) for analysis in row}) == num_columns
        for row in rows
    )
    head_width = width * num_columns if is_by_depth else width
    lengths = max(map(num_lengths, analyses))
    counts = _all_counts(analyses)
    longest = max(len(count_to_text(count, NUMBER_ROOM)) for count in counts)
    return Layout(
        num_rows=len(rows),
        num_columns=num_columns,
        head_height=max(_height(_head(each, head_width)) for each in analyses),
        head_width=head_width,
        width=width,
        height=ROW_HEIGHT * POINTS_PER_INCH * 0.9,
        num_lengths=lengths,
        scale=scale_of(counts),
        number_angle=_angle_of_numbers(width / lengths * FILLED / len(READINGS), longest),
        is_by_depth=is_by_depth,
    )


def _angle_of_numbers(bar_width: float, longest: int) -> int | None:
    """Upright if the longest number is no wider than a bar, turned if a line of text is not."""
    if longest * NUMBER_SIZE * DIGIT_WIDTH <= bar_width:
        return 0
    return 90 if bar_width >= NUMBER_SIZE else None


def _all_counts(analyses: Sequence[Analysis]) -> list[Count]:
    return [
        count
        for analysis in analyses
        for reading in READINGS
        for count in counts_of(analysis, reading) or ()
    ]


def _head(analysis: Analysis, width: float) -> list[str]:
    """Title and equations, these leaving room for the depth at the end of the last line."""
    formula = analysis.formula
    lines = wrap_text(formula.title, width, TEXT)
    lines += typeset_equations(formula, width - 8 * TEXT * DIGIT_WIDTH, TEXT)
    if analysis.distinct is None:
        lines.append("distinct paths were not counted")
    if _has_paths(analysis):
        lines += [line for note in notes_of(analysis) for line in wrap_text(note, width, TEXT)]
    return lines


def _draw_head(axes: Axes, lines: Sequence[str], is_by_depth: bool) -> None:
    if not is_by_depth:
        axes.set_title("\n".join(lines), loc="left", fontsize=TEXT, color=INK, va="bottom")
        return
    # No title: a layout makes room for titles, and this one may reach over the panels beside.
    above = (0, 6 + LINE_HEIGHT * POINTS_PER_INCH)
    head = axes.annotate("\n".join(lines), (0, 1), above, xycoords="axes fraction",
                         textcoords="offset points", fontsize=TEXT, color=INK,
                         annotation_clip=False)  # fmt: skip
    head.set_in_layout(False)


def _height(lines: Sequence[str]) -> float:
    """Points."""
    return sum(map(line_height, lines)) * POINTS_PER_INCH


def _has_paths(analysis: Analysis) -> bool:
    return any(any(counts_of(analysis, reading) or ()) for reading in READINGS)


def _draw_panel(axes: Axes, analysis: Analysis, layout: Layout) -> None:
    plain_axes(axes)
    depths = f"{analysis.start} to {analysis.depth}" if analysis.start else f"{analysis.depth}"
    # Where the head is no title, lines over the depth keep room for it, 1.2 of their size each.
    num_above = math.ceil(layout.head_height / (1.2 * SMALL)) if layout.is_by_depth else 0
    above = "\n" * num_above
    axes.set_title(f"{above}depth {depths}", loc="right", fontsize=SMALL, color=INK, va="bottom")
    for place, reading in enumerate(READINGS):
        counts = counts_of(analysis, reading)
        if counts is None:
            continue
        if layout.in_bars:
            _draw_bars(axes, counts, reading, place, layout)
        else:
            _draw_line(axes, counts, reading, layout.scale)
    if not _has_paths(analysis):
        notes = [
            line for note in notes_of(analysis) for line in wrap_text(note, layout.width, TEXT)
        ]
        axes.text(0.5, 0.5, "\n".join(notes) or "no path", transform=axes.transAxes, fontsize=TEXT,
                  color=INK, ha="center", va="center")  # fmt: skip
    if any(count < 0 for count in counts_of(analysis, "net") or ()):
        axes.axhline(0, color=INK, linewidth=0.8)


def _draw_bars(
    axes: Axes, counts: Sequence[Count], reading: str, place: int, layout: Layout
) -> None:
    width = FILLED / len(READINGS)
    middles = [length + (place - 1) * width for length in range(len(counts))]
    heights = [layout.scale.position(count) for count in counts]
    bars = axes.bar(middles, heights, width * 0.92, color=READING_COLOURS[reading], label=reading)
    if layout.number_angle is not None:
        axes.bar_label(
            bars,
            [count_to_text(count, NUMBER_ROOM) for count in counts],
            rotation=layout.number_angle,
            fontsize=NUMBER_SIZE,
            color=INK,
            padding=1.5,
        )


def _draw_line(axes: Axes, counts: Sequence[Count], reading: str, scale: Scale) -> None:
    """A line through counts of one sign, broken where the sign changes; dots show single ones."""
    lengths, heights = [0.0], [scale.position(counts[0])]
    for length, (before, count) in enumerate(pairwise(counts), start=1):
        if before * count < 0:
            lengths.append(length - 0.5)
            heights.append(math.nan)
        lengths.append(length)
        heights.append(scale.position(count))
    axes.plot(
        lengths,
        heights,
        **_line_look(reading),
        marker="." if reading != "distinct" else "",
        markersize=LINE_WIDTHS[reading] * 1.2,
        zorder=LINE_ORDER[reading],
        label=reading,
    )


def _set_limits(axes: Axes, analyses: Sequence[Analysis], layout: Layout) -> None:
    """The same limits for all: what is drawn, and room for the numbers at its ends."""
    counts = _all_counts(analyses)
    heights = [layout.scale.position(count) for count in counts]
    low, high = min(0.0, *heights), max(0.0, *heights)
    high = high if high > low else 1.0
    above = _room_for_numbers([count for count in counts if count >= 0], layout)
    below = _room_for_numbers([count for count in counts if count < 0], layout)
    point = (high - low) / (layout.height - above - below)
    axes.set_ylim(low - below * point, high + above * point)
    name_counts(axes, layout.scale, heights)
    beside = 0.5 + 0.01 * layout.num_lengths
    axes.set_xlim(-beside, layout.num_lengths - 1 + beside)
    axes.xaxis.set_major_locator(MultipleLocator(_tick_step(layout)))


def _tick_step(layout: Layout) -> int:
    """The distance between named lengths that leaves room for the names."""
    room = len(str(layout.num_lengths)) * SMALL * DIGIT_WIDTH + 8
    return round_step(room * layout.num_lengths / layout.width)


def _room_for_numbers(counts: Sequence[Count], layout: Layout) -> float:
    """Points that the numbers at the ends of bars take up, and a little air."""
    if not counts:
        return 0
    if layout.number_angle is None:
        return 5
    longest = max(len(count_to_text(count, NUMBER_ROOM)) for count in counts)
    return 5 + NUMBER_SIZE * (longest * DIGIT_WIDTH if layout.number_angle else 1)


def _name_axes(panels: Sequence[Axes], num_used: int, layout: Layout) -> None:
    """Names at the left and at the foot; a panel with an empty place below it is at the foot."""
    of_scale = f"\n({layout.scale.label})" if layout.scale.label else ""
    for place, axes in enumerate(panels[:num_used]):
        if place % layout.num_columns == 0:
            axes.set_ylabel(f"number of paths{of_scale}", fontsize=TEXT, color=INK)
        if place + layout.num_columns >= num_used:
            axes.set_xlabel("blocks on the path", fontsize=TEXT, color=INK)
            axes.tick_params(labelbottom=True)


def _draw_legend(figure: Figure, unused: Sequence[Axes], layout: Layout) -> None:
    """In the empty place if there is one, else below everything."""
    look = {"frameon": False, "fontsize": TEXT, "labelcolor": INK}
    handles = _legend_handles(layout)
    if unused:
        unused[0].set_axis_off()
        unused[0].legend(handles=handles, loc="center", **look)
    else:
        figure.legend(handles=handles, loc="outside lower center", ncols=3, **look)


def _legend_handles(layout: Layout) -> list[Patch] | list[Line2D]:
    if layout.in_bars:
        return [
            Patch(color=READING_COLOURS[reading], label=f"{reading} ({meaning})")
            for reading, meaning in READINGS.items()
        ]
    return [
        Line2D([], [], **_line_look(reading), label=f"{reading} ({meaning})")
        for reading, meaning in READINGS.items()
    ]


def _line_look(reading: str) -> dict[str, Any]:
    return {
        "color": READING_COLOURS[reading],
        "linewidth": LINE_WIDTHS[reading],
        "linestyle": LINE_STYLES[reading],
    }
