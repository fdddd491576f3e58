"""Files that are there whole or not at all: written beside their place, and moved there.

>>> place = Path(TemporaryDirectory().name, "new", "formula.rf")
>>> write_beside(place, lambda part: part.write_text("x[l+1] = F(x[l])"))
>>> place.read_text()
'x[l+1] = F(x[l])'
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

from recform.errors import UserError


def write_beside(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file in a folder beside `path`, then put it there.

    Files that go with it (an ONNX network's weights) may be made in the same folder, and are put
    beside it before. Folders on the way are made. Raises UserError `unwritable`; then nothing is
    left behind, and what was there before is there still.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=path.parent, prefix=".part-") as folder:
            part = Path(folder, "new", path.name)
            part.parent.mkdir()
            write(part)
            _put(part, path)
    except OSError as error:
        raise _unwritable(path, error) from error


def check_writable(path: Path) -> None:
    """Raise UserError `unwritable` if no file can be made at `path`, without making anything."""
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            # A name that is too long is told here.
            path.stat()
        place = path.absolute().parent
        while not place.exists():
            place = place.parent
        with TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def _put(part: Path, path: Path) -> None:
    """Move a file, and those beside it first; all or none."""
    before = part.parent.parent / "before"
    before.mkdir()
    others = sorted(other for other in part.parent.iterdir() if other != part)
    moved: list[str] = []
    try:
        for other in others:
            place = path.with_name(other.name)
            if place.exists():
                os.replace(place, before / other.name)
            moved.append(other.name)
            os.replace(other, place)
        os.replace(part, path)
    except OSError:
        for name in moved:
            path.with_name(name).unlink(missing_ok=True)
            if (before / name).exists():
                os.replace(before / name, path.with_name(name))
        raise


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError("unwritable", f"{path} cannot be written: {error.strerror or error}",
                     "make room, or name a file in a folder that you may write to")  # fmt: skip
