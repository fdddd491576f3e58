r"""A formula as lines above a picture: its equations as mathematics.

Matplotlib typesets a part of LaTeX. What it lacks is written otherwise, and a formula that cannot
be written so, or is too wide, stands there as text.

>>> from recform.formula import parse
>>> print(*typeset_equations(parse("x[l+1] = x[l] + 1/2*F(x[l])"), width=200, size=9))
$x_{l+1} = x_{l} + \frac{1}{2}\,F_{l}(x_{l})$
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from textwrap import wrap

from matplotlib.font_manager import FontProperties
from matplotlib.mathtext import MathTextParser

from recform.formula import (
    Formula,
    expression_to_latex,
    expression_to_text,
    to_latex,
    to_text,
)
from recform.formula.ast import Expression, Number, Read
from recform.pictures.theme import LINE_HEIGHT, POINTS_PER_INCH, TEXT

# What `formula.latex` writes and matplotlib cannot read.
_SPELLINGS = {"&": "", r"\tfrac": r"\frac", r" \bmod ": r"\ \mathrm{mod}\ ", r"\big|": "|"}

MAX_EQUATION_LINES = 6
# A letter of DejaVu Sans is this wide on average, in units of its size.
LETTER_WIDTH = 0.56


def typeset_equations(formula: Formula, width: float, size: float) -> list[str]:
    """Lines of matplotlib text, each at most `width` points wide in letters of `size` points."""
    lines = _math_lines(formula)
    if not all(_fits(line, width, size) for line in lines):
        statements = to_text(replace(formula, title="")).splitlines()
        lines = [line for statement in statements for line in wrap_text(statement, width, size)]
    if len(lines) > MAX_EQUATION_LINES:
        lines = [*lines[: MAX_EQUATION_LINES - 1], "…"]
    return lines


def wrap_text(text: str, width: float, size: float) -> list[str]:
    """The text in lines of `width` points, to be taken as it stands."""
    return [plain_text(line) for line in wrap(text, max(12, int(width / (LETTER_WIDTH * size))))]


def cut_text(text: str, width: float, size: float) -> str:
    """The text on one line of at most `width` points, to be taken as it stands; `…` for the rest.

    >>> cut_text("Through two blocks in a row", width=80, size=9)
    'Through two bl…'
    """
    shown = plain_text(text)
    while len(text) > 1 and (text_width(shown, size) or 0.0) > width:
        # By the average letter at first, so that few lines are measured.
        text = text[: min(len(text) - 1, int(2 * width / size))]
        shown = plain_text(text.rstrip()) + "…"
    return shown


def plain_text(text: str) -> str:
    """Text that matplotlib takes as it stands: a dollar sign would begin mathematics."""
    return text.replace("$", r"\$")


def typeset_expression(expression: Expression) -> str:
    """The expression as mathematics, or as text where matplotlib cannot set it."""
    mathematics = f"${_spell(expression_to_latex(expression))}$"
    if text_width(mathematics, size=9) is None:
        return plain_text(expression_to_text(expression))
    return mathematics


def symbol_with_index(name: str, index: int) -> str:
    """A state or block at a depth.

    >>> symbol_with_index("x", 3)
    '$x_{3}$'
    """
    return typeset_expression(Read(name, Number(Fraction(index))))


def text_width(text: str, size: float) -> float | None:
    """Points that a line takes in letters of `size` points, None if it cannot be set."""
    measured = _measured(text, size)
    return None if measured is None else measured[0]


def text_height(text: str, size: float) -> float:
    """Points from the highest to the lowest part of a line."""
    return (_measured(text, size) or (0.0, size))[1]


def line_height(line: str) -> float:
    """Inches that a line takes: a sum with its limits is higher than text."""
    return max(LINE_HEIGHT, 1.2 * text_height(line, TEXT) / POINTS_PER_INCH)


# The same few labels are measured again and again, and each takes a millisecond.
@lru_cache(maxsize=4096)
def _measured(text: str, size: float) -> tuple[float, float] | None:
    try:
        # At 72 dots an inch a pixel is a point.
        parsed = MathTextParser("path").parse(text, 72, FontProperties(size=size))
    except ValueError:
        return None
    return float(parsed.width), float(parsed.height)


def _math_lines(formula: Formula) -> list[str]:
    rows = to_latex(formula).splitlines()[1:-1]
    return [f"${_spell(row.removesuffix(' ' + 2 * chr(92)))}$" for row in rows]


def _spell(latex: str) -> str:
    for written, understood in _SPELLINGS.items():
        latex = latex.replace(written, understood)
    return latex


def _fits(line: str, width: float, size: float) -> bool:
    measured = text_width(line, size)
    return measured is not None and measured <= width
