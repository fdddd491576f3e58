"""Path polynomials: how many paths there are of each length.

Unroll a formula and follow every way from the output back to x[l0]. The coefficient of t^k counts
the ways through exactly k blocks: the unraveled view of Veit et al. (2016), Liao et al. (2021),
eq. (11). *Net* counts with sign, so that paths cancel; *gross* counts the wires as drawn, every
constant replaced by its absolute value.

Coefficients are exact rationals (FLINT's `fmpq_poly`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias

from flint import fmpq, fmpq_poly

Coefficients: TypeAlias = tuple[int | Fraction, ...]

ONE = fmpq_poly([1])
ABSENT = fmpq_poly([])
BLOCK = fmpq_poly([0, 1])


@dataclass(frozen=True)
class PathPolynomial:
    """The algebra of path polynomials: what follows from x[l0], which is given the meaning ONE.

    `of_constant` is what a constant counts for: itself (net) or its absolute value (gross).
    """

    of_constant: Callable[[Any], Any]

    def input(self) -> fmpq_poly:
        return ABSENT

    def zero(self) -> fmpq_poly:
        return ABSENT

    def call(self, block: str, index: int, argument: fmpq_poly) -> fmpq_poly:
        return BLOCK * argument

    def map(self, function: str, index: int | None, argument: fmpq_poly) -> fmpq_poly:
        return argument

    def scale(self, factor: Fraction, argument: fmpq_poly) -> fmpq_poly:
        constant = self.of_constant(factor)
        return argument * fmpq(constant.numerator, constant.denominator)

    def add(self, left: fmpq_poly, right: fmpq_poly) -> fmpq_poly:
        return left + right

    def start(self, label: str, argument: fmpq_poly) -> fmpq_poly:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: fmpq_poly) -> fmpq_poly:
        return argument


NET = PathPolynomial(of_constant=lambda constant: constant)
GROSS = PathPolynomial(of_constant=abs)


def coefficients(polynomial: fmpq_poly) -> Coefficients:
    """The coefficients of 1, t, t^2, ... without trailing zeros; (0,) for nothing.

    Whole numbers are ints, others Fractions.
    """
    denominator = int(polynomial.denom())
    numerators = [int(numerator) for numerator in polynomial.numer().coeffs()]
    if denominator == 1:
        return tuple(numerators) or (0,)
    return tuple(exact(Fraction(numerator, denominator)) for numerator in numerators)


def exact(value: Fraction) -> int | Fraction:
    """The rational, as an int where it is whole."""
    return value.numerator if value.denominator == 1 else value


def polynomial_to_text(counts: Coefficients) -> str:
    """1 + 3*t + t^2: coefficients by length, as a polynomial in t.

    >>> polynomial_to_text((1, -2, 0, 1))
    '1 - 2*t + t^3'
    """
    powers = ("", "t", *(f"t^{length}" for length in range(2, len(counts))))
    return terms_to_text(zip(counts, powers, strict=False))


def terms_to_text(terms: Iterable[tuple[int | Fraction, str]]) -> str:
    """A sum of coefficients times monomials; "" is the monomial 1, and zeros are left out.

    >>> terms_to_text([(1, ""), (-1, "F"), (3, "F*G")])
    '1 - F + 3*F*G'
    """
    pieces = []
    for count, monomial in terms:
        if count == 0:
            continue
        size = str(abs(count)) if abs(count) != 1 or not monomial else ""
        sign = ("-" if count < 0 else "") if not pieces else (" - " if count < 0 else " + ")
        pieces.append(sign + size + ("*" if size and monomial else "") + monomial)
    return "".join(pieces) or "0"


def polynomial_to_sympy(polynomial: fmpq_poly) -> str:
    """A polynomial in t as sympy reads it.

    >>> polynomial_to_sympy(fmpq_poly([1, 0, -3]))
    '1 - 3*t**2'
    """
    return polynomial_to_text(coefficients(polynomial)).replace("^", "**")
