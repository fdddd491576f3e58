"""How training went: accuracy and loss by epoch, of one run or of several together.

>>> from pathlib import Path
>>> figure = curves(sorted(Path("runs").glob("*")))  # doctest: +SKIP
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from recform.errors import UserError
from recform.pictures.figure import Picture
from recform.pictures.legends import draw_legend, lay_out_legend
from recform.pictures.run_files import RecordedRun, names_of, read_recorded_run
from recform.pictures.theme import (
    INK,
    PAGE_WIDTH,
    POINTS_PER_INCH,
    ROW_HEIGHT,
    RUN_COLOURS,
    RUN_MARKERS,
    TEXT,
    plain_axes,
    whole_ticks,
)
from recform.pictures.typeset import wrap_text

Measures: TypeAlias = Mapping[str, tuple[str, Literal["-", "--", ":"]]]

# Each panel: its measures, how a line of each looks, and what the legend calls it.
ACCURACIES: Measures = {"test_top1": ("test top-1", "-"), "test_top5": ("test top-5", ":")}
LOSSES: Measures = {"test_loss": ("test", "-"), "train_loss": ("train", "--")}
# Losses further apart than this are drawn on a logarithmic scale.
LARGEST_RATIO = 30
# An axis that begins at 0 ends so far above the highest loss.
ROOM_ABOVE = 1.05
# Points.
MARK = 3.5
LINE = 1.4
_LEGEND: dict[str, Any] = {"frameon": False, "fontsize": TEXT, "labelcolor": INK}


def curves(runs: Sequence[str | Path]) -> Figure:
    """Accuracy on the left, loss on the right, a colour and a mark for each run folder.

    Raises UserError `bad-run` for a folder without a run, or with a damaged one, `bad-argument`
    without a folder.
    """
    if not runs:
        raise UserError("bad-argument", "curves need a run", "name at least one run folder")
    recorded = [read_recorded_run(folder) for folder in runs]
    shared, names = names_of(recorded)
    legend = lay_out_legend(names)
    figure = Picture(figsize=(PAGE_WIDTH, ROW_HEIGHT + 0.8 + legend.height), layout="constrained")
    accuracy, loss = figure.subplots(1, 2)
    _draw(accuracy, recorded, ACCURACIES)
    _draw(loss, recorded, LOSSES)
    accuracy.set_ylabel("accuracy (%)", fontsize=TEXT, color=INK)
    accuracy.set_ylim(top=min(102.0, accuracy.get_ylim()[1]))
    _scale_losses(loss, recorded)
    if shared:
        figure.suptitle("\n".join(wrap_text(shared, PAGE_WIDTH * POINTS_PER_INCH, TEXT)),
                        fontsize=TEXT, color=INK)  # fmt: skip
    handles = [Line2D([], [], **_look(place), markersize=MARK) for place in range(len(runs))]
    draw_legend(figure, handles, legend)
    return figure


def _draw(axes: Axes, runs: Sequence[RecordedRun], measures: Measures) -> None:
    plain_axes(axes)
    for place, run in enumerate(runs):
        for measure, (_, style) in measures.items():
            # A single epoch makes no line, so its marks must show.
            marked = style == "-" or len(run.epochs) == 1
            marks = {**_look(place), "markersize": MARK if marked else 0}
            every = max(1, len(run.epochs) // 8)
            axes.plot(run.epochs, run.measures[measure], style, **marks, markevery=every)
    axes.set_xlabel("epoch", fontsize=TEXT, color=INK)
    whole_ticks(axes.xaxis, 8)
    kinds = [
        Line2D([], [], color=INK, linestyle=style, linewidth=LINE, label=name)
        for name, style in measures.values()
    ]
    axes.legend(handles=kinds, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, **_LEGEND)


def _look(place: int) -> dict[str, Any]:
    """Seven colours and eight marks: the first 56 runs differ."""
    return {
        "color": RUN_COLOURS[place % len(RUN_COLOURS)],
        "marker": RUN_MARKERS[place % len(RUN_MARKERS)],
        "linewidth": LINE,
    }


def _scale_losses(axes: Axes, runs: Sequence[RecordedRun]) -> None:
    losses = [loss for run in runs for measure in LOSSES for loss in run.measures[measure]]
    losses = [loss for loss in losses if math.isfinite(loss)]
    if losses and min(losses) > 0 and max(losses) > LARGEST_RATIO * min(losses):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda loss, _: f"{loss:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel("loss (log scale)", fontsize=TEXT, color=INK)
    else:
        axes.set_ylabel("loss", fontsize=TEXT, color=INK)
        axes.set_ylim(0, ROOM_ABOVE * max(losses, default=0) or 1)
