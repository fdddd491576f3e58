"""Terms, and the smallest sets of them that add up to a sequence.

Sequences are linear forms over letters, depth by depth. A set of terms fits if, at several depths
at once, the sequence is their sum with the same factors, in one way only and none of them zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from recform.formula.show import number_to_text
from recform.paths.jets import Vector
from recform.paths.relations import Combination, Relations, relations_between, spanned_by
from recform.tape import Exact, Irrational

# How many depths a combination is fitted to at once.
NUM_DEPTHS = 3


@dataclass(frozen=True)
class Term:
    """A sequence that x[l+1] may be made of: how it is written, and its value at each depth l.

    `delay` is how far it reads back, `start` what an `init` would give it before depth 0.
    """

    text: str
    values: tuple[Vector, ...]
    delay: int = 0
    start: str | None = None


@dataclass(frozen=True)
class Fit:
    """Terms with their factors."""

    terms: tuple[Term, ...]
    factors: tuple[Fraction, ...]

    def __str__(self) -> str:
        return join([(term.text, k) for term, k in zip(self.terms, self.factors, strict=True)])


def fits(target: Sequence[Vector], basis: Sequence[Term], number: int) -> Iterator[Fit]:
    """The sets of terms that add up to the target with factors that are not zero."""
    last = min(len(target), *(len(term.values) for term in basis))
    depths = range(last - NUM_DEPTHS, last)
    vectors = _shortened([_stacked(target, depths)] + [
        _stacked(term.values, depths) for term in basis
    ])  # fmt: skip
    # A term in no relation at all is in none of the smallest either.
    related = {place for row in relations_between(vectors).rows.values() for place in row}
    for places in combinations(sorted(related - {0}), number):
        relations = relations_between([vectors[0], *(vectors[place] for place in places)])
        factors = _factors(relations, number)
        if factors is not None:
            yield Fit(tuple(basis[place - 1] for place in places), factors)


def _factors(relations: Relations, number: int) -> tuple[Fraction, ...] | None:
    """What the terms are multiplied by, if they add up to the target in one way and none is idle"""
    if relations.dimension != 1:
        return None
    (relation,) = relations.rows.values()
    if len(relation) != number + 1 or 0 not in relation:
        return None
    return tuple(-relation[place] / relation[0] for place in range(1, number + 1))


def _stacked(values: Sequence[Vector], depths: range) -> Combination:
    return {(n, key): factor for n in depths for key, factor in values[n].items()}


def _shortened(vectors: Sequence[Combination]) -> list[Combination]:
    """Vectors of fewer entries with the same relations between them."""
    keys = {key for vector in vectors for key in vector}
    rows = [{place: Fraction(vector[key]) for place, vector in enumerate(vectors) if key in vector}
            for key in keys]  # fmt: skip
    reduced = spanned_by(rows).rows
    return [
        {pivot: row[place] for pivot, row in reduced.items() if place in row}
        for place in range(len(vectors))
    ]


def join(parts: Sequence[tuple[str, Exact]]) -> str:
    """Products with their signs, as a sum."""
    text = ""
    for term, factor in parts:
        sign = "-" if factor < 0 else "+"
        written = product(rational(abs(factor)), term)
        text += f" {sign} {written}" if text else ("-" if factor < 0 else "") + written
    return text


def rational(number: Exact) -> Fraction:
    """A coefficient of a formula that has a recurrence: such formulas have no roots in them."""
    assert not isinstance(number, Irrational), "a recurrence is rational"
    return Fraction(number)


def product(factor: Fraction, term: str) -> str:
    """A factor times a term, without a factor of 1."""
    return term if factor == 1 else f"{number_to_text(factor)}*{term}"
