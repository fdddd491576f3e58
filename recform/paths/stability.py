"""For which gains g signal and gradient stay bounded, at every depth: exactly, as intervals.

Every block multiplies by g. The derivatives of the output with respect to all kept values are
combinations of n^k lambda^n, lambda a root of chi(x, g) and k below its multiplicity, so they stay
bounded iff chi is simple von Neumann (`unit_disc`). That can change only where a root crosses the
circle, two roots on it meet, or a part of chi drops out. For the irreducible factors f of chi over
Q[g], with f* = x^n f(1/x), these are among the real zeros of

    resultant(f, f*)    f not self-reciprocal: a root on the circle is one of f and of f*
    discriminant(f)     f self-reciprocal: roots stay on the circle until they meet
    resultant(f, h)     f and h self-reciprocal
    drop                the minimal polynomial is a divisor of chi

Between two neighbours one rational gain speaks for all; the critical gains are tried themselves,
each in the field that it generates.

>>> from recform.formula import parse
>>> [gains] = bounded_gains(parse("x[l+1] = x[l] + F(x[l])"))
>>> print(gains)
-2 <= g <= 0
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

from flint import Ordering, fmpq_mpoly_ctx, fmpq_poly

from recform.errors import UserError
from recform.formula import Formula
from recform.paths.affine import NotSteadyError
from recform.paths.algebraic import BITS, MAX_BITS, Root, roots_of
from recform.paths.characteristic import Characteristic, characteristic, minimal_polynomial
from recform.paths.first_order import FirstOrder, first_order
from recform.paths.number_field import Field
from recform.paths.polynomials import ABSENT, NET, ONE
from recform.paths.settle import settle
from recform.paths.transient import transient
from recform.paths.unit_disc import is_simple_von_neumann

# Degree of the number fields in which critical gains are tried.
MAX_DEGREE = 16

RING: Any = fmpq_mpoly_ctx.get(("x", "g"), Ordering.lex)


@dataclass(frozen=True)
class Interval:
    """Gains from `low` to `high`, None for no bound; whether the ends belong to it."""

    low: Root | None
    high: Root | None
    has_low: bool
    has_high: bool

    def __str__(self) -> str:
        """`-2 <= g < sqrt(2)`, `g = 0` or `every g`; numbers as sympy reads them."""
        low, high = (end and end.to_text() for end in (self.low, self.high))
        if low is not None and low == high:
            return f"g = {low}"
        left = f"{low} {'<=' if self.has_low else '<'} " if low is not None else ""
        right = f" {'<=' if self.has_high else '<'} {high}" if high is not None else ""
        return f"{left}g{right}" if left or right else "every g"


def is_bounded(formula: Formula, gain: Fraction) -> bool:
    """Whether signal and gradient stay bounded when every block multiplies by `gain`.

    Signal and gradient are the derivatives of the output at depth L with respect to x[l], to every
    other kept value, and to what a block adds, for all l <= L.

    Raises UserError `no-recurrence`.
    """
    field = Field.rational(Fraction(gain))
    return is_simple_von_neumann(minimal_polynomial(_first_order(formula), field), field)


def bounded_gains(formula: Formula) -> tuple[Interval, ...]:
    """All real gains at which signal and gradient stay bounded, from the lowest to the highest.

    Raises UserError `no-recurrence`, and `too-large` where the ends would be decided in number
    fields of high degree, which takes minutes.
    """
    form = _first_order(formula)
    found = characteristic(form)
    critical = _in_order(_critical(found))
    degree = max((root.minimal.degree() for root in critical), default=0)
    if degree > MAX_DEGREE:
        raise UserError("too-large", "the gains at which boundedness changes are roots of degree "
                        f"{degree}", "decide single gains: is_bounded(formula, gain)")  # fmt: skip
    at_critical = [_holds_at(root, form, found) for root in critical]
    between = [_holds_between(sample, found) for sample in _samples(critical)]
    return tuple(_intervals(critical, at_critical, between))


def _first_order(formula: Formula) -> FirstOrder:
    try:
        recurrence = settle(formula)
        # Whether it holds after all is seen on the first values.
        transient(recurrence, 0, NET, ONE, ABSENT)
        return first_order(recurrence)
    except NotSteadyError as error:
        raise error.for_user() from error


def _critical(found: Characteristic) -> list[Root]:
    """The real gains at which boundedness may change, among others."""
    conditions = [found.drop]
    mirrored = []
    for factor in _factors(found.coefficients):
        reversed_ = _reversed(factor)
        if reversed_ in (factor, -factor):
            mirrored.append(factor)
            if factor.degrees()[0] > 1:
                conditions.append(_in_gain(factor.discriminant("x")))
        else:
            conditions.append(_in_gain(factor.resultant(reversed_, "x")))
    conditions += [_in_gain(f.resultant(h, "x")) for f, h in combinations(mirrored, 2)]
    product = fmpq_poly([1])
    for condition in conditions:
        assert condition != 0, "different irreducible factors have a common root at single gains"
        product *= condition
    return [root for root in roots_of(product.numer()) if root.is_real]


def _factors(coefficients: Sequence[fmpq_poly]) -> list[Any]:
    """The irreducible factors of chi over the rationals, x apart."""
    terms = {
        (power, degree): c
        for power, coefficient in enumerate(coefficients)
        for degree, c in enumerate(coefficient.coeffs())
        if c
    }
    x = RING.gens()[0]
    return [factor for factor, _ in RING.from_dict(terms).factor()[1] if factor != x]


def _reversed(factor: Any) -> Any:
    """x^n f(1/x)."""
    degree = factor.degrees()[0]
    return RING.from_dict({(degree - int(k), j): c for (k, j), c in factor.to_dict().items()})


def _in_gain(polynomial: Any) -> fmpq_poly:
    """A polynomial of the ring that is free of x."""
    terms = {int(j): c for (_, j), c in polynomial.to_dict().items()}
    return fmpq_poly([terms.get(j, 0) for j in range(max(terms, default=-1) + 1)])


def _in_order(roots: Sequence[Root]) -> list[Root]:
    """Different real numbers from the smallest to the largest."""
    bits = _precision_apart(roots)
    return sorted(roots, key=lambda root: root.enclosure(bits).real.mid().fmpq())


def _precision_apart(roots: Sequence[Root]) -> int:
    """Bits at which no two enclosures touch."""
    bits = BITS[0]
    while bits <= MAX_BITS:
        balls = sorted((root.enclosure(bits).real for root in roots), key=lambda b: b.mid().fmpq())
        if not any(a.overlaps(b) for a, b in pairwise(balls)):
            return bits
        bits *= 2
    raise AssertionError("enclosures of different roots come apart at some precision")


def _samples(critical: Sequence[Root]) -> list[Fraction]:
    """A rational gain below, between and above the critical ones."""
    if not critical:
        return [Fraction(0)]
    bits = _precision_apart(critical)
    balls = [root.enclosure(bits).real for root in critical]
    ends = [(_fraction(ball.lower()), _fraction(ball.upper())) for ball in balls]
    inner = [(high + low) / 2 for (_, high), (low, _) in pairwise(ends)]
    return [ends[0][0] - 1, *inner, ends[-1][1] + 1]


def _fraction(ball: Any) -> Fraction:
    exact = ball.fmpq()
    return Fraction(int(exact.p), int(exact.q))


def _holds_between(sample: Fraction, found: Characteristic) -> bool:
    """At a rational gain that is not critical, chi is the minimal polynomial."""
    field = Field.rational(sample)
    return is_simple_von_neumann([field.reduce(c) for c in found.coefficients], field)


def _holds_at(root: Root, form: FirstOrder, found: Characteristic) -> bool:
    field = Field(root)
    if is_simple_von_neumann([field.reduce(c) for c in found.coefficients], field):
        return True
    if field.reduce(found.drop) != 0:
        return False
    return is_simple_von_neumann(minimal_polynomial(form, field), field)


def _intervals(
    critical: Sequence[Root], at_critical: Sequence[bool], between: Sequence[bool]
) -> Iterator[Interval]:
    """Neighbouring pieces on which boundedness holds, joined."""
    low, has_low, inside = None, False, between[0]
    for root, here, after in zip(critical, at_critical, between[1:], strict=True):
        if inside and not (here and after):
            yield Interval(low, root, has_low, here)
        elif here and not inside and not after:
            yield Interval(root, root, True, True)
        if after and not (inside and here):
            low, has_low = root, here
        inside = after
    if inside:
        yield Interval(low, None, has_low, False)
