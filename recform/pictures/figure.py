"""The figure that every picture is: one that a notebook shows, whether or not pyplot was imported.

>>> Picture(figsize=(1, 1))._repr_png_()[1:4]
b'PNG'
"""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure

# On a screen: letters at about the size of a notebook's own.
DOTS_PER_INCH = 110


class Picture(Figure):
    """A figure of matplotlib, with what notebooks ask for."""

    def _repr_png_(self) -> bytes:
        content = BytesIO()
        self.savefig(content, format="png", dpi=DOTS_PER_INCH, facecolor="white")
        return content.getvalue()
