"""Depths and coefficients as they are once l is large.

Far from the start a number of a formula is affine in the depth, or it is nothing that a recurrence
with constant coefficients can follow: `l - 2` stays `n - 3`, `l < 4` becomes false for good,
`l % 2` is known from the residue of n. An `Affine` is such a number; `Steady` evaluates numbers and
conditions for all n of one residue modulo the period, and keeps the depth from which they hold.

>>> from recform.formula.ast import Number, Name, Sum
>>> steady = Steady(period=2, residue=1)
>>> print(steady.number(Sum(((1, Name("l")), (-1, Number(Fraction(3))))), {"l": DEPTH - 1}))
n - 4
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor, lcm

from recform.errors import UserError
from recform.formula import Formula
from recform.formula.ast import (
    Binary,
    Case,
    Compare,
    Expression,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Sum,
    walk,
)
from recform.formula.library import RELATIONS


class NotSteadyError(Exception):
    """The formula has no recurrence with constant coefficients and finite memory; says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def for_user(self) -> UserError:
        """What a user is told who asked for a closed form."""
        hint = "ask for one depth: recform analyze FORMULA --depth 20"
        return UserError("no-recurrence", f"the formula has no recurrence: {self.reason}", hint)


@dataclass(frozen=True)
class Affine:
    """slope * n + free_slope * m + offset: n is the depth, m a depth that must drop out."""

    slope: Fraction
    offset: Fraction
    free_slope: Fraction = Fraction(0)

    def __add__(self, other: Affine | int) -> Affine:
        if isinstance(other, int):
            return Affine(self.slope, self.offset + other, self.free_slope)
        return Affine(
            self.slope + other.slope,
            self.offset + other.offset,
            self.free_slope + other.free_slope,
        )

    def __sub__(self, other: Affine | int) -> Affine:
        return self + (other * Fraction(-1) if isinstance(other, Affine) else -other)

    def __mul__(self, factor: Fraction) -> Affine:
        return Affine(self.slope * factor, self.offset * factor, self.free_slope * factor)

    @property
    def is_constant(self) -> bool:
        return self.slope == self.free_slope == 0

    def __str__(self) -> str:
        if self.is_constant:
            return str(self.offset)
        sign = "-" if self.offset < 0 else "+"
        return f"{'' if self.slope == 1 else f'{self.slope}*'}n {sign} {abs(self.offset)}"


DEPTH = Affine(Fraction(1), Fraction(0))
# A depth of which only differences to n may be used: l in `sum(x[l-k] for k in 0..l)`.
FREE_DEPTH = Affine(Fraction(0), Fraction(0), Fraction(1))

Names = Mapping[str, Affine]


def constant(value: Fraction | int) -> Affine:
    return Affine(Fraction(0), Fraction(value))


def offset_of(depth: Affine) -> int:
    """c of a depth n + c. Raises NotSteadyError for any other."""
    if depth.free_slope:
        raise NotSteadyError("the terms of a range depend on l, and not by l minus their index")
    if depth.slope != 1 or depth.offset.denominator != 1:
        raise NotSteadyError("a depth does not go back by a fixed number of blocks")
    return int(depth.offset)


def smaller(left: Affine, right: Affine) -> Affine:
    """The smaller of two depths at all large n."""
    if left.is_constant != right.is_constant:
        return left if left.is_constant else right
    return left if left.offset <= right.offset else right


def larger(left: Affine | None, right: Affine | None) -> Affine | None:
    """The larger of two depths at all large n; one that is not known is left out."""
    if left is None or right is None:
        return left or right
    return left if smaller(left, right) == right else right


def moved(depth: Affine | None, place: int) -> Affine | None:
    """A depth so many blocks later."""
    return depth if depth is None or depth.is_constant else depth + place


def period_of(formula: Formula) -> int:
    """A depth after which every `%` of the formula, and every power of -1, repeats."""
    period = 1
    for top in formula.expressions:
        for inner in walk(top):
            match inner:
                case Binary(operator="%", right=Number(value=value)) if value.denominator == 1:
                    period = lcm(period, max(1, abs(int(value))))
                case Binary(operator="^", left=left) if _is_minus_one(left):
                    period = lcm(period, 2)
    return period


def _is_minus_one(expression: Expression) -> bool:
    return expression in (Number(Fraction(-1)), Negate(Number(Fraction(1))))


