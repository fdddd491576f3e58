"""Files that are there whole or not at all: written beside their place, and renamed."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recform.errors import UserError


def write_beside(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then put it there; folders on the way are made.

    Raises UserError `unwritable`; then nothing is left behind.
    """
    # The ending stays: some writers look at it.
    part = path.with_name(f".part-{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        os.replace(part, path)
    except OSError as error:
        raise UserError("unwritable", f"{path} cannot be written: {error.strerror or error}",
                        "choose another place") from error  # fmt: skip
    finally:
        with suppress(OSError):
            part.unlink()
