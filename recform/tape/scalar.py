"""Coefficients, depths and conditions: exact numbers that are known once l and L are.

Whole numbers are ints, as nearly all are, and others Fractions: an int costs a tenth of a Fraction.
What has a root in it that does not come out is an Irrational, exact as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from recform.errors import Diagnostic, FormulaError, Source
from recform.formula.ast import (
    Binary,
    Case,
    Compare,
    Expression,
    Item,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Reduce,
    Sum,
)
from recform.formula.library import RELATIONS
from recform.formula.show import number_to_text
from recform.tape.radicals import Exact, Irrational, root

MAX_BITS = 100_000
MAX_RANGE = 1_000_000
MAX_INDEX = 10**9
MAX_ROOT = 64
MAX_ROOT_POWER = 64

Names = Mapping[str, int]


class Scope(NamedTuple):
    """What an expression may refer to: names of depths, and the largest block index.

    `component` says which of several streams is meant, or which entry of a matrix.
    """

    names: dict[str, int]
    cap: int
    component: tuple[int, ...] = ()

    def with_index(self, variable: str, index: int) -> Scope:
        return Scope({**self.names, variable: index}, self.cap, self.component)

    def at(self, *component: int) -> Scope:
        return Scope(self.names, self.cap, component)


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
        """One step less to take. Raises TooManySteps where none is left."""
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
        case Map(argument=argument):
            base = number(argument, names, budget)
            return _root(expression, base, Fraction(1, 2), names, budget)
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
            return all(RELATIONS[sign](left, right) for sign, left, right in pairs)
    raise AssertionError(f"check lets no {type(expression).__name__} pass as a condition")


def whole(expression: Expression, names: Names, budget: Budget) -> int:
    """A depth or the end of a range.

    Raises FormulaError `fractional-index` where it is no whole number, `too-deep` where it is too
    large, and as `number` does.
    """
    value = number(expression, names, budget)
    if abs(value) > MAX_INDEX:
        raise _error("too-deep", f"this depth is beyond {MAX_INDEX:,}", expression,
                     "lower the exponent or the factor", names, budget)  # fmt: skip
    if not isinstance(value, int):
        shown = value if isinstance(value, Irrational) else number_to_text(value)
        message = f"the depth {shown} is not a whole number"
        hint = "write a whole number; (l - l % 2)/2 is half of l, rounded down"
        raise _error("fractional-index", message, expression, hint, names, budget)
    return value


def each_index(item: Item, names: Names, budget: Budget) -> range:
    """The indices of a closed range; both ends are included, and b < a is empty.

    Raises FormulaError `too-deep` for more than a million, and as `whole` does.
    """
    each = item.each
    assert each is not None, "only items with a range have indices"
    assert each.last is not None, "only closed ranges have an end"
    first, last = whole(each.first, names, budget), whole(each.last, names, budget)
    if last - first > MAX_RANGE:
        raise _error("too-deep", f"this range has {last - first + 1:,} indices", each.last,
                     f"ranges have at most {MAX_RANGE:,}", names, budget)  # fmt: skip
    return range(first, last + 1)


def division_by_zero(divisor: Expression, names: Names, budget: Budget) -> FormulaError:
    """The error of a divisor that is zero at this depth."""
    return _error("division-by-zero", "this divisor is zero", divisor, "write a divisor that is "
                  "never zero, for example l+1 instead of l", names, budget)  # fmt: skip


def _exact(value: Exact) -> Exact:
    if isinstance(value, Irrational):
        return value
    return value.numerator if value.denominator == 1 else value


def _binary(expression: Binary, names: Names, budget: Budget) -> Exact:
    sign = expression.operator
    left, right = number(expression.left, names, budget), number(expression.right, names, budget)
    if sign in "/%" and right == 0:
        raise division_by_zero(expression.right, names, budget)
    match sign:
        case "^":
            return _power(expression, left, right, names, budget)
        case "*":
            return _exact(left * right)
        case "/":
            return _exact(left * inverse(right, expression.right, names, budget))
    if isinstance(left, Irrational) or isinstance(right, Irrational):
        raise _error("irrational", "a remainder of an irrational number", expression,
                     "take remainders of depths: l % 2", names, budget)  # fmt: skip
    return _exact(left % right)


def inverse(divisor: Exact, expression: Expression, names: Names, budget: Budget) -> Exact:
    """1 divided by a number that is not zero.

    Raises FormulaError `irrational` where the number has more roots than one.
    """
    if not isinstance(divisor, Irrational):
        # `/` would make a float of two ints
        return _exact(Fraction(1, divisor))
    try:
        return divisor.inverse()
    except ValueError as error:
        raise _error("irrational", str(error), expression, "divide by one root: x[l]/sqrt(2), or "
                     "write a rational number near it", names, budget) from None  # fmt: skip


def _power(expression: Binary, base: Exact, exponent: Exact, names: Names, budget: Budget) -> Exact:
    if isinstance(exponent, Irrational):
        raise _error("irrational", f"the exponent {exponent} is irrational", expression.right,
                     "write a rational exponent, such as 1/2", names, budget)  # fmt: skip
    if base == 0 and exponent < 0:
        raise _error("division-by-zero", "this is a negative power of zero", expression,
                     "write a base that is never zero, for example (l+1)^(-1)", names,
                     budget)  # fmt: skip
    if isinstance(exponent, Fraction):
        return _root(expression, base, exponent, names, budget)
    if isinstance(base, Irrational):
        return _power_of_root(expression, base, exponent, names, budget)
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(base) not in (0, 1) and abs(exponent) * bits > MAX_BITS:
        raise _error("too-deep", f"this number has more than {MAX_BITS:,} bits", expression,
                     "lower the exponent or the depth", names, budget)  # fmt: skip
    return _exact(Fraction(base) ** exponent) if exponent < 0 else base**exponent


def _root(
    expression: Expression, base: Exact, power: Fraction, names: Names, budget: Budget
) -> Exact:
    if base == 0:
        return 0
    if isinstance(base, Irrational):
        raise _error("irrational", "this is a root of a sum with roots, or of a root", expression,
                     "write one power: 2^(1/4) instead of sqrt(sqrt(2))", names,
                     budget)  # fmt: skip
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if power.denominator > MAX_ROOT or abs(power) * bits > MAX_BITS:
        raise _error("irrational", f"the exponent {number_to_text(power)} is too large", expression,
                     f"roots are read up to the {MAX_ROOT}th", names, budget)  # fmt: skip
    try:
        return root(base, power)
    except ValueError as error:
        raise _error("irrational", str(error), expression, "write a positive number under the root,"
                     " or a rational number near it", names, budget) from None  # fmt: skip


def _power_of_root(
    expression: Binary, base: Irrational, exponent: int, names: Names, budget: Budget
) -> Exact:
    if abs(exponent) > MAX_ROOT_POWER:
        raise _error("too-deep", f"a root is raised to the power {exponent}", expression,
                     f"write one power: 2^(l/2); others are read up to {MAX_ROOT_POWER}", names,
                     budget)  # fmt: skip
    factor = base if exponent > 0 else inverse(base, expression.left, names, budget)
    product: Exact = 1
    for _ in range(abs(exponent)):
        product = _exact(product * factor)
    return product


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
    total: Exact = sum(values)
    return _exact(total * Fraction(1, len(values)) if function == "mean" else total)


def _error(
    code: str, message: str, expression: Expression, hint: str, names: Names, budget: Budget
) -> FormulaError:
    depth = f", at l = {names['l']}" if "l" in names else ""
    return FormulaError([Diagnostic(code, message + depth, expression.span, hint)], budget.source)
