"""Wanted counts at every depth as one fraction: G(z, t) = P_0(t) + P_1(t) z + P_2(t) z^2 + ...

P_n(t) holds the wanted number of paths through k of n blocks as its coefficient of t^k. A formula
of finite memory has a rational G (docs/paths.md), so that is what specifications are turned into.

>>> from recform.design.notation import read
>>> series = PathSeries.of(*fraction_of(read("1/((1 - z)*(1 - t*z))")))
>>> series.to_text(), [str(row) for row in series.rows(3)]
('1/((1 - z)*(1 - t*z))', ['1', 'x + 1', 'x^2 + x + 1'])
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from flint import fmpq, fmpq_poly

from recform.design.notation import Node, refusal
from recform.paths.generating import RING, GeneratingFunction, T, Z

MAX_DEGREE = 200

# {(power of z, power of t): coefficient}
Terms = Mapping[tuple[int, int], Fraction]


class NotAPathSeriesError(Exception):
    """A fraction that no formula has, with the reason."""


@dataclass(frozen=True)
class PathSeries:
    """numerator / denominator in lowest terms, polynomials in z and t; 1 at z = t = 0 below."""

    numerator: Any
    denominator: Any

    @staticmethod
    def of(numerator: Any, denominator: Any) -> PathSeries:
        """Raises NotAPathSeriesError where some row is no polynomial, or row 0 has blocks."""
        common = numerator.gcd(denominator)
        above, below = numerator / common, denominator / common
        start = below.subs({"z": 0})
        if not start.is_constant() or start.is_zero():
            raise NotAPathSeriesError("not every row is a polynomial: the denominator at z = 0 is "
                                      f"{start}, and must be a number other than 0")  # fmt: skip
        if not above.subs({"z": 0}).is_constant():
            raise NotAPathSeriesError("row 0 has paths through blocks, and at depth 0 there is no "
                                      "block")  # fmt: skip
        unit = 1 / start.leading_coefficient()
        return PathSeries(above * unit, below * unit)

    @cached_property
    def above(self) -> Terms:
        return terms_of(self.numerator)

    @cached_property
    def below(self) -> Terms:
        return terms_of(self.denominator)

    @property
    def num_calls(self) -> int:
        """The least number of calls a step: the larger degree in t (see `realise`)."""
        return max((k for _, k in (*self.above, *self.below)), default=0)

    @property
    def is_causal(self) -> bool:
        """Whether no power of t is above that of z: no step goes through two blocks in a row."""
        return all(k <= n for n, k in (*self.above, *self.below))

    @cached_property
    def function(self) -> GeneratingFunction:
        return GeneratingFunction(by_power(self.above), by_power(self.below))

    def to_text(self) -> str:
        return self.function.to_text()

    def rows(self, number: int) -> list[fmpq_poly]:
        """P_0, P_1, ..., as many as asked for."""
        return quotient_rows(self.function.numerator, self.function.denominator, number)


def terms_of(polynomial: Any) -> dict[tuple[int, int], Fraction]:
    return {
        (int(n), int(k)): Fraction(int(c.numer()), int(c.denom()))
        for (n, k), c in sorted(polynomial.to_dict().items())
    }


def polynomial_of(terms: Mapping[tuple[int, int], Fraction | int]) -> Any:
    return RING.from_dict({powers: rational(c) for powers, c in terms.items() if c})


def rational(value: Fraction | int) -> fmpq:
    return fmpq(value.numerator, value.denominator)


def by_power(terms: Terms) -> tuple[fmpq_poly, ...]:
    """Polynomials in t by powers of z."""
    size = 1 + max((n for n, _ in terms), default=-1)
    rows: list[dict[int, Fraction]] = [{} for _ in range(size)]
    for (n, k), coefficient in terms.items():
        rows[n][k] = coefficient
    return tuple(
        fmpq_poly([rational(row.get(k, Fraction(0))) for k in range(max(row, default=-1) + 1)])
        for row in rows
    )


def from_rows(rows: list[fmpq_poly] | tuple[fmpq_poly, ...]) -> Any:
    """The polynomial in z and t with these coefficients of 1, z, z^2, ..."""
    terms = {(n, k): c for n, row in enumerate(rows) for k, c in enumerate(row.coeffs()) if c != 0}
    return RING.from_dict(terms)


def quotient_rows(
    above: tuple[fmpq_poly, ...], below: tuple[fmpq_poly, ...], number: int
) -> list[fmpq_poly]:
    """The first rows of above/below, where below is 1 at z = 0."""
    rows: list[fmpq_poly] = []
    for n in range(number):
        row = above[n] if n < len(above) else fmpq_poly([])
        for delay in range(1, min(n, len(below) - 1) + 1):
            row -= below[delay] * rows[n - delay]
        rows.append(row)
    return rows


def fraction_of(node: Node) -> tuple[Any, Any]:
    """Numerator and denominator of an expression in z and t. Raises FormulaError."""
    one = RING.constant(1)
    match node.operator, node.parts:
        case "number", (value,):
            return RING.constant(rational(value)), one
        case "name", ("z",):
            return Z, one
        case "name", ("t",):
            return T, one
        case "+" | "-", (left, right):
            (a, b), (c, d) = fraction_of(left), fraction_of(right)
            return _small(a * d + (c * b if node.operator == "+" else -c * b), b * d, node)
        case "*", (left, right):
            (a, b), (c, d) = fraction_of(left), fraction_of(right)
            return _small(a * c, b * d, node)
        case "/", (left, right):
            (a, b), (c, d) = fraction_of(left), fraction_of(right)
            if c.is_zero():
                raise refusal("something is divided by zero", node.span, None, "1/(1 - z - t*z)")
            return _small(a * d, b * c, node)
        case "^", (base, Node("number", (power,))) if power.denominator == 1:
            a, b = fraction_of(base)
            if abs(int(power)) * max(1, *_degrees(a), *_degrees(b)) > MAX_DEGREE:
                raise _too_large(node)
            if power < 0 and a.is_zero():
                raise refusal("something is divided by zero", node.span, None, "1/(1 - z - t*z)")
            return (a ** int(power), b ** int(power)) if power >= 0 else (
                b ** int(-power), a ** int(-power))  # fmt: skip
    raise refusal("a generating function is a fraction of polynomials in z and t", node.span, None,
                  "1/(1 - z - t*z), or counts in n and k: binomial(n, k)")  # fmt: skip


def _degrees(polynomial: Any) -> list[int]:
    return [int(degree) for degree in polynomial.degrees()]


def _small(above: Any, below: Any, node: Node) -> tuple[Any, Any]:
    if max((0, *_degrees(above), *_degrees(below))) > MAX_DEGREE:
        raise _too_large(node)
    common = above.gcd(below)
    return above / common, below / common


def _too_large(node: Node) -> Exception:
    return refusal(f"the fraction has a degree above {MAX_DEGREE}", node.span, None,
                   "ask for a formula of less memory")  # fmt: skip
