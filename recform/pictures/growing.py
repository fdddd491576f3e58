"""How fast the signal grows from layer to layer, against the gain of a block.

If every block multiplies by g, the network is a linear recurrence, and in the long run each layer
multiplies by its largest root: for ResNet 1 + g, for a plain network g. At most 1 and the signal
stays bounded or nearly so; above it explodes.

>>> figure = growth(["resnet", "plain"])
>>> [line.get_label() for line in figure.axes[0].lines][:2]
['ResNet', 'Plain network']
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from recform.errors import UserError
from recform.formula import Formula, resolve
from recform.paths.gain import growth_curve
from recform.pictures.figure import Picture
from recform.pictures.legends import draw_legend, lay_out_legend
from recform.pictures.run_files import formula_name
from recform.pictures.theme import (
    FAINT,
    INK,
    PAGE_WIDTH,
    RUN_COLOURS,
    SMALL,
    TEXT,
    plain_axes,
)

# Points of a curve: every hundredth of the usual range, so that kinks at whole gains are met.
NUM_POINTS = 351
LINE_STYLES = ("-", (0, (5, 1.5)), (0, (2, 1.2)), "-.")
STABLE = "#E4F0E4"


def growth(formulas: Sequence[Formula | str], low: float = -2.5, high: float = 1.0) -> Figure:
    """A curve for each formula: growth per layer (dimensionless) for gains from `low` to `high`.

    Where the growth is at most 1, the stable region, the ground is coloured.

    Raises UserError `no-recurrence` as `growth_curve` does, `bad-argument` without a formula or
    for gains that are no range.
    """
    _check(formulas, low, high)
    gains = [low + (high - low) * point / (NUM_POINTS - 1) for point in range(NUM_POINTS)]
    resolved = [resolve(formula) for formula in formulas]
    legend = lay_out_legend([formula_name(str(formula)) for formula in resolved])
    figure = Picture(figsize=(PAGE_WIDTH, 3.15 + legend.height), layout="constrained")
    axes = figure.subplots()
    plain_axes(axes)
    highest = 1.0
    for place, (formula, name) in enumerate(zip(resolved, legend.names, strict=True)):
        rates = growth_curve(formula, gains)
        highest = max(highest, *rates)
        axes.plot(gains, rates, label=name, linewidth=1.6,
                  color=RUN_COLOURS[place % len(RUN_COLOURS)],
                  linestyle=LINE_STYLES[place % len(LINE_STYLES)])  # fmt: skip
    draw_legend(figure, axes.lines, legend)
    axes.set_xlim(low, high)
    axes.set_ylim(0, highest * 1.04)
    axes.set_xlabel("gain g of every block: F(x) = g x", fontsize=TEXT, color=INK)
    axes.set_ylabel("growth of the signal per layer", fontsize=TEXT, color=INK)
    _mark_stable(axes, low + 0.01 * (high - low), 0.02 * highest)
    return figure


def _check(formulas: Sequence[Formula | str], low: float, high: float) -> None:
    if not formulas:
        raise UserError("bad-argument", "a growth picture needs a formula", "name at least one")
    if not -1e6 <= low < high <= 1e6:
        raise UserError("bad-argument", f"{low:g} to {high:g} is no range of gains",
                        "give two numbers, the lower one first: --gains -2,1")  # fmt: skip


def _mark_stable(axes: Axes, left: float, bottom: float) -> None:
    """Colour the ground where the growth is at most 1, and say so at a place."""
    axes.axhspan(0, 1, color=STABLE, zorder=0, linewidth=0)
    axes.axhline(1, color=INK, linewidth=0.8)
    axes.axvline(0, color=FAINT, linewidth=0.8, zorder=1)
    axes.text(left, bottom, "stable: growth at most 1", fontsize=SMALL, color=INK)
