"""Mean and spread of path length, exact, at one depth.

Counts are taken as weights: of all distinct paths (or paths as drawn) of one depth, each counted
once, how long is one on average, and how far from that?

>>> mean_length((1, 4, 6, 4, 1)), std_length((1, 4, 6, 4, 1))
(Fraction(2, 1), '1')
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import lcm

from flint import fmpz

from recform.paths.algebraic import sum_with_root
from recform.tape import Irrational

# Past this many bits of a variance its root is not freed of squares, which would take long.
MAX_ROOT_BITS = 256


def mean_length(counts: Sequence[int | Fraction]) -> Fraction | None:
    """The mean number of blocks on a path, in blocks; None if there is none that is rational.

    `counts` are not negative.
    """
    if any(isinstance(count, Irrational) for count in counts):
        # Counts with roots in them have no rational mean.
        return None
    weights = _whole(counts)
    total = sum(weights)
    if total == 0:
        return None
    return Fraction(sum(length * weight for length, weight in enumerate(weights)), total)


def variance_of_length(counts: Sequence[int | Fraction]) -> Fraction | None:
    """The variance of the number of blocks on a path."""
    mean = mean_length(counts)
    if mean is None:
        return None
    weights = _whole(counts)
    squares = sum(length * length * weight for length, weight in enumerate(weights))
    return Fraction(squares, sum(weights)) - mean * mean


def std_length(counts: Sequence[int | Fraction]) -> str | None:
    """The standard deviation of the number of blocks on a path, in sympy's syntax."""
    variance = variance_of_length(counts)
    if variance is None:
        return None
    if max(variance.numerator.bit_length(), variance.denominator.bit_length()) > MAX_ROOT_BITS:
        return f"sqrt({_digits(variance)})"
    return sum_with_root(Fraction(0), Fraction(1), variance)


def _whole(counts: Sequence[int | Fraction]) -> list[int]:
    """The counts times their common denominator, which no mean depends on."""
    common = lcm(*(count.denominator for count in counts))
    return [count.numerator * (common // count.denominator) for count in counts]


def _digits(value: Fraction) -> str:
    # FLINT prints integers of any length, Python up to 4,300 digits.
    return f"{fmpz(value.numerator)}/{fmpz(value.denominator)}"
