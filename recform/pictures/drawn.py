"""Pictures that stand inside a page: each its own bytes, or the reason why it could not be drawn.

>>> from recform.pictures import growth
>>> embed("Growth", lambda: growth(["resnet"])).uri[:26]
'data:image/svg+xml;base64,'
>>> embed("Growth", lambda: growth([])).reason
'a growth picture needs a formula'
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass

from matplotlib.figure import Figure

from recform.errors import UserError
from recform.pictures.saving import to_svg


@dataclass(frozen=True)
class Embedded:
    """A picture as a data URI with its caption; without one, why there is none."""

    caption: str
    uri: str = ""
    reason: str = ""


def embed(caption: str, draw: Callable[[], Figure]) -> Embedded:
    """What `draw` makes, as SVG: sharp at any size, and no script or style of it reaches the page.

    A formula need not have every picture: what cannot be drawn is told by its reason.
    """
    try:
        figure = draw()
    except UserError as error:
        return Embedded(caption, reason=error.diagnostics[0].message)
    content = b64encode(to_svg(figure)).decode("ascii")
    return Embedded(caption, uri=f"data:image/svg+xml;base64,{content}")
