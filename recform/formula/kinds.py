"""Values, coefficients, numbers and conditions: what an expression is.

States and blocks give values of the network; depths and coefficients are numbers, known once l and
L are, or learned; cases and filters choose by conditions. What must stand where is in `operands`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Expression,
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
    walk,
)
from recform.formula.library import ACTIVATIONS, COMBINING, DROP, ONE_HOT, ROOT, STOP, WEIGHTED

if TYPE_CHECKING:
    from recform.formula.formula import Formula

Kind = Literal["value", "learned", "number", "condition"]


def kind(expression: Expression) -> Kind:
    """What an expression is: a value of the network, a coefficient, a number, or a condition."""
    match expression:
        case Number() | Name():
            return "number"
        case Learned():
            return "learned"
        case Map(function=function) if function in (ROOT, ONE_HOT):
            return "number"
        case Map(function=function, argument=argument) if function in ACTIVATIONS:
            return "learned" if kind(argument) == "learned" else "value"
        case Read() | Apply() | Map():
            return "value"
        case Reduce(function=function) if function in COMBINING:
            return "value"
        case Compare() | Logic() | Not():
            return "condition"
        case Reduce(items=items):
            return _joint(kind(item.value) for item in items)
        case Sum(terms=terms):
            return _joint(kind(value) for _, value in terms)
        case Negate(operand=operand):
            return kind(operand)
        case Binary(left=left, right=right):
            return _joint((kind(left), kind(right)))
        case Case(value=value, otherwise=otherwise):
            return _joint((kind(value), kind(otherwise)))


def _joint(kinds: Iterable[Kind]) -> Kind:
    present = set(kinds)
    return "value" if "value" in present else "learned" if "learned" in present else "number"


def is_linear(formula: Formula) -> bool:
    """Whether blocks and plain maps are all that is not linear in the formula.

    Nothing is multiplied but by numbers, and no function makes one value of several.
    """
    if formula.params or formula.streams or formula.is_split:
        return False
    return not any(_is_bent(inner) for top in formula.expressions for inner in walk(top))


def _is_bent(expression: Expression) -> bool:
    match expression:
        case Map(function=function):
            return function in (*WEIGHTED, STOP, DROP)
        case Reduce(function=function):
            return function in COMBINING
        case Binary():
            return is_product(expression) and "number" not in (
                kind(expression.left), kind(expression.right)
            )  # fmt: skip
    return False


def is_product(expression: Binary) -> bool:
    """Whether it is a value times a value, a coefficient or a number."""
    return expression.operator == "*" and kind(expression) == "value"
