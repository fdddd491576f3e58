"""Where a command writes: a name and a place that will do, told before any work is done."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from recform.errors import UserError
from recform.writing import check_writable


def picture_place(path: Path | None) -> Path | None:
    """The path, if a picture can be written there. Raises UserError."""
    from recform.pictures.suffixes import check_suffix

    if path is not None:
        check_suffix(path)
        check_place(path)
    return path


def page_place(path: Path) -> Path:
    """The path, if a page can be written there. Raises UserError."""
    if path.suffix not in (".html", ".htm"):
        raise UserError("bad-argument", f"{path} is no name for a page",
                        f"-o {path.stem or 'report'}.html")  # fmt: skip
    check_place(path)
    return path


def formula_place(path: Path | None) -> Path | None:
    """The path, if a formula can be written there. Raises UserError."""
    if path is None:
        return None
    if path.suffix != ".rf":
        raise UserError("bad-argument", f"{path} is no name for a formula",
                        f"-o {path.stem or 'mine'}.rf")  # fmt: skip
    if not path.absolute().parent.is_dir():
        raise UserError("unwritable", f"{path} cannot be written: there is no folder {path.parent}",
                        f"mkdir -p {path.parent}")  # fmt: skip
    check_place(path)
    return path


def check_place(path: Path) -> None:
    """Nothing, if a file can be made at `path`, with the folders that are not there yet.

    Makes none of them. Raises UserError `unwritable`.
    """
    with suppress(OSError):
        if path.is_dir():
            raise UserError("unwritable", f"{path} is a folder", f"-o {path / f'new{path.suffix}'}")
    check_writable(path)
