"""Weighted words over {s, F}: one coefficient for each way through or past the blocks.

    coefficient of w_1 w_2 ... w_L  =  u M[w_1] M[w_2] ... M[w_L] v        (output first)

As a formula: states X with X[l+1] = M[s] X[l] + M[F] F(X[l]), output u X, start v times the input.
The smallest such system is unique up to a change of basis (Schuetzenberger 1961). Its dimension is
the least number of values that must be kept from step to step, and the rank of its M[F] the least
number of calls a step: every system maps onto the smallest, and ranks only fall.

>>> from recform.design.regular import minimal, read_routes
>>> two = smallest(of_automaton(minimal(read_routes("s* F s* F s*"))))
>>> two.dimension, two.num_calls
(3, 2)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from flint import fmpq, fmpq_mat

from recform.design.regular import Automaton


@dataclass(frozen=True)
class Weighted:
    """`first` is u, a row; `last` is v, a column; `skip` and `block` are M[s] and M[F]."""

    first: fmpq_mat
    skip: fmpq_mat
    block: fmpq_mat
    last: fmpq_mat

    @property
    def dimension(self) -> int:
        return self.skip.nrows()

    @property
    def num_calls(self) -> int:
        return self.block.rank()

    def coefficient(self, word: str) -> Fraction:
        row = self.first
        for letter in word:
            row = row * (self.block if letter == "F" else self.skip)
        found = (row * self.last)[0, 0] if self.dimension else fmpq(0)
        return Fraction(int(found.numer()), int(found.denom()))


def of_automaton(automaton: Automaton) -> Weighted:
    """The system with coefficient 1 for each word that an automaton accepts, 0 for all others."""
    size = len(automaton.accepts)
    skip, block = fmpq_mat(size, size), fmpq_mat(size, size)
    for (state, letter), target in automaton.steps.items():
        (block if letter == "F" else skip)[state, target] = 1
    first = fmpq_mat(1, size)
    if size:
        first[0, 0] = 1
    last = fmpq_mat(size, 1, [int(accepts) for accepts in automaton.accepts])
    return Weighted(first, skip, block, last)


def smallest(weighted: Weighted) -> Weighted:
    """The smallest system with the same coefficients."""
    reached = _restricted(weighted)
    return _transposed(_restricted(_transposed(reached)))


def _transposed(weighted: Weighted) -> Weighted:
    """The system that reads words backwards."""
    return Weighted(weighted.last.transpose(), weighted.skip.transpose(),
                    weighted.block.transpose(), weighted.first.transpose())  # fmt: skip


def _restricted(weighted: Weighted) -> Weighted:
    """The system on the span of all M[w] v."""
    columns: list[list[fmpq]] = []
    waiting = [weighted.last]
    while waiting:
        column = waiting.pop(0)
        entries = [column[i, 0] for i in range(column.nrows())]
        if entries and fmpq_mat([*columns, entries]).rank() > len(columns):
            columns.append(entries)
            waiting += [weighted.skip * column, weighted.block * column]
    if not columns:
        return Weighted(fmpq_mat(1, 0), fmpq_mat(0, 0), fmpq_mat(0, 0), fmpq_mat(0, 1))
    basis = fmpq_mat(columns).transpose()
    return Weighted(
        weighted.first * basis,
        coordinates(basis, weighted.skip * basis),
        coordinates(basis, weighted.block * basis),
        coordinates(basis, weighted.last),
    )


def coordinates(basis: fmpq_mat, columns: fmpq_mat) -> fmpq_mat:
    """X with basis * X = columns, where the basis has independent columns."""
    square = basis.transpose() * basis
    return square.solve(basis.transpose() * columns)


class NoAutomatonError(Exception):
    """No system of an order that the words could confirm."""

    def __init__(self, order: int, num_rows: int) -> None:
        super().__init__(order, num_rows)
        self.reason = f"no recurrence up to order {order} on {num_rows} rows"


def learned(coefficient: Callable[[str], Fraction], longest: int) -> Weighted:
    """The smallest system with these coefficients on all words of at most `longest` letters.

    From the Hankel matrix, whose entry (p, q) is the coefficient of the word pq: its rank is the
    dimension (Fliess 1974). Raises NoAutomatonError if the rank still grows, or a word differs.
    """
    side = (longest - 1) // 2
    words = [list(map("".join, product("sF", repeat=n))) for n in range(longest + 1)]
    short = [word for n in range(side) for word in words[n]]
    long = [*short, *words[side]]
    table = {word: coefficient(word) for group in words for word in group}
    prefixes, suffixes = _basis(table, long, short), _basis(table, long, short, turned=True)
    if not all(len(word) < side for word in (*prefixes, *suffixes)):
        raise NoAutomatonError(_rank(table, short, short), longest + 1)
    found = _of_hankel(table, prefixes, suffixes)
    if any(found.coefficient(word) != c for word, c in table.items()):
        raise NoAutomatonError(len(prefixes), longest + 1)
    return found


def _rank(table: dict[str, Fraction], rows: Sequence[str], columns: Sequence[str]) -> int:
    return _matrix(table, rows, columns).rank()


def _matrix(table: dict[str, Fraction], rows: Sequence[str], columns: Sequence[str]) -> fmpq_mat:
    entries = [_fmpq(table[row + column]) for row in rows for column in columns]
    return fmpq_mat(len(rows), len(columns), entries)


def _basis(
    table: dict[str, Fraction], rows: Sequence[str], columns: Sequence[str], turned: bool = False
) -> list[str]:
    """The first words whose rows of the Hankel matrix are independent."""
    found: list[str] = []
    for word in rows:
        wider = [*found, word]
        matrix = _matrix(table, columns, wider) if turned else _matrix(table, wider, columns)
        if matrix.rank() > len(found):
            found = wider
    return found


def _of_hankel(
    table: dict[str, Fraction], prefixes: Sequence[str], suffixes: Sequence[str]
) -> Weighted:
    """H[p, xq] = P M[x] Q with H = P Q; P = 1 in this basis."""
    size = len(prefixes)
    if size == 0 or len(suffixes) != size:
        return Weighted(fmpq_mat(1, 0), fmpq_mat(0, 0), fmpq_mat(0, 0), fmpq_mat(0, 1))
    square = _matrix(table, prefixes, suffixes)
    if square.det() == 0:
        raise NoAutomatonError(size, len(table).bit_length())
    inverse = square.inv()

    def moved(letter: str) -> fmpq_mat:
        return _matrix(table, [prefix + letter for prefix in prefixes], suffixes) * inverse

    first = _matrix(table, [""], suffixes) * inverse
    last = fmpq_mat(size, 1, [_fmpq(table[prefix]) for prefix in prefixes])
    return Weighted(first, moved("s"), moved("F"), last)


def _fmpq(value: Fraction) -> fmpq:
    return fmpq(value.numerator, value.denominator)
