"""Gain: what becomes of signal and gradient when every block multiplies by a number g.

To first order a block is a factor: its slope, the gain. With one factor g for every block a formula
that settles to a recurrence is a linear system, and its path polynomial at t = g is what the signal
is multiplied by in n layers:

    P_n(g) = sum of c * n^k * lambda^n  over the roots lambda of x^d D(1/x, g)

where D(z, t) is the denominator of the generating function. The largest root in modulus says how
fast the signal grows: below 1 it dies out, above 1 it explodes. For ResNet the root is 1 + g, for
ResNet-s the roots are 1 and g.

>>> from recform.formula import parse
>>> resnet = parse("x[l+1] = x[l] + F(x[l])")
>>> growth_curve(resnet, [-2.5, -1, 0.5])
[1.5, 0.0, 1.5]
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isfinite
from typing import Any

from flint import acb, acb_mat, acb_poly, ctx, fmpq, fmpq_poly

from recform.errors import UserError
from recform.formula import Formula
from recform.paths.affine import NotSteadyError
from recform.paths.generating import NET_READING, generating_function
from recform.paths.settle import settle
from recform.paths.stability import Interval as Interval
from recform.paths.stability import bounded_gains as bounded_gains
from recform.paths.stability import is_bounded as is_bounded

BITS = 64
# As an eigenvalue, a root of multiplicity m is known to one m-th of the digits only.
BITS_OF_EIGENVALUES = 320


def growth_rate(formula: Formula, weight: Fraction | complex) -> float:
    """Factor by which the signal grows per layer when every block multiplies by `weight`.

    The upper limit of |P_n(weight)|^(1/n), continued through the single weights at which the
    largest root has no part in the signal. Dimensionless: below 1 the signal dies out, above 1 it
    explodes. For many weights `growth_curve` does what does not depend on the weight once.

    Raises UserError `no-recurrence` where no recurrence with constant coefficients holds.
    """
    return growth_curve(formula, [weight])[0]


def growth_curve(formula: Formula, weights: Sequence[Fraction | complex]) -> list[float]:
    """`growth_rate` at each weight, real or complex."""
    characteristic = _characteristic(formula)
    return [_largest_root(characteristic, weight) for weight in weights]


def _characteristic(formula: Formula) -> list[fmpq_poly]:
    """x^d D(1/x, t), its coefficients by rising powers of x: polynomials in t, the last one 1."""
    try:
        function = generating_function(settle(formula), NET_READING)
    except NotSteadyError as error:
        raise error.for_user() from error
    return list(reversed(function.denominator))


def _largest_root(characteristic: Sequence[fmpq_poly], weight: Fraction | complex) -> float:
    if not (isfinite(weight.real) and isfinite(weight.imag)):
        message = f"a weight must be a finite number, not {weight}"
        raise UserError("bad-argument", message, "give a number such as 0.5")
    if weight.imag == 0:
        return _largest_real(characteristic, Fraction(weight.real))
    return _largest_complex(characteristic, weight)


def _largest_real(characteristic: Sequence[fmpq_poly], weight: Fraction) -> float:
    """From certified enclosures: a float is a rational number, so the polynomial is exact."""
    at = fmpq(weight.numerator, weight.denominator)
    polynomial = fmpq_poly([coefficient(at) for coefficient in characteristic])
    with ctx.workprec(BITS):
        roots: Any = polynomial.complex_roots()
        return max((float(abs(root).mid()) for root, _ in roots), default=0.0)


def _largest_complex(characteristic: Sequence[fmpq_poly], weight: complex) -> float:
    """From the eigenvalues of the companion matrix, at a precision far beyond that of floats."""
    degree = len(characteristic) - 1
    if degree == 0:
        return 0.0
    with ctx.workprec(BITS_OF_EIGENVALUES):
        last = [-acb_poly(part)(acb(weight)) for part in characteristic[:-1]]
        companion = acb_mat(degree, degree)
        for row in range(degree):
            companion[row, degree - 1] = last[row]
            if row:
                companion[row, row - 1] = 1
        eigenvalues: Any = companion.eig(algorithm="approx")
        return max(float(abs(value).mid()) for value in eigenvalues)
