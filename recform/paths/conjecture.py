"""A recurrence for distinct counts, conjectured from rows and checked against more of them.

Which links are zero at a depth may depend on the zeros of a linear recurrence (Skolem's problem),
so a closed form of *distinct* for every depth is not proved in general. Here a recurrence

    D_n = c_1(t) D_(n-1) + ... + c_r(t) D_(n-r)

is fitted to the first rows, the c polynomials in t, and held against all rows to `checked_depth`.
It is a conjecture, and says so wherever it is shown.

>>> from recform.formula import resolve
>>> found = distinct_conjecture(resolve("resnet_s"))
>>> found.coefficients, found.first, found.checked_depth
(('1 + t', '-t'), ((1,), (1, 1)), 40)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpq, fmpq_mat, fmpq_poly, fmpz_poly

from recform.errors import UserError
from recform.formula import Formula
from recform.formula.ast import Name, walk
from recform.paths.derivative import refuse_roots, told_apart
from recform.paths.distinct import INPUT_FORM, LinearForms, TooManyLinksError
from recform.paths.polynomials import Coefficients, polynomial_to_sympy
from recform.paths.start import sources_of
from recform.tape import fold, unroll

MAX_ORDER = 3
CHECKED_DEPTH = 40
# Rows before the recurrence holds: states may need a few depths to fill.
MAX_FIRST = 6
# Equations beyond the unknowns that a fit must satisfy before the check even begins.
NUM_FITTED = 12


@dataclass(frozen=True)
class Conjecture:
    """`coefficients` of D[n-1], D[n-2], ... in D[n], as sympy reads them; `first` are the rows
    before it holds. No row to `checked_depth` contradicts it."""

    coefficients: tuple[str, ...]
    first: tuple[Coefficients, ...]
    checked_depth: int


def distinct_conjecture(formula: Formula) -> Conjecture | None:
    """The shortest recurrence of the distinct counts of d x[n] / d x[0] that fits their rows.

    None if there is none of order 3 or less, or the formula reads L, or has streams or an output of
    its own.
    """
    reads_depth = any(inner == Name("L") for top in formula.expressions for inner in walk(top))
    if formula.output is not None or formula.streams or reads_depth:
        return None
    try:
        rows = _rows(formula, CHECKED_DEPTH)
    except (TooManyLinksError, UserError):
        return None
    if not any(rows[-MAX_ORDER:]):
        return None
    for order in range(1, MAX_ORDER + 1):
        for first in range(order, MAX_FIRST + 1):
            found = _fit(rows, order, first)
            if found is not None:
                return Conjecture(
                    tuple(polynomial_to_sympy(c) for c in found),
                    tuple(tuple(int(c) for c in row.coeffs()) or (0,) for row in rows[:first]),
                    CHECKED_DEPTH,
                )
    return None


def _rows(formula: Formula, depth: int) -> list[fmpz_poly]:
    """The distinct counts of every state x[n] on one tape."""
    tape = unroll(formula, depth)
    refuse_roots(tape)
    tape, _ = told_apart(tape)
    value_of = {n: tape.states.get((tape.main, n)) for n in range(depth + 1)}
    wanted = set(value_of.values())
    algebra, counts = LinearForms(), {}

    def keep(value: int, form: object) -> None:
        if value in wanted:
            counts[value] = algebra.count(form)  # type: ignore[arg-type]

    sources = sources_of(tape, 0)
    if sources and tape.output is not None:
        fold(tape, algebra, dict.fromkeys(sources, INPUT_FORM), keep)
    nothing = fmpz_poly([])
    return [nothing if value is None else counts.get(value, nothing) for value in value_of.values()]


def _fit(rows: Sequence[fmpz_poly], order: int, first: int) -> list[fmpq_poly] | None:
    """The coefficients c_1, ..., c_r, each of degree 2k at most, if the rows have such."""
    degrees = [2 * back for back in range(1, order + 1)]
    unknowns = [
        (back, power) for back, degree in enumerate(degrees, 1) for power in range(degree + 1)
    ]
    depths = range(first, first + NUM_FITTED)
    equations = [(n, length) for n in depths for length in range(rows[n].degree() + 3)]
    table = [
        [*(_at(rows[n - back], length - power) for back, power in unknowns), _at(rows[n], length)]
        for n, length in equations
    ]
    solution = _solved(fmpq_mat(table), len(unknowns))
    if solution is None:
        return None
    by_back = [fmpq_poly([x for x, (b, _) in zip(solution, unknowns, strict=True) if b == back])
               for back in range(1, order + 1)]  # fmt: skip
    exact = [fmpq_poly(row) for row in rows]
    for n in range(first, len(rows)):
        parts = (c * exact[n - back] for back, c in enumerate(by_back, start=1))
        if exact[n] != sum(parts, fmpq_poly([])):
            return None
    return by_back


def _solved(table: fmpq_mat, num_unknowns: int) -> list[fmpq] | None:
    """A solution of the equations, unknowns that are free being 0; the last column is right."""
    reduced, rank = table.rref()
    solution = [fmpq(0)] * num_unknowns
    for row in range(rank):
        column = next(k for k in range(num_unknowns + 1) if reduced[row, k] != 0)
        if column == num_unknowns:
            return None
        solution[column] = reduced[row, num_unknowns]
    return solution


def _at(row: fmpz_poly, length: int) -> fmpq:
    return fmpq(int(row[length])) if 0 <= length <= row.degree() else fmpq(0)
