"""Algebraic numbers: roots of integer polynomials, compared exactly and written for sympy.

A root is an irreducible polynomial and a place in FLINT's list of its roots, whose enclosures are
certified (`arb`) and as narrow as asked for. Whether two roots have the same modulus is decided,
not measured: the squares of moduli are roots of one polynomial, and its roots can be told apart.

>>> root = dominant(roots_of(fmpz_poly([-1, -2, 1])))[0]
>>> root.to_text(), round(root.modulus(), 4)
('1 + sqrt(2)', 2.4142)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import Any

from flint import Ordering, arb, ctx, fmpz_mpoly_ctx, fmpz_poly

from recform.paths.fractions_text import terms_to_text

BITS = (64, 128, 256)
MAX_BITS = 1 << 16


@dataclass(frozen=True)
class Root:
    """A root of `minimal`, an irreducible polynomial; `multiplicity` in the polynomial at hand."""

    minimal: fmpz_poly
    place: int
    multiplicity: int

    def enclosure(self, bits: int) -> Any:
        """A ball (`acb`) around the root and no other."""
        return _complex_roots(self.minimal, bits)[self.place]

    @property
    def is_real(self) -> bool:
        return self.enclosure(BITS[0]).imag == 0

    def modulus_squared(self, bits: int) -> arb:
        ball = self.enclosure(bits)
        with ctx.workprec(bits):
            return ball.real * ball.real + ball.imag * ball.imag

    def modulus(self) -> float:
        """The modulus, rounded to a float."""
        with ctx.workprec(BITS[-1]):
            return float(self.modulus_squared(BITS[-1]).sqrt())

    def to_float(self) -> float:
        """A real root, rounded to a float."""
        return float(self.enclosure(BITS[-1]).real)

    def to_text(self) -> str | None:
        """A real root in sympy's syntax; None for one that is not real."""
        if not self.is_real:
            return None
        return element_to_text(self, [Fraction(0), Fraction(1)])

    def modulus_to_text(self) -> str | None:
        """The modulus in sympy's syntax, where the root is real or quadratic."""
        text = self.to_text()
        if text is not None:
            if self.to_float() >= 0:
                return text
            return element_to_text(self, [Fraction(0), Fraction(-1)])
        if self.minimal.degree() == 2:
            constant, _, leading = (int(c) for c in self.minimal.coeffs())
            return sum_with_root(Fraction(0), Fraction(1), Fraction(constant, leading))
        return None


def roots_of(polynomial: fmpz_poly) -> list[Root]:
    """The different roots, each with its multiplicity."""
    return [
        Root(factor, place, int(power))
        for factor, power in polynomial.factor()[1]
        for place in range(factor.degree())
    ]


def dominant(roots: Sequence[Root]) -> list[Root]:
    """The roots of largest modulus: all that tie, which is decided exactly."""
    for bits in BITS:
        moduli = [root.modulus_squared(bits) for root in roots]
        lower = max((modulus.lower() for modulus in moduli), default=arb(0))
        near = [r for r, m in zip(roots, moduli, strict=True) if not m.upper() < lower]
        if len(near) <= 1:
            return near
        roots = near
    return _ties(roots)


def _ties(roots: Sequence[Root]) -> list[Root]:
    """Of roots whose moduli cannot be told apart, those with the largest."""
    moduli = _different_moduli([root.minimal for root in roots])
    bits = BITS[-1]
    while bits <= MAX_BITS:
        places = [_places(root.modulus_squared(bits), moduli, bits) for root in roots]
        if all(len(place) == 1 for place in places):
            best = max(place[0] for place in places)
            return [r for r, place in zip(roots, places, strict=True) if place[0] == best]
        bits *= 2
    raise AssertionError("enclosures of different roots come apart at some precision")


def _different_moduli(polynomials: Sequence[fmpz_poly]) -> fmpz_poly:
    """A polynomial without double roots, which all products of two conjugate roots are roots of."""
    total = fmpz_poly([1])
    for polynomial in {tuple(int(c) for c in p.coeffs()): p for p in polynomials}.values():
        total *= _products_of_roots(polynomial)
    result = fmpz_poly([1])
    for factor, _ in total.factor()[1]:
        result *= factor
    return result


