"""One row of a generating function: the path polynomial at depth n, without those before it.

[z^n] N(z)/D(z) by the algorithm of Bostan and Mori (2021): multiply numerator and denominator by
D(-z), so that the denominator is even; keep the half of the numerator that n's parity asks for;
halve n. The work is that of a few multiplications as large as the answer. Denominators of
coefficients are cleared first by z -> z/q, so that all is done in FLINT's `fmpz_poly`. With one
term in the denominator the row is a power, which FLINT raises by its own best method.

>>> from recform.formula import parse
>>> from recform.paths.generating import NET_READING, generating_function
>>> from recform.paths.settle import settle
>>> row(generating_function(settle(parse("x[l+1] = x[l] + 1/2*F(x[l])")), NET_READING), 3)
1/8*x^3 + 3/4*x^2 + 3/2*x + 1
"""

from __future__ import annotations

from collections.abc import Sequence
from math import lcm

from flint import fmpq_poly, fmpz, fmpz_poly

from recform.paths.generating import GeneratingFunction

_NOTHING = fmpz_poly([])


def row(function: GeneratingFunction, depth: int) -> fmpq_poly:
    """P_n for n = depth, exact."""
    parts = (*function.numerator, *function.denominator)
    scale = fmpz(lcm(*(int(part.denom()) for part in parts)))
    numerator = [_whole(part * scale ** (k + 1)) for k, part in enumerate(function.numerator)]
    denominator = [_whole(part * scale**k) for k, part in enumerate(function.denominator)]
    if len(denominator) == 2:
        found = _power(numerator, -denominator[1], depth)
    else:
        found = _coefficient(numerator, denominator, depth)
    return fmpq_poly(found) / scale ** (depth + 1)


def _whole(polynomial: fmpq_poly) -> fmpz_poly:
    assert polynomial.denom() == 1, "the scale clears every denominator"
    return polynomial.numer()


def _power(numerator: Sequence[fmpz_poly], base: fmpz_poly, depth: int) -> fmpz_poly:
    """[z^n] N(z) / (1 - base z): N_0 base^n + N_1 base^(n-1) + ..."""
    used = numerator[: depth + 1]
    total = _NOTHING
    for part in used:
        total = total * base + part
    return total * base ** (depth + 1 - len(used)) if used else _NOTHING


def _coefficient(
    numerator: Sequence[fmpz_poly], denominator: Sequence[fmpz_poly], depth: int
) -> fmpz_poly:
    """[z^n] N(z) / D(z) for D(0) = 1."""
    while depth > 0:
        mirrored = [-part if k % 2 else part for k, part in enumerate(denominator)]
        numerator = _product(numerator, mirrored, depth % 2, depth)
        denominator = _product(denominator, mirrored, 0, depth)
        depth //= 2
    return numerator[0] if numerator else _NOTHING


def _product(
    left: Sequence[fmpz_poly], right: Sequence[fmpz_poly], parity: int, depth: int
) -> list[fmpz_poly]:
    """Every second power of the product, up to z^depth."""
    highest = min(len(left) + len(right) - 2, depth)
    return [_convolved(left, right, power) for power in range(parity, highest + 1, 2)]


def _convolved(left: Sequence[fmpz_poly], right: Sequence[fmpz_poly], power: int) -> fmpz_poly:
    total = _NOTHING
    for k in range(max(0, power - len(right) + 1), min(power, len(left) - 1) + 1):
        total += left[k] * right[power - k]
    return total
