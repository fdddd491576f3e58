"""Coefficients, depths and conditions: exact numbers that are known once l and L are.

Whole numbers are ints, as nearly all are, and others Fractions: an int costs a tenth of a Fraction.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from recform.errors import Diagnostic, FormulaError, Source
from recform.formula.ast import (
    Binary,
    Case,
    Compare,
    Expression,
    Item,
    Logic,
    Name,
    Negate,
    Not,
    Number,
    Reduce,
    Sum,
)
from recform.formula.show import number_to_text

MAX_BITS = 100_000
MAX_RANGE = 1_000_000
MAX_INDEX = 10**9

_RELATIONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

# An int wherever the number is whole.
Exact: TypeAlias = int | Fraction

Names = Mapping[str, int]


@dataclass(frozen=True)
class Scope:
    """What an expression may refer to: names of depths, and the largest block index."""

    names: dict[str, int]
    cap: int

    def with_index(self, variable: str, index: int) -> Scope:
        return Scope({**self.names, variable: index}, self.cap)


class TooManySteps(Exception):  # noqa: N818 - a signal within the tape
    """Unrolling takes more steps than its budget holds."""


@dataclass
class Budget:
    """The steps that unrolling may still take, so that no formula keeps it busy for minutes.

    It goes where the text of the formula goes, which errors are shown with.
    """

    source: Source | None
    steps_left: int

    def spend(self) -> None:
        self.steps_left -= 1
        if self.steps_left < 0:
            raise TooManySteps("the formula takes too many steps")


def number(expression: Expression, names: Names, budget: Budget) -> Exact:
    """The exact value of a coefficient or depth.

    Raises FormulaError `division-by-zero`, `irrational` or `too-deep` (a number too large).
    """
    match expression:
        case Number(value=value):
            return _exact(value)
        case Name(name=name):
            return names[name]
        case Negate(operand=operand):
            return -number(operand, names, budget)
        case Sum(terms=terms):
            return _exact(sum(sign * number(term, names, budget) for sign, term in terms))
        case Case(value=value, condition=test, otherwise=otherwise):
            return number(value if condition(test, names, budget) else otherwise, names, budget)
        case Reduce(function=function, items=items):
            return _reduce(expression, function, items, names, budget)
        case Binary():
            return _binary(expression, names, budget)
    raise AssertionError(f"check lets no {type(expression).__name__} pass as a number")


def condition(expression: Expression, names: Names, budget: Budget) -> bool:
    """Whether a comparison of depths holds."""
    match expression:
        case Not(operand=operand):
            return not condition(operand, names, budget)
        case Logic(operator="and", operands=operands):
            return all(condition(operand, names, budget) for operand in operands)
        case Logic(operands=operands):
            return any(condition(operand, names, budget) for operand in operands)
        case Compare(operators=operators, operands=operands):
            values = [number(operand, names, budget) for operand in operands]
            pairs = zip(operators, values, values[1:], strict=False)
            return all(_RELATIONS[sign](left, right) for sign, left, right in pairs)
    raise AssertionError(f"check lets no {type(expression).__name__} pass as a condition")


def whole(expression: Expression, names: Names, budget: Budget) -> int:
    """A depth or the end of a range: `fractional-index` if it is no whole number."""
    value = number(expression, names, budget)
    if abs(value) > MAX_INDEX:
        raise _error("too-deep", f"this depth is beyond {MAX_INDEX:,}", expression,
                     "lower the exponent or the factor", names, budget)  # fmt: skip
    if isinstance(value, Fraction):
        message = f"the depth {number_to_text(value)} is not a whole number"
        hint = "write a whole number; (l - l % 2)/2 is half of l, rounded down"
        raise _error("fractional-index", message, expression, hint, names, budget)
    return value


def each_index(item: Item, names: Names, budget: Budget) -> range:
    """The indices of a closed range; both ends are included, and b < a is empty."""
    each = item.each
    assert each is not None, "only items with a range have indices"
    assert each.last is not None, "only closed ranges have an end"
    first, last = whole(each.first, names, budget), whole(each.last, names, budget)
    if last - first > MAX_RANGE:
        raise _error("too-deep", f"this range has {last - first + 1:,} indices", each.last,
                     f"ranges have at most {MAX_RANGE:,}", names, budget)  # fmt: skip
    return range(first, last + 1)


def division_by_zero(divisor: Expression, names: Names, budget: Budget) -> FormulaError:
    return _error("division-by-zero", "this divisor is zero", divisor, "write a divisor that is "
                  "never zero, for example l+1 instead of l", names, budget)  # fmt: skip


def _exact(value: Exact) -> Exact:
    return value.numerator if value.denominator == 1 else value


def _binary(expression: Binary, names: Names, budget: Budget) -> Exact:
    sign = expression.operator
    left, right = number(expression.left, names, budget), number(expression.right, names, budget)
    if sign in "/%" and right == 0:
        raise division_by_zero(expression.right, names, budget)
    if sign == "^":
        return _power(expression, left, right, names, budget)
    match sign:
        case "*":
            return _exact(left * right)
        case "%":
            return _exact(left % right)
    # `/` would make a float of two ints
    return _exact(Fraction(left, right))


def _power(expression: Binary, base: Exact, exponent: Exact, names: Names, budget: Budget) -> Exact:
    if isinstance(exponent, Fraction):
        raise _error("irrational", f"the exponent {number_to_text(exponent)} is not a whole number",
                     expression.right, "roots are not read by this version of recform; write a "
                     "rational number near it", names, budget)  # fmt: skip
    if base == 0 and exponent < 0:
        raise _error("division-by-zero", "this is a negative power of zero", expression,
                     "write a base that is never zero, for example (l+1)^(-1)", names,
                     budget)  # fmt: skip
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(base) not in (0, 1) and abs(exponent) * bits > MAX_BITS:
        raise _error("too-deep", f"this number has more than {MAX_BITS:,} bits", expression,
                     "lower the exponent or the depth", names, budget)  # fmt: skip
    return _exact(Fraction(base) ** exponent) if exponent < 0 else base**exponent


def _reduce(
    expression: Reduce, function: str, items: tuple[Item, ...], names: Names, budget: Budget
) -> Exact:
    values: list[Exact] = []
    for item in items:
        if item.each is None:
            values.append(number(item.value, names, budget))
            continue
        if item.each.last is None:
            raise _error("endless-range", "an open range of numbers never ends", expression,
                         "give the range its end: 0..l", names, budget)  # fmt: skip
        for index in each_index(item, names, budget):
            budget.spend()
            inner = {**names, item.each.variable: index}
            if item.each.condition is None or condition(item.each.condition, inner, budget):
                values.append(number(item.value, inner, budget))
    if function == "mean" and not values:
        raise _error("division-by-zero", "this is a mean of nothing", expression,
                     "give the range at least one index", names, budget)  # fmt: skip
    return _exact(Fraction(sum(values), len(values)) if function == "mean" else sum(values))


def _error(
    code: str, message: str, expression: Expression, hint: str, names: Names, budget: Budget
) -> FormulaError:
    depth = f", at l = {names['l']}" if "l" in names else ""
    return FormulaError([Diagnostic(code, message + depth, expression.span, hint)], budget.source)
