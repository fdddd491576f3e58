"""Names of picture files: what can be written is known by the suffix, without matplotlib.

>>> check_suffix(Path("paths.PDF"))
'.pdf'
"""

from __future__ import annotations

from pathlib import Path

from recform.errors import UserError

SUFFIXES = (".png", ".svg", ".pdf")


def check_suffix(path: Path) -> str:
    """The suffix in small letters, if pictures are written so. Raises UserError `bad-argument`."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        written = f"as `{path.suffix}`" if path.suffix else "without a suffix"
        raise UserError("bad-argument", f"pictures are not written {written}",
                        "end the file's name in .png, .svg or .pdf")  # fmt: skip
    return suffix
