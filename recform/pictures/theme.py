"""How recform's pictures look: sizes at which they are printed, and colours.

A figure is made at its printed size, the text width of a page, so that its letters come out at
the sizes given here; dots are many enough for a screen. The colours of the readings are Tol's
"high-contrast" scheme and those of runs his "bright" scheme (Paul Tol, Colour schemes, SRON
technical note 2021): told apart by the colour-blind, and the former by lightness in grey print.
"""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import MaxNLocator

# Inches.
PAGE_WIDTH = 7.2
ROW_HEIGHT = 2.3
# Points.
TEXT = 8.5
SMALL = 7.5
# Numbers at bars and in cells, and a digit of DejaVu Sans in units of its size.
NUMBER_SIZE = 6.2
DIGIT_WIDTH = 0.64
POINTS_PER_INCH = 72
# Inches: a line of text with the gap to the next.
LINE_HEIGHT = 1.45 * TEXT / POINTS_PER_INCH

BLUE, YELLOW, RED = "#004488", "#DDAA33", "#BB5566"
READING_COLOURS = {"net": BLUE, "gross": YELLOW, "distinct": RED}
RUN_COLOURS = ("#4477AA", "#EE6677", "#228833", "#AA3377", "#CCBB44", "#66CCEE", "#666666")
RUN_MARKERS = "os^DvPX*"
# Boxes behind letters, one for each block name: Tol's "pale" scheme.
BLOCK_FILLS = ("#BBCCEE", "#EEEEBB", "#FFCCCC", "#CCDDAA", "#CCEEFF")
INK, SOFT, FAINT = "#333333", "#999999", "#DDDDDD"


def plain_axes(axes: Axes) -> None:
    """Left and bottom lines only, faint rules behind the data."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(colors=INK, labelsize=SMALL)
    axes.tick_params(which="minor", color=FAINT)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)


def whole_ticks(axis: Axis, most: int) -> None:
    """Ticks at whole numbers only, `most` of them; also where a single one is in view."""
    axis.set_major_locator(MaxNLocator(most, integer=True, min_n_ticks=1))
