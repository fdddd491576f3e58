"""Linear relations between values, over the rationals, in reduced echelon form.

A relation is a combination of values that is zero. A space of relations tells which other
combinations are zero too: those that it reduces to nothing.

>>> one, two = Fraction(1), Fraction(2)
>>> relations = relations_between([{7: one}, {7: two}, {8: one}])    # b = 2a
>>> relations.reduce({0: two, 1: -one})
{}
>>> relations.reduce({2: one})
{2: Fraction(1, 1)}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

from flint import fmpq, fmpq_mat

Key = TypeVar("Key")
Combination = Mapping[Any, Any]


@dataclass(frozen=True)
class Relations:
    """A space of relations. Each row is 1 at its own `pivot`, where no other row is anything."""

    rows: Mapping[int, Mapping[int, Fraction]]

    @property
    def dimension(self) -> int:
        return len(self.rows)

    def reduce(self, combination: Mapping[Key, Fraction]) -> dict[Key, Fraction]:
        """The same value without the pivots: equal values have equal results."""
        total: dict[Any, Fraction] = dict(combination)
        for pivot in [key for key in combination if key in self.rows]:
            factor = total[pivot]
            for key, inner in self.rows[pivot].items():  # type: ignore[index]
                total[key] = total.get(key, Fraction(0)) - factor * inner
        return {key: factor for key, factor in total.items() if factor}

    def kept_where(self, images: Sequence[Combination]) -> Relations:
        """The combinations of the rows whose images, one for each row, add up to nothing."""
        rows = list(self.rows.values())
        return spanned_by([
            combine(row, rows) for row in relations_between(images).rows.values()
        ])  # fmt: skip


def combine(factors: Mapping[int, Fraction], vectors: Sequence[Combination]) -> dict[Any, Fraction]:
    """The sum of vectors, each times its factor."""
    total: dict[Any, Fraction] = {}
    for place, factor in factors.items():
        for key, inner in vectors[place].items():
            total[key] = total.get(key, Fraction(0)) + factor * inner
    return {key: factor for key, factor in total.items() if factor}


def relations_between(vectors: Sequence[Combination]) -> Relations:
    """All relations between vectors; a relation's keys are their places."""
    reduced, pivots = _reduce(_transposed(vectors), len(vectors))
    rows = {}
    for free in range(len(vectors)):
        if free not in pivots:
            row = {pivot: -reduced[k][free] for k, pivot in enumerate(pivots) if reduced[k][free]}
            rows[free] = {free: Fraction(1), **row}
    return Relations(rows)


def spanned_by(rows: Sequence[Mapping[int, Fraction]]) -> Relations:
    """The space of relations that are combinations of some."""
    width = 1 + max((key for row in rows for key in row), default=-1)
    reduced, pivots = _reduce(rows, width)
    return Relations({
        pivot: {key: factor for key, factor in enumerate(reduced[k]) if factor}
        for k, pivot in enumerate(pivots)
    })  # fmt: skip


def _transposed(vectors: Sequence[Combination]) -> list[dict[int, Fraction]]:
    rows: dict[Any, dict[int, Fraction]] = {}
    for place, vector in enumerate(vectors):
        for key, factor in vector.items():
            rows.setdefault(key, {})[place] = factor
    return list(rows.values())


def _reduce(
    rows: Sequence[Mapping[int, Fraction]], width: int
) -> tuple[list[list[Fraction]], list[int]]:
    """The reduced echelon form without its rows of zeros, and the columns of its leading ones."""
    if not rows or not width:
        return [], []
    entries = [[_fmpq(row.get(column, 0)) for column in range(width)] for row in rows]
    matrix, rank = fmpq_mat(entries).rref()
    reduced = [[_fraction(matrix[k, column]) for column in range(width)] for k in range(rank)]
    return reduced, [next(c for c, factor in enumerate(row) if factor) for row in reduced]


def _fmpq(factor: Fraction | int) -> fmpq:
    return fmpq(factor.numerator, factor.denominator)


def _fraction(factor: fmpq) -> Fraction:
    return Fraction(int(factor.p), int(factor.q))