@dataclass
class Steady:
    """Numbers and conditions for all n = residue modulo period from `settled` on.

    `settled` grows as conditions are met that change for the last time. A free depth may be known
    by its residue, `free_residue`. Raises NotSteadyError for what is not affine, or never settles.
    """

    period: int
    residue: int
    settled: int = 0
    free_residue: int | None = None

    def number(self, expression: Expression, names: Names) -> Affine:
        """A depth or coefficient at all large n of this residue."""
        match expression:
            case Number(value=value):
                return constant(value)
            case Name(name=name):
                if name not in names:
                    raise NotSteadyError(_UNKNOWN.get(name, f"a number depends on {name}"))
                return names[name]
            case Negate(operand=operand):
                return self.number(operand, names) * Fraction(-1)
            case Sum(terms=terms):
                total = constant(0)
                for sign, term in terms:
                    total += self.number(term, names) * Fraction(sign)
                return total
            case Case(value=value, condition=test, otherwise=otherwise):
                return self.number(value if self.condition(test, names) else otherwise, names)
            case Binary():
                return self._binary(expression, names)
            case Map():
                raise NotSteadyError("a coefficient is irrational")
        raise NotSteadyError("a coefficient is a sum over a range")

    def _binary(self, expression: Binary, names: Names) -> Affine:
        left, right = self.number(expression.left, names), self.number(expression.right, names)
        match expression.operator:
            case "*" if left.is_constant:
                return right * left.offset
            case "*" if right.is_constant:
                return left * right.offset
            case "/" if right.is_constant and right.offset:
                return left * (1 / right.offset)
            case "%" if right.is_constant and right.offset:
                return constant(self._residue_of(left, right.offset))
            case "^":
                return constant(self._power(left, right))
        raise NotSteadyError("a coefficient changes with the depth")

    def _residue_of(self, number: Affine, modulus: Fraction) -> Fraction:
        slopes = (number.slope, number.free_slope)
        if any(slope * self.period % modulus for slope in slopes):
            raise NotSteadyError("a remainder does not repeat with the period of the formula")
        if number.free_slope and self.free_residue is None:
            raise NotSteadyError("a remainder depends on two depths")
        free = number.free_slope * (self.free_residue or 0)
        return (number.slope * self.residue + free + number.offset) % modulus

    def _power(self, base: Affine, exponent: Affine) -> Fraction:
        if base.is_constant and exponent.is_constant and exponent.offset.denominator == 1:
            if base.offset == 0 and exponent.offset < 0:
                raise NotSteadyError("a coefficient divides by zero")
            if abs(exponent.offset) <= 1_000:
                return base.offset ** int(exponent.offset)
        if exponent.is_constant and exponent.offset.denominator > 1:
            raise NotSteadyError("a coefficient is irrational")
        if base == constant(-1):
            return Fraction(1 - 2 * (self._residue_of(exponent, Fraction(2)) % 2))
        if base == constant(1):
            return Fraction(1)
        raise NotSteadyError("a coefficient is a power that changes with the depth")

    def condition(self, expression: Expression, names: Names) -> bool:
        """Whether a condition holds for all large n of this residue."""
        match expression:
            case Not(operand=operand):
                return not self.condition(operand, names)
            case Logic(operator=operator, operands=operands):
                truths = [self.condition(operand, names) for operand in operands]
                return all(truths) if operator == "and" else any(truths)
            case Compare(operators=operators, operands=operands):
                values = [self.number(operand, names) for operand in operands]
                pairs = zip(operators, values, values[1:], strict=False)
                return all(self._compare(sign, left - right) for sign, left, right in pairs)
        raise AssertionError(f"check lets no {type(expression).__name__} pass as a condition")

    def _compare(self, sign: str, difference: Affine) -> bool:
        if difference.free_slope:
            raise NotSteadyError("a condition compares two depths that grow together")
        if difference.slope:
            last_change = floor(-difference.offset / difference.slope)
            self.settled = max(self.settled, last_change + 1)
        # From there on the difference has the sign of its slope.
        side = difference.slope or difference.offset
        return RELATIONS[sign](side, 0)


_UNKNOWN = {
    "L": "a coefficient or depth depends on L",
    "l": "a range and its terms both depend on l",
}
