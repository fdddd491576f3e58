"""How fast path counts grow with depth, and how path lengths spread, in closed form.

The totals P_n(1) of a rational generating function grow as n^(m-1) lambda^n, with 1/lambda the pole
nearest to 0 at t = 1 and m its multiplicity (Flajolet and Sedgewick 2009, theorem IV.9). Where one
simple root lambda(t) of x^d D(1/x, t) stands alone on its circle at t = 1 and counts are not
negative, the length of a random path is asymptotically normal (theorem IX.9, quasi-powers) with

    mean     ~ n * lambda'/lambda
    variance ~ n * (lambda''/lambda + lambda'/lambda - (lambda'/lambda)^2)

All numbers are exact, in Q(lambda); floats stand beside them.

>>> from recform.paths.settle import settle
>>> from recform.formula import parse
>>> from recform.paths.generating import GROSS_READING, generating_function
>>> delannoy = settle(parse("x[l+1] = x[l] + F(x[l]) + F(x[l-1])"))
>>> growth(generating_function(delannoy, GROSS_READING)).exact
'1 + sqrt(2)'
>>> length_law(generating_function(delannoy, GROSS_READING)).variance
'sqrt(2)/8'
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from flint import arb, ctx, fmpq_poly, fmpz_poly

from recform.paths.algebraic import BITS, Root, dominant, element_to_text, roots_of
from recform.paths.generating import GeneratingFunction


@dataclass(frozen=True)
class Growth:
    """The totals grow as n^(multiplicity - 1) * value^n; `exact` is the value as sympy reads it.

    `exact` is None for moduli of roots that are neither real nor quadratic.
    """

    exact: str | None
    value: float
    multiplicity: int


@dataclass(frozen=True)
class LengthLaw:
    """The normal law of path lengths: mean and variance per block, exact and as floats."""

    mean: str
    variance: str
    mean_value: float
    variance_value: float


def growth(function: GeneratingFunction) -> Growth | None:
    """The growth of the totals; None where they are 0 from some depth on."""
    numerator, denominator = _at_one(function.numerator), _at_one(function.denominator)
    common = numerator.gcd(denominator)
    largest = dominant(roots_of(_mirrored(denominator / common)))
    if not largest or numerator == 0:
        return None
    multiplicity = max(root.multiplicity for root in largest)
    named = sorted(largest, key=lambda root: (not root.is_real, root.minimal.degree()))[0]
    return Growth(named.modulus_to_text(), named.modulus(), multiplicity)


def length_law(function: GeneratingFunction) -> LengthLaw | str:
    """The normal law of the lengths of paths that are counted without sign, or why there is none.

    For gross counts, or net counts of a formula without negative constants.
    """
    largest = dominant(roots_of(_mirrored(_at_one(function.denominator))))
    if not largest:
        return "there are paths at small depths only"
    if len(largest) > 1 or largest[0].multiplicity > 1:
        return "no single simple root is dominant"
    root = largest[0]
    if not root.is_real or _vanishes(function.numerator, root):
        return "the dominant root has no part in the counts at t = 1"
    mean, variance = _moments(function, root)
    if variance == 0:
        return "the variance does not grow with depth"
    return LengthLaw(
        element_to_text(root, _coefficients(mean, root)),
        element_to_text(root, _coefficients(variance, root)),
        _to_float(mean, root),
        _to_float(variance, root),
    )


def _at_one(parts: tuple[fmpq_poly, ...]) -> fmpq_poly:
    """A polynomial in z, at t = 1."""
    return fmpq_poly([part(1) for part in parts])


def _mirrored(polynomial: fmpq_poly) -> fmpz_poly:
    """x^d p(1/x), without a content: its roots are the reciprocals of those of p."""
    whole = fmpz_poly(polynomial.numer().coeffs()[::-1])
    return whole / whole.content()


def _vanishes(numerator: tuple[fmpq_poly, ...], root: Root) -> bool:
    mirrored = fmpq_poly(_at_one(numerator).coeffs()[::-1])
    return mirrored % fmpq_poly(root.minimal) == 0


def _moments(function: GeneratingFunction, root: Root) -> tuple[fmpq_poly, fmpq_poly]:
    """Mean and variance per block, in Q(lambda) = Q[x]/minimal(x).

    lambda(t) is the root of p(x, t) = sum of D_k(t) x^(d-k); its derivatives are those of an
    implicit function.
    """
    modulus = fmpq_poly(root.minimal)
    parts = function.denominator
    degree = len(parts) - 1

    def value(order_x: int, order_t: int) -> fmpq_poly:
        """A partial derivative of p at (lambda, 1)."""
        terms = [fmpq_poly([0])] * (degree + 1)
        for k, part in enumerate(parts):
            for _ in range(order_t):
                part = part.derivative()
            terms[degree - k] = part
        total = fmpq_poly([term(1) for term in terms])
        for _ in range(order_x):
            total = total.derivative()
        return total % modulus

    def product(*factors: fmpq_poly) -> fmpq_poly:
        total = fmpq_poly([1])
        for factor in factors:
            total = total * factor % modulus
        return total

    slope = _inverse(value(1, 0), modulus)
    first = -product(value(0, 1), slope)
    second = -product(
        value(0, 2) + 2 * product(value(1, 1), first) + product(value(2, 0), first, first), slope
    )
    reciprocal = _inverse(fmpq_poly([0, 1]) % modulus, modulus)
    mean = product(first, reciprocal)
    variance = (product(second, reciprocal) + mean - product(mean, mean)) % modulus
    return mean, variance


def _inverse(element: fmpq_poly, modulus: fmpq_poly) -> fmpq_poly:
    unit, inverse, _ = element.xgcd(modulus)
    assert unit == 1, "a root that is simple has a derivative that is not zero"
    return inverse % modulus


def _coefficients(element: fmpq_poly, root: Root) -> list[Fraction]:
    found = [Fraction(int(c.p), int(c.q)) for c in element.coeffs()]
    return found + [Fraction(0)] * (root.minimal.degree() - len(found))


def _to_float(element: fmpq_poly, root: Root) -> float:
    with ctx.workprec(BITS[-1]):
        return float(_evaluate(element, root.enclosure(BITS[-1]).real))


def _evaluate(element: fmpq_poly, at: arb) -> arb:
    """The value of a rational polynomial at a ball, by Horner's rule."""
    total = arb(0)
    for coefficient in reversed(element.coeffs()):
        total = total * at + arb(coefficient)
    return total
