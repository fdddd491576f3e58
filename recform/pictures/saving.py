"""A figure into a file, whole or not at all, and the same bytes each time.

>>> from matplotlib.figure import Figure
>>> save(Figure(), "picture.jpeg2")
Traceback (most recent call last):
    ...
recform.errors.UserError: error[bad-argument]: pictures are not written as `.jpeg2`
  = hint: end the file's name in .png, .svg or .pdf
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from recform.pictures.suffixes import check_suffix
from recform.writing import write_beside

# Nothing of the day and the machine goes into a file; fonts stay text that can be selected.
_METADATA = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": "recform"},
    ".pdf": {"CreationDate": None, "Creator": "recform", "Producer": None},
}
_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "recform", "pdf.fonttype": 42}
_SETTINGS_IN_USE = Lock()

DOTS_PER_INCH = 220


def save(figure: Figure, path: str | Path) -> Path:
    """Write the figure as PNG, SVG or PDF by the suffix; makes folders that are not there.

    Written beside and renamed, so that no half file is ever seen under the name. Raises UserError
    `bad-argument` for another suffix, and `unwritable`.
    """
    path = Path(path)
    suffix = check_suffix(path)
    write_beside(path, lambda part: _draw(figure, part, suffix))
    return path


def to_svg(figure: Figure) -> bytes:
    """The figure as an SVG file's bytes."""
    content = BytesIO()
    _draw(figure, content, ".svg")
    return content.getvalue()


def _draw(figure: Figure, place: Path | BytesIO, suffix: str) -> None:
    # Matplotlib takes these settings from its global table only, so one figure goes at a time.
    with _SETTINGS_IN_USE, rc_context(_SETTINGS):
        figure.savefig(
            place,
            format=suffix[1:],
            dpi=DOTS_PER_INCH,
            metadata=_METADATA[suffix],
            facecolor="white",
        )
