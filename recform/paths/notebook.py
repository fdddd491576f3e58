"""An analysis as a notebook shows it: the formula typeset, and the counts as a table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import zip_longest
from typing import TYPE_CHECKING

from recform.formula import to_mathml
from recform.tape import Exact

if TYPE_CHECKING:
    from recform.paths.analysis import Analysis

MAX_ROWS = 50
# A longer number is told by its size.
MAX_DIGITS = 30


def analysis_to_html(analysis: Analysis) -> str:
    """The formula in MathML, and net, gross and distinct by the number of blocks."""
    columns = (analysis.net or (), analysis.gross or (), analysis.distinct or ())
    rows = list(zip_longest(*columns, fillvalue=0))
    shown = [_row(length, counts) for length, counts in enumerate(rows[:MAX_ROWS])]
    if len(rows) > MAX_ROWS:
        shown.append(f"<tr><td>...</td><td colspan=3>{len(rows) - MAX_ROWS} more</td></tr>")
    heads = "".join(f"<th>{head}</th>" for head in ("length", "net", "gross", "distinct"))
    main = analysis.formula.main
    output = main if analysis.formula.output is None else "output"
    caption = f"Paths of d {output}[{analysis.depth}] / d {main}[{analysis.start}]"
    return (f"{to_mathml(analysis.formula)}<table><caption>{caption}</caption>"
            f"<tr>{heads}</tr>{''.join(shown)}</table>")  # fmt: skip


def _row(length: int, counts: Sequence[Exact]) -> str:
    cells = "".join(f"<td>{escape(_short(count))}</td>" for count in (length, *counts))
    return f"<tr>{cells}</tr>"


def _short(count: Exact) -> str:
    if isinstance(count, int) and abs(count) >= 10**MAX_DIGITS:
        return f"about 2^{abs(count).bit_length() - 1}"
    return str(count)
