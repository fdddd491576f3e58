"""recform show: a formula in normal form, as LaTeX or MathML, or unrolled."""

from __future__ import annotations

from typing import Annotated

import typer

from recform.cli.arguments import DepthOption, FormulaArgument
from recform.errors import UserError


def show(
    formula: FormulaArgument,
    latex: Annotated[bool, typer.Option("--latex", help="Print LaTeX.")] = False,
    mathml: Annotated[bool, typer.Option("--mathml", help="Print MathML.")] = False,
    unrolled: Annotated[
        bool, typer.Option("--unrolled", help="Print the tape: one value a line.")
    ] = False,
    depth: DepthOption = 3,
) -> None:
    """Print a formula in normal form, as LaTeX or MathML, or written out to a depth.

    \b
    Example:  recform show resnet_s --unrolled --depth 3
    """
    from recform.formula import resolve, to_latex, to_mathml, to_text
    from recform.tape import unroll

    forms = [name for name, asked in (("--latex", latex), ("--mathml", mathml),
                                      ("--unrolled", unrolled)) if asked]  # fmt: skip
    if len(forms) > 1:
        raise UserError("bad-argument", f"{' and '.join(forms)} are two forms, and one is printed",
                        forms[0])  # fmt: skip
    parsed = resolve(formula)
    if unrolled:
        print(unroll(parsed, depth))
    elif latex:
        print(to_latex(parsed))
    elif mathml:
        print(to_mathml(parsed))
    else:
        print(to_text(parsed))
