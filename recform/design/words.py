"""Wanted words over {s, F}, as weighted words, to formulas.

>>> from recform.design.automaton import of_automaton
>>> from recform.design.regular import minimal, read_routes
>>> wanted = of_automaton(minimal(read_routes("(F s)*")))
>>> fulfilled_words("(F s)*", wanted, False, 4, Limits()).wanted
'(F s)*: odd depths have no path'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from flint import fmpq_mat

from recform.design.answer import Check, Design, Limits, Wish, answered, refused
from recform.design.automaton import Weighted, smallest
from recform.design.later import NUM_DEPTHS, STARTS, words_by_depth
from recform.design.states import forms_of
from recform.formula import Formula


def fulfilled_words(
    wanted: str,
    found: Weighted,
    exact: bool,
    longest: int,
    limits: Limits,
    later: Callable[[int, int], dict[str, Fraction]] | None = None,
) -> Design:
    """Formulas with these words, compared with them on all words of at most `longest` letters.

    `later(depth, start)` are the words that are wanted from x[start]; those from x[0] if left out.
    """
    least = smallest(found)
    if least.dimension == 0:
        told = "proved: no path at any depth is asked for"
        unproved = f"no path is asked for down to depth {longest}"
        return refused(wanted, told if exact else unproved, "F* s*")
    tables = tables_of(found, longest)
    wanted_later = later or (lambda depth, start: tables[depth])

    def verify(formula: Formula) -> None:
        for depth, table in enumerate(tables):
            assert words_by_depth(formula, depth) == table, f"{formula} has other words"

    def from_later(formula: Formula) -> bool:
        return all(
            words_by_depth(formula, depth, start) == wanted_later(depth, start)
            for start in STARTS
            for depth in range(NUM_DEPTHS)
        )

    calls = least.num_calls
    reason = (f"proved: the rank. F acts on {calls} independent states of the smallest system, "
              f"which has {least.dimension}: each takes a call a step")  # fmt: skip
    empty = _empty_depths(found)
    check = Check(verify, from_later, None if exact else longest)
    return answered(Wish(f"{wanted}: {empty}" if empty else wanted, forms_of(found), check, calls,
                         reason, _negative_word(tables)), limits)  # fmt: skip


def _empty_depths(found: Weighted) -> str:
    """Which depths have no path at all, in words.

    A shortest word of odd length would be shorter than twice the dimension.
    """
    depths = [n for n in range(1, 2 * found.dimension + 6) if not _words(found, n)]
    if not depths:
        return ""
    last = 2 * found.dimension + 5
    if depths == list(range(1, last + 1, 2)):
        return "odd depths have no path"
    shown = ", ".join(map(str, depths[:8])) + (", ..." if len(depths) > 8 else "")
    return f"no path at depth {shown}"


def _words(found: Weighted, depth: int) -> bool:
    """Whether any word of a length has a coefficient other than zero: by the span of the rows."""
    rows = [found.first]
    for _ in range(depth):
        rows = _independent([row * m for row in rows for m in (found.skip, found.block)])
    return any((row * found.last)[0, 0] != 0 for row in rows)


def _independent(rows: list[fmpq_mat]) -> list[fmpq_mat]:
    kept: list[fmpq_mat] = []
    for row in rows:
        wider = [*kept, row]
        entries = [[r[0, j] for j in range(r.ncols())] for r in wider]
        if fmpq_mat(entries).rank() == len(wider):
            kept = wider
    return kept


def _negative_word(tables: Sequence[dict[str, Fraction]]) -> str | None:
    for table in tables:
        for word, c in table.items():
            if c < 0:
                return f"the path {word or '1'} with coefficient {c} is asked for"
    return None


def tables_of(wanted: Weighted, longest: int) -> list[dict[str, Fraction]]:
    """The words of each length with their coefficients, those with none left out."""
    rows = {"": wanted.first}
    tables = []
    for _ in range(longest + 1):
        last = {word: (row * wanted.last)[0, 0] for word, row in rows.items()}
        tables.append({word: Fraction(int(c.numer()), int(c.denom()))
                       for word, c in last.items() if c != 0})  # fmt: skip
        rows = {word + letter: row * matrix for word, row in rows.items()
                for letter, matrix in (("s", wanted.skip), ("F", wanted.block))
                if any(row[0, j] != 0 for j in range(row.ncols()))}  # fmt: skip
    return tables
