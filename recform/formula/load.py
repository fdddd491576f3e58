"""Formulas from files, from the examples that recform ships, and from its gallery."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from recform.errors import UserError
from recform.formula.formula import Formula
from recform.formula.parse import parse
from recform.formula.statements import MAX_CHARACTERS
from recform.formula.suggest import did_you_mean


def load(path: str | Path) -> Formula:
    """The formula in a `.rf` file.

    Raises UserError when the file cannot be read as text, FormulaError when the text is wrong.
    """
    if not isinstance(path, str | PathLike):
        raise UserError("bad-argument", f"a path is a text, not of type {type(path).__name__}",
                        'recform.load("formula.rf")')  # fmt: skip
    return parse(_read_text(Path(path)), str(path))


def resolve(formula: Formula | str) -> Formula:
    """A formula from whatever a person may give: a Formula, its text, a file, an example's name.

    With `=` in it a string is the text of a formula; else it is a file if it exists or ends in
    `.rf`; else the name of an example, or of a formula of the gallery.

    >>> resolve("resnet").title
    'ResNet (He et al. 2016a, eq. (1)): each block adds to what was there'
    """
    if isinstance(formula, Formula):
        return formula
    if not isinstance(formula, str):
        raise UserError("bad-argument", f"a formula is not of type {type(formula).__name__}",
                        "give a Formula, its text, a file or the name of an example: "
                        "recform.analyze(\"resnet_s\")")  # fmt: skip
    if "=" in formula:
        return parse(formula)
    if formula.endswith(".rf") or _is_file(formula):
        return load(formula)
    return _example(formula)


def _is_file(name: str) -> bool:
    try:
        return Path(name).exists() and not Path(name).is_dir()
    except (OSError, ValueError):
        # Too long for a file's name, or a zero byte in it.
        return False


def _is_folder(name: str) -> bool:
    try:
        return name != "" and Path(name).is_dir()
    except (OSError, ValueError):
        return False


def example_names() -> tuple[str, ...]:
    """The names of the shipped examples, sorted."""
    return _names_in(files("recform.examples").iterdir())


def gallery_names() -> tuple[str, ...]:
    """The names of the formulas of the gallery, which holds the literature, sorted."""
    return _names_in((files("recform.examples") / "gallery").iterdir())


def _names_in(entries: Iterable[Any]) -> tuple[str, ...]:
    names = (entry.name for entry in entries)
    return tuple(sorted(name.removesuffix(".rf") for name in names if name.endswith(".rf")))


def _example(name: str) -> Formula:
    folder = files("recform.examples")
    examples, gallery = example_names(), gallery_names()
    if name not in (*examples, *gallery):
        if _is_folder(name):
            raise UserError("unreadable", f"{name} is a folder",
                            f"name a .rf file in it; recform check {name} checks them all"
                            )  # fmt: skip
        hint = did_you_mean(name, (*examples, *gallery)) or (
            "`recform list` shows all names; a formula has an equals sign in it"
        )
        raise UserError("unknown-example", f"`{name}` is no formula, no file and no example", hint)
    place = folder if name in examples else folder / "gallery"
    return parse((place / f"{name}.rf").read_text(encoding="utf-8"), f"{name}.rf")


def _read_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            # A character takes four bytes at most; more need not be read to be refused.
            data = file.read(4 * MAX_CHARACTERS + 1)
        if len(data) > 4 * MAX_CHARACTERS:
            raise UserError("too-large", f"{path} has more than {4 * MAX_CHARACTERS:,} bytes",
                            "a formula is a few lines")  # fmt: skip
        return data.decode("utf-8-sig")
    except FileNotFoundError:
        raise UserError("no-such-file", f"there is no file {path}", "check the path") from None
    except IsADirectoryError:
        raise UserError("unreadable", f"{path} is a folder", "name a .rf file in it") from None
    except UnicodeDecodeError:
        raise UserError("not-text", f"{path} is not UTF-8 text", "name a .rf file") from None
    except ValueError as error:
        raise UserError("no-such-file", f"this is no file name: {error}",
                        "check the path") from None  # fmt: skip
    except OSError as error:
        raise UserError("unreadable", f"{path} cannot be read: {error.strerror}",
                        "check its permissions") from None  # fmt: skip
