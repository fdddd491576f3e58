"""recform check: is this a formula?"""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from recform.cli.arguments import DepthOption, FormulaArgument, JsonOption
from recform.cli.output import print_json


def check(formula: FormulaArgument, depth: DepthOption = 16, as_json: JsonOption = False) -> None:
    """Tell whether a formula is right, and if not, what, where and what to do.

    \b
    Example:  recform check "x[l+1] = x[l] + F(x[l])"

    Some mistakes show only when the formula is written out: it is, to the depth given.

    FORMULA may be a folder: then all .rf files in it, and in folders inside, are checked.

    Exit code 0 and one line if it is right, else 1 and the mistakes on stderr. With --json the
    result is a list of {code, message, line, column, end_column, hint}, empty if it is right; for a
    folder each has its `file` as well.
    """
    from recform.errors import UserError
    from recform.formula import resolve
    from recform.tape import verify

    if _is_folder(formula):
        _check_folder(Path(formula), depth, as_json)
        return
    try:
        parsed = resolve(formula)
        # Some mistakes show only at some depth.
        verify(parsed, depth)
    except UserError as error:
        if not as_json:
            raise
        print_json([diagnostic.to_json() for diagnostic in error.diagnostics])
        raise typer.Exit(1) from None
    if as_json:
        print_json([])
        return
    states = ", ".join(equation.state for equation in parsed.equations)
    blocks = ", ".join(("F", *parsed.blocks))
    name = parsed.source.name if parsed.source else "formula"
    print(f"{name}: ok (states {states}; blocks {blocks})")


def _is_folder(formula: str) -> bool:
    try:
        # An empty name would be the present folder.
        return formula != "" and "=" not in formula and Path(formula).is_dir()
    except (OSError, ValueError):
        # Too long for a file's name, or a zero byte in it.
        return False


def _check_folder(folder: Path, depth: int, as_json: bool) -> None:
    """Check every file, and tell of all that are wrong."""
    from recform.errors import UserError
    from recform.formula import load
    from recform.tape import verify

    paths = sorted(path for path in folder.rglob("*.rf") if not path.is_dir())
    if not paths:
        raise UserError("no-such-file", f"there is no .rf file in {folder}",
                        "name a file or an example: recform check resnet")  # fmt: skip
    wrong: list[tuple[Path, UserError]] = []
    for path in paths:
        try:
            verify(load(path), depth)
        except UserError as error:
            wrong.append((path, error))
    if as_json:
        print_json([{"file": str(path), **diagnostic.to_json()}
                    for path, error in wrong for diagnostic in error.diagnostics])  # fmt: skip
    else:
        for _, error in wrong:
            print(f"{error}\n", file=sys.stderr)
        right = len(paths) - len(wrong)
        print(f"{folder}: {right} of {len(paths)} files ok")
    if wrong:
        raise typer.Exit(1)
