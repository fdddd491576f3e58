"""Numbers with roots: sums of rationals times roots of primes, exact.

    sqrt(12)        2*sqrt(3)
    (2*8)^(1/4)     2
    1/sqrt(6)       sqrt(2)*sqrt(3)/6

A *radical* is a product of primes to powers between 0 and 1, such as 2^(1/2)*3^(1/4). Different
radicals are linearly independent over the rationals (Besicovitch, J. London Math. Soc. 15, 1940,
3-6), so that a sum of them is zero only if each of its coefficients is: equality needs no
approximation. A sum of several radicals is divided by only if it is one term.

>>> root(Fraction(12)) * root(Fraction(3))
6
>>> print(root(Fraction(1, 2)) + 1)
1 + sqrt(2)/2
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias, Union

from recform.formula.show import number_to_text

# Primes with their powers, each between 0 and 1; () is the radical 1.
Radical: TypeAlias = tuple[tuple[int, Fraction], ...]

# A sum of more radicals than these is no number that anyone reads.
MAX_TERMS = 256
# Numbers under a root are taken apart into primes.
MAX_UNDER_ROOT = 10**12


class TooManyRadicals(Exception):  # noqa: N818 - a signal within the tape
    """A number has more than MAX_TERMS radicals."""


@dataclass(frozen=True, eq=False)
class Irrational:
    """A sum of rationals times radicals, at least one of which is a root.

    `terms` has no zero in it. Arithmetic with ints and Fractions gives them back where the result
    is rational.
    """

    terms: Mapping[Radical, Fraction]

    def __add__(self, other: Exact) -> Exact:
        total = dict(self.terms)
        for radical, coefficient in terms_of(other).items():
            total[radical] = total.get(radical, Fraction(0)) + coefficient
        return number_of(total)

    __radd__ = __add__

    def __neg__(self) -> Irrational:
        return Irrational({radical: -coefficient for radical, coefficient in self.terms.items()})

    def __sub__(self, other: Exact) -> Exact:
        return self + -other

    def __rsub__(self, other: Exact) -> Exact:
        return -self + other

    def __mul__(self, other: Exact) -> Exact:
        total: dict[Radical, Fraction] = {}
        for first, left in self.terms.items():
            for second, right in terms_of(other).items():
                radical, outside = times(first, second)
                total[radical] = total.get(radical, Fraction(0)) + left * right * outside
        return number_of(total)

    __rmul__ = __mul__

    def __truediv__(self, other: int | Fraction) -> Exact:
        return self * (1 / Fraction(other))

    def inverse(self) -> Exact:
        """1 divided by the number. Raises ValueError unless it is one term."""
        if len(self.terms) > 1:
            raise ValueError("a sum of roots is no divisor")
        ((radical, coefficient),) = self.terms.items()
        turned = tuple((prime, 1 - power) for prime, power in radical)
        outside = math.prod(prime for prime, _ in radical)
        return Irrational({turned: 1 / (coefficient * outside)})

    def __abs__(self) -> Irrational:
        return self if self > 0 else -self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Irrational) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __lt__(self, other: Exact) -> bool:
        return sign_of(self - other) < 0

    def __gt__(self, other: Exact) -> bool:
        return sign_of(self - other) > 0

    def __le__(self, other: Exact) -> bool:
        return not self > other

    def __ge__(self, other: Exact) -> bool:
        return not self < other

    def __float__(self) -> float:
        lower, _ = bounds_of(self, 128)
        return float(lower)

    def __str__(self) -> str:
        return self.to_text(number_to_text)

    def to_text(self, digits: Callable[[int], str]) -> str:
        """As sympy reads it: 1/2 + sqrt(2)/4; `digits` writes the integers, of any size."""
        pieces: list[str] = []
        for radical in sorted(self.terms):
            coefficient = self.terms[radical]
            sign = "-" if coefficient < 0 else "+"
            text = _term_to_text(abs(coefficient), radical, digits)
            first = text if sign == "+" else f"-{text}"
            pieces.append(f" {sign} {text}" if pieces else first)
        return "".join(pieces)

    def __repr__(self) -> str:
        return str(self)


# An int wherever the number is whole.
Exact: TypeAlias = Union[int, Fraction, Irrational]  # noqa: UP007 - needed at run time on 3.10


def root(number: Fraction | int, power: Fraction = Fraction(1, 2)) -> Exact:
    """A positive rational to a rational power.

    Raises ValueError for what is not positive, or has no small enough numerator and denominator.
    """
    number = Fraction(number)
    if number <= 0:
        raise ValueError("only positive numbers have all roots")
    if max(number.numerator, number.denominator) > MAX_UNDER_ROOT:
        raise ValueError("the number under the root is too large")
    powers: dict[int, Fraction] = {}
    for prime, times in _primes_of(number.numerator):
        powers[prime] = power * times
    for prime, times in _primes_of(number.denominator):
        powers[prime] = -power * times
    radical, outside = _reduce(powers)
    return number_of({radical: outside})


def terms_of(number: Exact) -> Mapping[Radical, Fraction]:
    """A number as rationals times radicals."""
    if isinstance(number, Irrational):
        return number.terms
    return {(): Fraction(number)} if number else {}


def number_of(terms: Mapping[Radical, Fraction]) -> Exact:
    """The number, as an int or a Fraction where it is one. Raises TooManyRadicals."""
    kept = {radical: coefficient for radical, coefficient in terms.items() if coefficient}
    if len(kept) > MAX_TERMS:
        raise TooManyRadicals
    if not set(kept) - {()}:
        rational = kept.get((), Fraction(0))
        return rational.numerator if rational.denominator == 1 else rational
    return Irrational(kept)


def sign_of(number: Exact) -> int:
    """-1, 0 or 1."""
    if not isinstance(number, Irrational):
        return (number > 0) - (number < 0)
    precision = 64
    while True:
        lower, upper = bounds_of(number, precision)
        if lower > 0 or upper < 0:
            return 1 if lower > 0 else -1
        # It is not zero, so the bounds part from zero at last.
        precision *= 2


def bounds_of(number: Exact, precision: int) -> tuple[Fraction, Fraction]:
    """Rationals below and above, about 2^-precision apart for each term of size 1."""
    lower = upper = Fraction(0)
    for radical, coefficient in terms_of(number).items():
        below = above = Fraction(1)
        for prime, power in radical:
            floor = _floor_of_root(prime**power.numerator << power.denominator * precision,
                                   power.denominator)  # fmt: skip
            below *= Fraction(floor, 1 << precision)
            above *= Fraction(floor + 1, 1 << precision)
        if coefficient < 0:
            below, above = above, below
        lower += coefficient * below
        upper += coefficient * above
    return lower, upper


def _floor_of_root(number: int, degree: int) -> int:
    """The integer below the root of a positive integer, by Newton's method from above."""
    guess = 1 << -(-number.bit_length() // degree)
    while True:
        better = ((degree - 1) * guess + number // guess ** (degree - 1)) // degree
        if better >= guess:
            return guess
        guess = better


@lru_cache(maxsize=1 << 16)
def times(left: Radical, right: Radical) -> tuple[Radical, Fraction]:
    """A radical times a radical: a radical, and what comes out of it."""
    powers = dict(left)
    for prime, power in right:
        powers[prime] = powers.get(prime, Fraction(0)) + power
    return _reduce(powers)


def _reduce(powers: Mapping[int, Fraction]) -> tuple[Radical, Fraction]:
    """Powers brought between 0 and 1; the whole ones come out as a rational."""
    outside, inside = Fraction(1), []
    for prime in sorted(powers):
        whole = math.floor(powers[prime])
        outside *= Fraction(prime) ** whole
        if powers[prime] != whole:
            inside.append((prime, powers[prime] - whole))
    return tuple(inside), outside


@lru_cache(maxsize=4096)
def _primes_of(number: int) -> tuple[tuple[int, int], ...]:
    primes, prime = [], 2
    while prime * prime <= number:
        times = 0
        while number % prime == 0:
            number, times = number // prime, times + 1
        primes += [(prime, times)] if times else []
        prime += 1
    return tuple(primes + ([(number, 1)] if number > 1 else []))


def _term_to_text(coefficient: Fraction, radical: Radical, digits: Callable[[int], str]) -> str:
    roots = "*".join(
        f"sqrt({prime})" if power == Fraction(1, 2) else f"{prime}^({power})"
        for prime, power in radical
    ).replace("^", "**")
    top = digits(coefficient.numerator)
    if roots:
        top = roots if coefficient.numerator == 1 else f"{top}*{roots}"
    return top if coefficient.denominator == 1 else f"{top}/{digits(coefficient.denominator)}"
