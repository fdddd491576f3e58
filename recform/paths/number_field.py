"""The field Q(a) of one real algebraic number a, with exact signs.

An element is a polynomial in a, of lower degree than a's minimal polynomial. It is zero iff that
polynomial is; otherwise its sign is read off an enclosure of a that is narrow enough.

>>> from flint import fmpz_poly
>>> from recform.paths.algebraic import roots_of
>>> root = max(roots_of(fmpz_poly([-2, 0, 1])), key=lambda root: root.to_float())
>>> field = Field(root)
>>> field.sign(fmpq_poly([-3, 2])), field.reduce(fmpq_poly([1, 0, 0, 1]))
(-1, 2*x + 1)
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import arb, ctx, fmpq, fmpq_poly, fmpz_poly

from recform.paths.algebraic import BITS, MAX_BITS, Root

# An element: a polynomial in a.
Element = fmpq_poly


@dataclass(frozen=True)
class Field:
    """Q(a) for a real root a."""

    root: Root

    @staticmethod
    def rational(number: Fraction) -> Field:
        """Q itself, a being a rational number."""
        return Field(Root(fmpz_poly([-number.numerator, number.denominator]), 0, 1))

    @cached_property
    def modulus(self) -> fmpq_poly:
        return fmpq_poly(self.root.minimal)

    @cached_property
    def _near(self) -> arb:
        return self.root.enclosure(BITS[0]).real

    @property
    def degree(self) -> int:
        return self.modulus.degree()

    def reduce(self, element: Element) -> Element:
        return element % self.modulus

    def product(self, left: Element, right: Element) -> Element:
        return left * right % self.modulus

    def inverse(self, element: Element) -> Element:
        unit, inverse, _ = element.xgcd(self.modulus)
        assert unit == 1, "only zero has no inverse in a field"
        return inverse % self.modulus

    def coordinates(self, element: Element) -> list[fmpq]:
        """The coefficients of 1, a, a^2, ..., as many as the degree."""
        found = element.coeffs()
        return found + [fmpq(0)] * (self.degree - len(found))

    def sign(self, element: Element) -> int:
        """-1, 0 or 1."""
        if element.degree() < 1:
            return _sign_of_rational(element[0])
        bits = BITS[0]
        while bits <= MAX_BITS:
            with ctx.workprec(bits):
                at = self._near if bits == BITS[0] else self.root.enclosure(bits).real
                value = _evaluate(element, at)
            if value > 0:
                return 1
            if value < 0:
                return -1
            bits *= 2
        raise AssertionError("an element that is not zero is told from zero at some precision")


def _sign_of_rational(number: fmpq) -> int:
    return (number > 0) - (number < 0)


def _evaluate(polynomial: fmpq_poly, at: arb) -> arb:
    """By Horner's rule, at a ball."""
    total = arb(0)
    for coefficient in reversed(polynomial.coeffs()):
        total = total * at + arb(coefficient)
    return total
