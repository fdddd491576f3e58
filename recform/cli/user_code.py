"""Code that a formula names, `block T = mypackage.gates:Highway`: run only with --allow-code.

Commands that read a formula never run it; those that make a network of it must be told to.
"""

from __future__ import annotations

import sys
from pathlib import Path


def find_code(allow_code: bool, beside: str | Path) -> None:
    """Let modules be imported from here and from beside a formula's file, if code is allowed."""
    if not allow_code:
        return
    place = Path(beside)
    folders = ["", *([str(place.parent)] if place.suffix == ".rf" else [])]
    sys.path[:0] = [folder for folder in folders if folder not in sys.path]
