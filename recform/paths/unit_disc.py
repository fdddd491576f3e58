"""Whether the powers of a matrix stay bounded, from its minimal polynomial.

They do iff that polynomial is *simple von Neumann*: all roots lie in the closed unit disc, and
those on the circle are simple (a double one is a Jordan block). J. J. H. Miller (On the location of
zeros of certain classes of polynomials with applications to numerical analysis, J. Inst. Math.
Appl. 8, 1971, 397-406) decides it by rational operations and signs. With p* = x^n p(1/x) and

    q = (p_n p - p_0 p*) / x,   of degree n - 1,

a real p of degree n is
    Schur (all roots in the open disc)  iff  |p_0| < |p_n| and q is Schur;
    simple von Neumann                  iff  |p_0| < |p_n| and q is simple von Neumann,
                                        or   q = 0 and p' is Schur.

>>> from fractions import Fraction
>>> field = Field.rational(Fraction(0))
>>> [is_simple_von_neumann([fmpq_poly([c]) for c in p], field) for p in ([1, 0, 1], [1, -2, 1])]
[True, False]
"""

from __future__ import annotations

from collections.abc import Sequence

from flint import fmpq_poly

from recform.paths.number_field import Element, Field


def is_simple_von_neumann(polynomial: Sequence[Element], field: Field) -> bool:
    """Whether all roots are in the closed disc, those on the circle simple.

    The coefficients are elements of the field, by rising powers, the last one not zero.
    """
    monic = _monic(polynomial, field)
    while len(monic) > 1:
        gap = _gap(monic, field)
        if gap < 0:
            return False
        if gap == 0:
            # The product of the roots is 1 in modulus: inside the disc only if all are on the
            # circle, and then p* = +p or -p.
            return _is_self_reciprocal(monic, field) and _is_schur(_derivative(monic), field)
        monic = _transformed(monic, field)
    return True


def _is_schur(polynomial: Sequence[Element], field: Field) -> bool:
    monic = _monic(polynomial, field)
    while len(monic) > 1:
        if _gap(monic, field) <= 0:
            return False
        monic = _transformed(monic, field)
    return True


def _gap(monic: Sequence[Element], field: Field) -> int:
    """The sign of |p_n| - |p_0| for p_n = 1."""
    return field.sign(field.reduce(1 - monic[0] * monic[0]))


def _transformed(monic: Sequence[Element], field: Field) -> list[Element]:
    """q, again with leading coefficient 1."""
    first = monic[0]
    pairs = zip(monic[1:], reversed(monic[:-1]), strict=True)
    return _monic([field.reduce(p - first * mirrored) for p, mirrored in pairs], field)


def _is_self_reciprocal(monic: Sequence[Element], field: Field) -> bool:
    first = monic[0]
    pairs = zip(monic, reversed(monic), strict=True)
    return all(field.reduce(p - first * mirrored) == 0 for p, mirrored in pairs)


def _derivative(polynomial: Sequence[Element]) -> list[Element]:
    return [power * coefficient for power, coefficient in enumerate(polynomial)][1:]


def _monic(polynomial: Sequence[Element], field: Field) -> list[Element]:
    unit = field.inverse(polynomial[-1])
    return [field.product(coefficient, unit) for coefficient in polynomial[:-1]] + [fmpq_poly([1])]
