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

HEADS = ("length", "net", "gross", "distinct")
MAX_ROWS = 50
# A longer number is told by its size.
MAX_DIGITS = 30


def analysis_to_html(analysis: Analysis) -> str:
    """The formula in MathML, and net, gross and distinct by the number of blocks."""
    rows = _rows(analysis)
    shown = [_row(length, counts) for length, counts in enumerate(rows[:MAX_ROWS])]
    if len(rows) > MAX_ROWS:
        shown.append(f"<tr><td>...</td><td colspan=3>{len(rows) - MAX_ROWS} more</td></tr>")
    heads = "".join(f"<th>{head}</th>" for head in HEADS)
    caption = f"Paths of {analysis.derivative()}"
    return (f"{to_mathml(analysis.formula)}<table><caption>{caption}</caption>"
            f"<tr>{heads}</tr>{''.join(shown)}</table>")  # fmt: skip


def analysis_to_text(analysis: Analysis) -> str:
    """The same without markup, a row of counts on a line.

    >>> from recform.paths import analyze
    >>> print(analysis_to_text(analyze("x[l+1] = x[l] + F(x[l])", 2)))
    x[l+1] = x[l] + F(x[l])
    Paths of d x[2] / d x[0]: length, net, gross, distinct
    0  1  1  1
    1  2  2  2
    2  1  1  1
    """
    rows = _rows(analysis)
    lines = ["  ".join(map(_short, (length, *row))) for length, row in enumerate(rows[:MAX_ROWS])]
    more = [f"... {len(rows) - MAX_ROWS} more"] if len(rows) > MAX_ROWS else []
    head = f"Paths of {analysis.derivative()}: {', '.join(HEADS)}"
    return "\n".join((str(analysis.formula), head, *lines, *more))


def _rows(analysis: Analysis) -> list[tuple[Exact, ...]]:
    columns = (analysis.net or (), analysis.gross or (), analysis.distinct or ())
    return list(zip_longest(*columns, fillvalue=0))


def _row(length: int, counts: Sequence[Exact]) -> str:
    cells = "".join(f"<td>{escape(_short(count))}</td>" for count in (length, *counts))
    return f"<tr>{cells}</tr>"


def _short(count: Exact) -> str:
    if isinstance(count, int) and abs(count) >= 10**MAX_DIGITS:
        return f"about 2^{abs(count).bit_length() - 1}"
    return str(count)