def _products_of_roots(polynomial: fmpz_poly) -> fmpz_poly:
    """The polynomial in y with roots r*s for all roots r, s: the resultant of p(x), x^d p(y/x)."""
    ring: Any = fmpz_mpoly_ctx.get(("x", "y"), Ordering.lex)
    degree = polynomial.degree()
    coefficients = [int(c) for c in polynomial.coeffs()]
    plain = ring.from_dict({(k, 0): c for k, c in enumerate(coefficients) if c})
    mirrored = ring.from_dict({(degree - k, k): c for k, c in enumerate(coefficients) if c})
    resultant = plain.resultant(mirrored, "x").to_dict()
    highest = max(int(powers[1]) for powers in resultant)
    return fmpz_poly([int(resultant.get((0, k), 0)) for k in range(highest + 1)])


def _places(value: arb, moduli: fmpz_poly, bits: int) -> list[int]:
    """The real roots of `moduli`, in rising order, that the value may be."""
    real = [root.real for root in _complex_roots(moduli, bits) if root.imag == 0]
    real.sort(key=lambda root: root.mid().fmpq())
    return [place for place, root in enumerate(real) if root.overlaps(value)]


def _complex_roots(polynomial: fmpz_poly, bits: int) -> list[Any]:
    """Balls (`acb`), each around one root of a polynomial without double roots."""
    with ctx.workprec(bits):
        found: Any = polynomial.complex_roots()
    return [ball for ball, _ in found]


def element_to_text(root: Root, coefficients: Sequence[Fraction]) -> str:
    """coefficients[0] + coefficients[1]*r + ... for a real root r, in sympy's syntax.

    `1 + sqrt(2)` for rational and quadratic roots, else with r as `CRootOf(polynomial, place)`,
    real roots counted from the smallest.
    """
    given = [int(c) for c in root.minimal.coeffs()]
    if len(given) == 2:
        value = Fraction(-given[0], given[1])
        return str(sum(c * value**k for k, c in enumerate(coefficients)))
    if len(given) == 3:
        return _quadratic(root, given, coefficients)
    name = _name(root)
    powers = ["", name, *(f"{name}**{k}" for k in range(2, len(coefficients)))]
    pieces = [
        f"({c})*{power}" if power and c != 1 else power or str(c)
        for c, power in zip(coefficients, powers, strict=False)
        if c
    ]
    return " + ".join(pieces) or "0"


def _quadratic(root: Root, minimal: Sequence[int], coefficients: Sequence[Fraction]) -> str:
    """a + b*sqrt(d), from c0 + c1*r for r = (-m1 +- sqrt(m1^2 - 4 m0 m2)) / (2 m2)."""
    constant, linear, leading = minimal
    first, second = (*coefficients, Fraction(0), Fraction(0))[:2]
    discriminant = linear * linear - 4 * constant * leading
    middle = Fraction(-linear, 2 * leading)
    sign = 1 if root.to_float() > middle else -1
    return sum_with_root(
        first + second * middle, second * sign / abs(2 * leading), Fraction(discriminant)
    )


def sum_with_root(rational: Fraction, factor: Fraction, square: Fraction) -> str:
    """rational + factor*sqrt(square), the root freed of squares.

    >>> sum_with_root(Fraction(0), Fraction(1, 4), Fraction(8))
    'sqrt(2)/2'
    """
    # sqrt(p/q) = sqrt(p*q)/q
    outside, inside = _square_part(square.numerator * square.denominator)
    factor = factor * outside / square.denominator
    if inside == 1 or factor == 0:
        return str(rational + factor * inside if factor else rational)
    size = abs(factor)
    text = f"sqrt({inside})"
    text = text if size.numerator == 1 else f"{size.numerator}*{text}"
    text = text if size.denominator == 1 else f"{text}/{size.denominator}"
    if rational == 0:
        return text if factor > 0 else f"-{text}"
    return f"{rational} {'+' if factor > 0 else '-'} {text}"


def _square_part(number: int) -> tuple[int, int]:
    """(s, f) with number = s*s*f. f is free of squares of small primes, and 1 for a square."""
    if isqrt(number) ** 2 == number:
        return isqrt(number), 1
    outside, inside, prime = 1, number, 2
    while prime * prime <= inside and prime < 10_000:
        while inside % (prime * prime) == 0:
            inside //= prime * prime
            outside *= prime
        prime += 1
    if isqrt(inside) ** 2 == inside:
        return outside * isqrt(inside), 1
    return outside, inside


def _name(root: Root) -> str:
    conjugates = (Root(root.minimal, place, 1) for place in range(root.minimal.degree()))
    real = sorted((other for other in conjugates if other.is_real), key=Root.to_float)
    place = [other.place for other in real].index(root.place)
    terms = {(k,): Fraction(int(c)) for k, c in enumerate(root.minimal.coeffs()) if c}
    return f"CRootOf({terms_to_text(terms, ('x',))}, {place})"
