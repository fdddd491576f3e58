"""Linear equations over a field of fractions, solved for one combination of the unknowns.

    U = sum of row[V] * V + right[U]     for each unknown U
    output = sum of output[V] * V + constant

Unknowns are eliminated one after the other; each fraction is kept in lowest terms. The equations of
a recurrence have polynomial rows that vanish at z = 0 along every cycle, so no pivot is zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Equations:
    """Coefficients are polynomials of `ring`, a context of FLINT's `fmpq_mpoly`."""

    ring: Any
    rows: Mapping[Any, Mapping[Any, Any]]
    right: Mapping[Any, Any]
    output: Mapping[Any, Any]
    constant: Any


@dataclass(frozen=True)
class _Quotient:
    """numerator / denominator without a common factor."""

    numerator: Any
    denominator: Any

    @staticmethod
    def of(numerator: Any, denominator: Any) -> _Quotient:
        common = numerator.gcd(denominator)
        return _Quotient(numerator / common, denominator / common)

    def __add__(self, other: _Quotient) -> _Quotient:
        numerator = self.numerator * other.denominator + other.numerator * self.denominator
        return _Quotient.of(numerator, self.denominator * other.denominator)

    def __mul__(self, other: _Quotient) -> _Quotient:
        return _Quotient.of(self.numerator * other.numerator, self.denominator * other.denominator)

    def reciprocal_of_difference_to_one(self) -> _Quotient:
        """1 / (1 - self)."""
        return _Quotient.of(self.denominator, self.denominator - self.numerator)


# An unknown's row; what belongs to no unknown stands under None.
_Row = dict[Any, _Quotient]


def solve(equations: Equations) -> tuple[Any, Any]:
    """Numerator and denominator of the output."""
    one = equations.ring.constant(1)

    def row(links: Mapping[Any, Any], constant: Any) -> _Row:
        entries = {unknown: _Quotient(factor, one) for unknown, factor in links.items() if factor}
        return entries | ({None: _Quotient(constant, one)} if constant else {})

    needed = _needed(equations)
    rows = {unknown: row(equations.rows[unknown], equations.right[unknown]) for unknown in needed}
    output = row(equations.output, equations.constant)
    for unknown in needed:
        pivot = _resolved(rows.pop(unknown), unknown)
        rows = {other: _replaced(links, unknown, pivot) for other, links in rows.items()}
        output = _replaced(output, unknown, pivot)
    solution = output.get(None, _Quotient(equations.ring.constant(0), one))
    return solution.numerator, solution.denominator


def _needed(equations: Equations) -> list[Any]:
    """What the output depends on, those with the shortest rows first."""
    waiting, needed = [k for k, factor in equations.output.items() if factor], set()
    while waiting:
        unknown = waiting.pop()
        if unknown not in needed:
            needed.add(unknown)
            waiting += [k for k, factor in equations.rows[unknown].items() if factor]
    return sorted(needed, key=lambda unknown: (len(equations.rows[unknown]), unknown))


def _resolved(row: _Row, unknown: Any) -> _Row:
    """The row of an unknown without the unknown itself."""
    if unknown not in row:
        return row
    factor = row[unknown].reciprocal_of_difference_to_one()
    return {other: entry * factor for other, entry in row.items() if other != unknown}


def _replaced(row: _Row, unknown: Any, by: _Row) -> _Row:
    """The row with an unknown replaced by what it is."""
    if unknown not in row:
        return row
    factor = row[unknown]
    result = {other: entry for other, entry in row.items() if other != unknown}
    for other, entry in by.items():
        added = factor * entry
        result[other] = result[other] + added if other in result else added
    return {other: entry for other, entry in result.items() if entry.numerator}
