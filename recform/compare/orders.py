"""Friedman's test for few rows: what chance alone would give, counted.

Were all models alike, each row could have its ranks in any order, all orders equally likely. With k
models and n rows these are (k!)^n tables, and p is the share of them whose mean ranks are as far
apart as those found (Friedman 1937). Only the sums of ranks matter, and not which model
has which: the tables are counted row by row, by the sums in order.

>>> exact_p([(1, 2), (1, 2)])                # two rows agree half the time
Fraction(1, 2)
>>> exact_p([(1, 2, 3)] * 3)
Fraction(1, 36)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import permutations
from math import factorial

# Sums made on the way; half a second.
MOST_STEPS = 300_000


def exact_p(rows: Sequence[Sequence[float]]) -> Fraction | None:
    """The p-value of Friedman's statistic, corrected for ties or not; None where it takes long.

    `rows` has the ranks of the models in each row.
    """
    doubled = [tuple(round(2 * rank) for rank in row) for row in rows]
    if len(set(doubled)) == 1 and len(set(doubled[0])) == len(doubled[0]):
        # Perfect agreement: each further row had to have the order of the first.
        return Fraction(1, factorial(len(doubled[0])) ** (len(doubled) - 1))
    chances = spreads(doubled)
    if chances is None:
        return None
    found = spread([sum(column) for column in zip(*doubled, strict=True)])
    return sum((chance for size, chance in chances.items() if size >= found), Fraction(0))


def spreads(rows: Sequence[tuple[int, ...]]) -> Mapping[int, Fraction] | None:
    """Chance of each sum of squares of the sums of `rows`, each in any order; None if it is long.

    The sum of squares grows with Friedman's statistic.
    """
    ways: Mapping[tuple[int, ...], int] = {(0,) * len(rows[0]): 1}
    steps = 0
    for row in rows:
        if factorial(len(row)) * len(ways) + steps > MOST_STEPS:
            return None
        steps += factorial(len(row)) * len(ways)
        ways = _with_row(ways, row)
    total = sum(ways.values())
    found: dict[int, Fraction] = {}
    for sums, count in ways.items():
        found[spread(sums)] = found.get(spread(sums), Fraction(0)) + Fraction(count, total)
    return found


def spread(sums: Sequence[int]) -> int:
    return sum(value * value for value in sums)


def _with_row(
    ways: Mapping[tuple[int, ...], int], row: tuple[int, ...]
) -> Counter[tuple[int, ...]]:
    orders = Counter(permutations(row))
    found: Counter[tuple[int, ...]] = Counter()
    for sums, count in ways.items():
        for order, times in orders.items():
            added = tuple(sorted(have + more for have, more in zip(sums, order, strict=True)))
            found[added] += count * times
    return found
