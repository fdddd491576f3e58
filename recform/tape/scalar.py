"""Coefficients, depths and conditions: exact numbers that are known once l and L are."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from fractions import Fraction

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

MAX_BITS = 100_000
MAX_RANGE = 1_000_000

_RELATIONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}

Names = Mapping[str, Fraction]


def number(expression: Expression, names: Names, source: Source | None) -> Fraction:
    """The exact value of a coefficient or depth.

    Raises FormulaError `division-by-zero`, `irrational` or `too-deep` (a number too large).
    """
    match expression:
        case Number(value=value):
            return value
        case Name(name=name):
            return names[name]
        case Negate(operand=operand):
            return -number(operand, names, source)
        case Sum(terms=terms):
            return sum((sign * number(term, names, source) for sign, term in terms), Fraction(0))
        case Case(value=value, condition=test, otherwise=otherwise):
            return number(value if condition(test, names, source) else otherwise, names, source)
        case Reduce(function=function, items=items):
            return _reduce(expression, function, items, names, source)
        case Binary():
            return _binary(expression, names, source)
    raise AssertionError(f"check lets no {type(expression).__name__} pass as a number")


def condition(expression: Expression, names: Names, source: Source | None) -> bool:
    """Whether a comparison of depths holds."""
    match expression:
        case Not(operand=operand):
            return not condition(operand, names, source)
        case Logic(operator="and", operands=operands):
            return all(condition(operand, names, source) for operand in operands)
        case Logic(operands=operands):
            return any(condition(operand, names, source) for operand in operands)
        case Compare(operators=operators, operands=operands):
            values = [number(operand, names, source) for operand in operands]
            pairs = zip(operators, values, values[1:], strict=False)
            return all(_RELATIONS[sign](left, right) for sign, left, right in pairs)
    raise AssertionError(f"check lets no {type(expression).__name__} pass as a condition")


def whole(expression: Expression, names: Names, source: Source | None) -> int:
    """A depth or the end of a range: `fractional-index` if it is no whole number."""
    value = number(expression, names, source)
    if value.denominator != 1:
        raise _error("fractional-index", f"the depth {value} is not a whole number", expression,
                     "write a whole number; (l - l % 2)/2 is half of l, rounded down", names,
                     source)  # fmt: skip
    return int(value)


def each_index(item: Item, names: Names, source: Source | None) -> range:
    """The indices of a closed range; both ends are included, and b < a is empty."""
    each = item.each
    assert each is not None, "only items with a range have indices"
    assert each.last is not None, "only closed ranges have an end"
    first, last = whole(each.first, names, source), whole(each.last, names, source)
    if last - first > MAX_RANGE:
        raise _error("too-deep", f"this range has {last - first + 1:,} indices", each.last,
                     f"ranges have at most {MAX_RANGE:,}", names, source)  # fmt: skip
    return range(first, last + 1)


def division_by_zero(divisor: Expression, names: Names, source: Source | None) -> FormulaError:
    return _error("division-by-zero", "this divisor is zero", divisor, "write a divisor that is "
                  "never zero, for example l+1 instead of l", names, source)  # fmt: skip


def _binary(expression: Binary, names: Names, source: Source | None) -> Fraction:
    sign = expression.operator
    left, right = number(expression.left, names, source), number(expression.right, names, source)
    if sign in "/%" and right == 0:
        raise division_by_zero(expression.right, names, source)
    if sign == "^":
        return _power(expression, left, right, names, source)
    operations: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
        "*": operator.mul,
        "/": operator.truediv,
        "%": operator.mod,
    }
    return operations[sign](left, right)


def _power(
    expression: Binary, base: Fraction, exponent: Fraction, names: Names, source: Source | None
) -> Fraction:
    if exponent.denominator != 1:
        raise _error("irrational", f"the exponent {exponent} is not a whole number",
                     expression.right, "roots are not read by this version of recform; write a "
                     "rational number near it", names, source)  # fmt: skip
    if base == 0 and exponent < 0:
        raise _error("division-by-zero", "this is a negative power of zero", expression,
                     "write a base that is never zero, for example (l+1)^(-1)", names,
                     source)  # fmt: skip
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(base) not in (0, 1) and abs(exponent) * bits > MAX_BITS:
        raise _error("too-deep", f"this number has more than {MAX_BITS:,} bits", expression,
                     "lower the exponent or the depth", names, source)  # fmt: skip
    return base ** int(exponent)


def _reduce(
    expression: Reduce, function: str, items: tuple[Item, ...], names: Names, source: Source | None
) -> Fraction:
    values: list[Fraction] = []
    for item in items:
        if item.each is None:
            values.append(number(item.value, names, source))
            continue
        if item.each.last is None:
            raise _error("endless-range", "an open range of numbers never ends", expression,
                         "give the range its end: 0..l", names, source)  # fmt: skip
        for index in each_index(item, names, source):
            inner = {**names, item.each.variable: Fraction(index)}
            if item.each.condition is None or condition(item.each.condition, inner, source):
                values.append(number(item.value, inner, source))
    if function == "mean" and not values:
        raise _error("division-by-zero", "this is a mean of nothing", expression,
                     "give the range at least one index", names, source)  # fmt: skip
    return sum(values, Fraction(0)) / (len(values) if function == "mean" else 1)


def _error(
    code: str, message: str, expression: Expression, hint: str, names: Names, source: Source | None
) -> FormulaError:
    depth = f", at l = {names['l']}" if "l" in names else ""
    return FormulaError([Diagnostic(code, message + depth, expression.span, hint)], source)
