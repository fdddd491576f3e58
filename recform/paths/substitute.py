"""Expressions moved to another depth: names of depths replaced by what they stand for.

>>> from recform.formula import parse
>>> from recform.formula.show import expression_to_text
>>> from recform.paths.affine import DEPTH
>>> right = parse("x[l+1] = F(x[l-1])").equations[0].right
>>> expression_to_text(substitute(right, {"l": DEPTH - 1}))
'F(x[(l+-1)-1])'
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Each,
    Expression,
    Item,
    Learned,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Read,
    Reduce,
    Sum,
)
from recform.paths.affine import Affine, Names

LAYER = Name("l")


def substitute(expression: Expression, names: Names, depth: Expression = LAYER) -> Expression:
    """The expression with each name replaced by its affine number, n being called `depth`."""

    def inner(part: Expression) -> Expression:
        return substitute(part, names, depth)

    match expression:
        case Name(name=name):
            return number_of(names[name], depth) if name in names else expression
        case Read(index=index):
            return replace(expression, index=inner(index))
        case Apply(index=index, argument=argument):
            written = None if index is None else inner(index)
            return replace(expression, index=written, argument=inner(argument))
        case Learned(indices=indices):
            return replace(expression, indices=tuple(inner(index) for index in indices))
        case Map(argument=argument, number=number):
            second = None if number is None else inner(number)
            return replace(expression, argument=inner(argument), number=second)
        case Reduce(items=items):
            return replace(expression, items=tuple(_item(i, names, depth) for i in items))
        case Sum(terms=terms):
            return replace(expression, terms=tuple((sign, inner(e)) for sign, e in terms))
        case Negate(operand=operand) | Not(operand=operand):
            return replace(expression, operand=inner(operand))
        case Binary(left=left, right=right):
            return replace(expression, left=inner(left), right=inner(right))
        case Compare(operands=operands) | Logic(operands=operands):
            return replace(expression, operands=tuple(inner(e) for e in operands))
        case Case(value=value, condition=condition, otherwise=otherwise):
            return replace(expression, value=inner(value), condition=inner(condition),
                           otherwise=inner(otherwise))  # fmt: skip
        case Number():
            return expression


def _item(item: Item, names: Names, depth: Expression) -> Item:
    if item.each is None:
        return Item(substitute(item.value, names, depth))
    each = item.each
    within = {name: at for name, at in names.items() if name != each.variable}
    return Item(
        substitute(item.value, within, depth),
        Each(
            each.variable,
            substitute(each.first, names, depth),
            None if each.last is None else substitute(each.last, names, depth),
            None if each.condition is None else substitute(each.condition, within, depth),
        ),
    )


def number_of(number: Affine | int | Fraction, depth: Expression = LAYER) -> Expression:
    """An affine number as an expression, n being called `depth`."""
    if not isinstance(number, Affine):
        return Number(Fraction(number))
    if number.is_constant:
        return Number(number.offset)
    times = depth if number.slope == 1 else Binary("*", Number(number.slope), depth)
    if number.offset == 0:
        return times
    return Sum(((1, times), (1, Number(number.offset))))
