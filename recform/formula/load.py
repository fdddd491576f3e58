"""Formulas from files, from the examples that recform ships, and from its gallery."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import Any

from recform.errors import UserError
from recform.formula.files import read_text
from recform.formula.formula import Formula
from recform.formula.parse import parse
from recform.formula.statements import MAX_CHARACTERS
from recform.formula.suggest import did_you_mean

# A character takes four bytes at most.
MAX_BYTES = 4 * MAX_CHARACTERS


def load(path: str | Path) -> Formula:
    """The formula in a `.rf` file.

    Raises UserError `bad-argument` for what is no path, and as `read_text` does; FormulaError when
    the text is wrong.
    """
    if not isinstance(path, str | PathLike):
        raise UserError("bad-argument", f"a path is a text, not of type {type(path).__name__}",
                        'recform.load("formula.rf")')  # fmt: skip
    text = read_text(Path(path), MAX_BYTES, "a .rf file", "a formula is a few lines")
    return parse(text, str(path))


def resolve(formula: Formula | str) -> Formula:
    """A formula from whatever a person may give: a Formula, its text, a file, an example's name.

    With `=` in it a string is the text of a formula; else it is a file if it exists or ends in
    `.rf`; else the name of an example, or of a formula of the gallery.

    Raises UserError `unknown-example` for a name of none, `bad-argument` for what is no text, and
    FormulaError as `parse` does; for a file as `load` does.

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
