"""The legend below a picture: names in as many columns as leave them whole.

>>> lay_out_legend(["ResNet", "ResNet-s", "Leapfrog"]).num_columns
3
>>> lay_out_legend(["ResNet", "a name of more words than fit beside another " * 2]).num_columns
1
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.artist import Artist
from matplotlib.figure import Figure

from recform.pictures.theme import INK, PAGE_WIDTH, POINTS_PER_INCH, TEXT
from recform.pictures.typeset import cut_text, text_width

MOST_COLUMNS = 4
# What a name has beside it, in units of its size: the handle, and the gaps around that.
BESIDE = 5.0
ROW_HEIGHT = 1.6


@dataclass(frozen=True)
class Legend:
    """Names as they are shown, in letters of `size` points."""

    names: tuple[str, ...]
    num_columns: int
    size: float

    @property
    def height(self) -> float:
        """Inches that it takes below a picture."""
        num_rows = -(-len(self.names) // self.num_columns)
        return num_rows * ROW_HEIGHT * self.size / POINTS_PER_INCH


def lay_out_legend(names: Sequence[str], size: float = TEXT) -> Legend:
    """As many columns, four at most, as the longest name leaves room for; too long ones are cut."""
    page = PAGE_WIDTH * POINTS_PER_INCH
    shown = [cut_text(name, page - BESIDE * size, size) for name in names]
    widest = max(text_width(name, size) or 0.0 for name in shown)
    fitting = int(page // (widest + BESIDE * size))
    return Legend(tuple(shown), max(1, min(MOST_COLUMNS, len(names), fitting)), size)


def draw_legend(figure: Figure, handles: Sequence[Artist], legend: Legend) -> None:
    """Below everything; a handle for each name."""
    figure.legend(list(handles), list(legend.names), loc="outside lower center",
                  ncols=legend.num_columns, frameon=False, fontsize=legend.size,
                  labelcolor=INK)  # fmt: skip
