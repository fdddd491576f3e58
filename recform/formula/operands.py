"""What must stand where: values, numbers or conditions, each checked for all that is inside.

A depth is a number, a term of an equation a value, a filter a condition; what is named must be
there (`known_names`). Every mistake is told, not only the first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from recform.errors import Diagnostic
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
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
from recform.formula.kinds import Kind, is_product, kind
from recform.formula.known_names import (
    check_block,
    check_learned_name,
    check_name,
    check_state,
    unknown_function,
)
from recform.formula.library import ACTIVATIONS, MAPS, ONE_HOT, ROOT
from recform.formula.reserved import KEYWORDS

if TYPE_CHECKING:
    from recform.formula.formula import Formula


def check_value(expression: Expression, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
    """An expression that must be a value of the network."""
    yield from _check_any(expression, formula, names)
    yield from _number_for_value(expression)


def _number_for_value(expression: Expression) -> Iterator[Diagnostic]:
    match expression:
        case Case(value=value, otherwise=otherwise):
            yield from _number_for_value(value)
            yield from _number_for_value(otherwise)
            return
    if kind(expression) == "condition":
        yield Diagnostic("bare-number", "a condition stands where a value is needed",
                         expression.span, "write A if ... else B")  # fmt: skip
    elif kind(expression) == "number" and not _is_zero(expression):
        yield Diagnostic("bare-number", "a number stands where a value of the network is needed",
                         expression.span, "multiply it with a value: 2*x[l]")  # fmt: skip
    elif kind(expression) == "learned":
        yield Diagnostic("bare-number", "a coefficient stands where a value of the network is "
                         "needed", expression.span, "multiply it with a value: a[l]*x[l]"
                         )  # fmt: skip


def _is_zero(expression: Expression) -> bool:
    return isinstance(expression, Number) and expression.value == 0


def check_number(
    expression: Expression, formula: Formula, names: set[str], what: str
) -> Iterator[Diagnostic]:
    """What is wrong with an expression where a number must stand; `what` names it in messages."""
    yield from _check_any(expression, formula, names)
    if kind(expression) != "number":
        yield Diagnostic("value-in-index", f"{what} is not a number", expression.span,
                         "write it with l, L, the index of a range, and numbers")  # fmt: skip


def _check_condition(
    expression: Expression, formula: Formula, names: set[str]
) -> Iterator[Diagnostic]:
    match expression:
        case Logic(operands=operands):
            for operand in operands:
                yield from _check_condition(operand, formula, names)
        case Not(operand=operand):
            yield from _check_condition(operand, formula, names)
        case Compare(operands=operands):
            for operand in operands:
                yield from check_number(operand, formula, names, "what is compared")
        case _:
            yield from _check_any(expression, formula, names)
            yield Diagnostic("value-in-index", "a condition compares depths", expression.span,
                             "write it like l % 2 == 0, or l < L/2")  # fmt: skip


def _check_any(expression: Expression, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
    """Names and arguments everywhere inside, each by what must stand there."""
    match expression:
        case Number():
            return
        case Name():
            yield from check_name(expression, formula, names)
        case Read():
            wrong = list(check_state(expression, formula))
            yield from wrong
            if not any(mistake.code == "syntax" for mistake in wrong):
                yield from check_number(expression.index, formula, names, "the depth of a state")
        case Learned():
            yield from _check_learned(expression, formula, names)
        case Apply(block=block, index=index, argument=argument):
            yield from check_block(block, expression.span, formula)
            if index is not None:
                yield from check_number(index, formula, names, "the index of a block")
            yield from check_value(argument, formula, names)
        case Map():
            yield from _check_map(expression, formula, names)
        case Reduce(items=items):
            wanted = kind(expression)
            for item in items:
                yield from _check_item(item, formula, names, wanted)
        case Sum():
            yield from _check_sum(expression, formula, names, numbers=False)
        case Negate(operand=operand):
            yield from _check_any(operand, formula, names)
            if kind(operand) == "condition":
                yield from _condition_as_number(operand)
        case Binary():
            for side in (expression.left, expression.right):
                if isinstance(side, Sum) and is_product(expression):
                    # a factor: 1 - T(x[l])
                    yield from _check_sum(side, formula, names, numbers=True)
                else:
                    yield from _check_any(side, formula, names)
            yield from _check_binary(expression)
        case Case(value=value, condition=condition, otherwise=otherwise):
            yield from _check_any(value, formula, names)
            yield from _check_condition(condition, formula, names)
            yield from _check_any(otherwise, formula, names)
        case Compare() | Logic() | Not():
            yield from _check_condition(expression, formula, names)


def _check_sum(
    total: Sum, formula: Formula, names: set[str], numbers: bool
) -> Iterator[Diagnostic]:
    """A sum; `numbers` may stand beside values where it is a factor."""
    wanted = kind(total)
    for _, term in total.terms:
        yield from _check_any(term, formula, names)
        if wanted == "value" and kind(term) == "number" and not numbers:
            yield from _number_for_value(term)
        elif kind(term) == "condition":
            yield from _condition_as_number(term)


def _check_map(call: Map, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
    name = call.function
    if name == ROOT:
        yield from check_number(call.argument, formula, names, "what stands under a root")
    elif name == ONE_HOT:
        yield Diagnostic("reserved-name", "`one_hot` is a start value of a coefficient",
                         call.span, "write param r[l, 4] = one_hot(l % 4)")  # fmt: skip
    elif name not in MAPS:
        yield unknown_function(call, formula)
    elif name in ACTIVATIONS and kind(call.argument) == "learned":
        yield from _check_any(call.argument, formula, names)
    else:
        yield from check_value(call.argument, formula, names)
        if call.number is not None:
            yield from check_number(call.number, formula, names, "the rate of `drop`")


def _check_learned(learned: Learned, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
    for index in learned.indices:
        yield from check_number(index, formula, names, "the depth of a coefficient")
    yield from check_learned_name(learned, formula)


def _condition_as_number(expression: Expression) -> Iterator[Diagnostic]:
    yield Diagnostic("value-in-index", "a condition stands where a number or value is needed",
                     expression.span, "write A if ... else B")  # fmt: skip


def _check_item(
    item: Item, formula: Formula, names: set[str], wanted: Kind
) -> Iterator[Diagnostic]:
    each = item.each
    if each is not None:
        states = formula.states
        if each.variable in states or each.variable in names or each.variable in KEYWORDS:
            free = " or ".join([i for i in "ikjmn" if i not in {*states, *names}][:2]) or "index"
            yield Diagnostic("reserved-name", f"`{each.variable}` has a meaning already",
                             each.span, f"choose another index name, such as {free}")  # fmt: skip
        yield from check_number(each.first, formula, names, "the start of a range")
        if each.last is not None:
            yield from check_number(each.last, formula, names, "the end of a range")
        names = names | {each.variable}
        if each.condition is not None:
            yield from _check_condition(each.condition, formula, names)
    if wanted == "value":
        yield from check_value(item.value, formula, names)
    elif wanted == "learned":
        yield from _check_any(item.value, formula, names)
    else:
        yield from check_number(item.value, formula, names, "what is summed")


def _check_binary(expression: Binary) -> Iterator[Diagnostic]:
    left, right = kind(expression.left), kind(expression.right)
    for operand in (expression.left, expression.right):
        if kind(operand) == "condition":
            yield from _condition_as_number(operand)
    if expression.operator == "/" and right in ("value", "learned"):
        what = "a value of the network" if right == "value" else "a learned coefficient"
        yield Diagnostic("division-by-value", f"{what} is no divisor",
                         expression.right.span, "divide by a number: x[l]/2")  # fmt: skip
    elif expression.operator in "%^" and {left, right} & {"value", "learned"}:
        is_power = expression.operator == "^" and left == "value" and right == "number"
        hint = (
            "write the product out, as in x[l]*x[l]"
            if is_power
            else "write it with l, L and numbers"
        )
        yield Diagnostic("value-in-index", f"`{expression.operator}` takes numbers only",
                         expression.span, hint)  # fmt: skip
