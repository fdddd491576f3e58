"""Values, numbers and conditions: what an expression is, and what must stand where.

States and blocks give values of the network; depths and coefficients are numbers, known once l and
L are; cases and filters choose by conditions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from recform.errors import Diagnostic, Span
from recform.formula.ast import (
    Apply,
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
    Read,
    Reduce,
    Sum,
)
from recform.formula.build import FUNCTIONS, KEYWORDS, MAPS
from recform.formula.suggest import did_you_mean

if TYPE_CHECKING:
    from recform.formula.formula import Formula

Kind = Literal["value", "number", "condition"]


def kind(expression: Expression) -> Kind:
    """What an expression is: a value of the network, a number, or a condition."""
    match expression:
        case Number() | Name():
            return "number"
        case Read() | Apply() | Map():
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
    return "value" if "value" in set(kinds) else "number"


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


def _is_zero(expression: Expression) -> bool:
    return isinstance(expression, Number) and expression.value == 0


def _check_number(
    expression: Expression, formula: Formula, names: set[str], what: str
) -> Iterator[Diagnostic]:
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
                yield from _check_number(operand, formula, names, "what is compared")
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
            yield from _check_name(expression, formula, names)
        case Read():
            yield from _check_state(expression, formula)
            yield from _check_number(expression.index, formula, names, "the depth of a state")
        case Apply(block=block, index=index, argument=argument):
            yield from check_block(block, expression.span, formula)
            if index is not None:
                yield from _check_number(index, formula, names, "the index of a block")
            yield from check_value(argument, formula, names)
        case Map(function=function, argument=argument):
            if function in MAPS:
                yield from check_value(argument, formula, names)
            else:
                yield _unknown_function(expression, formula)
        case Reduce(items=items):
            wanted = kind(expression)
            for item in items:
                yield from _check_item(item, formula, names, wanted)
        case Sum(terms=terms):
            wanted = kind(expression)
            for _, term in terms:
                yield from _check_any(term, formula, names)
                if wanted == "value":
                    yield from _number_for_value(term)
                elif kind(term) == "condition":
                    yield from _condition_as_number(term)
        case Negate(operand=operand):
            yield from _check_any(operand, formula, names)
            if kind(operand) == "condition":
                yield from _condition_as_number(operand)
        case Binary():
            yield from _check_any(expression.left, formula, names)
            yield from _check_any(expression.right, formula, names)
            yield from _check_binary(expression)
        case Case(value=value, condition=condition, otherwise=otherwise):
            yield from _check_any(value, formula, names)
            yield from _check_condition(condition, formula, names)
            yield from _check_any(otherwise, formula, names)
        case Compare() | Logic() | Not():
            yield from _check_condition(expression, formula, names)


def _unknown_function(call: Map, formula: Formula) -> Diagnostic:
    name = call.function
    states = formula.states
    if name in states:
        hint = f"the depth of a state stands in square brackets: {name}[l]"
    elif name.capitalize() in ("F", *formula.blocks):
        hint = f"blocks have upper-case names: {name.capitalize()}(x[l])"
    else:
        hint = did_you_mean(name, FUNCTIONS) or f"the functions are {', '.join(FUNCTIONS)}"
    span = Span(call.span.line, call.span.column, call.span.column + len(name))
    return Diagnostic("unknown-name", f"there is no function `{name}`", span, hint)


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
            yield Diagnostic("reserved-name", f"`{each.variable}` has a meaning already",
                             each.span, "choose another index name, such as i or k")  # fmt: skip
        yield from _check_number(each.first, formula, names, "the start of a range")
        if each.last is not None:
            yield from _check_number(each.last, formula, names, "the end of a range")
        names = names | {each.variable}
        if each.condition is not None:
            yield from _check_condition(each.condition, formula, names)
    if wanted == "value":
        yield from check_value(item.value, formula, names)
    else:
        yield from _check_number(item.value, formula, names, "what is summed")


def _check_binary(expression: Binary) -> Iterator[Diagnostic]:
    left, right = kind(expression.left), kind(expression.right)
    for operand in (expression.left, expression.right):
        if kind(operand) == "condition":
            yield from _condition_as_number(operand)
    if expression.operator == "*" and left == right == "value":
        yield Diagnostic("product-of-values", "two values of the network are multiplied",
                         expression.span, "one factor must be a number; products of values are "
                         "not read by this version of recform")  # fmt: skip
    elif expression.operator == "/" and right == "value":
        yield Diagnostic("division-by-value", "a value of the network is no divisor",
                         expression.right.span, "divide by a number: x[l]/2")  # fmt: skip
    elif expression.operator in "%^" and "value" in (left, right):
        yield Diagnostic("value-in-index", f"`{expression.operator}` takes numbers only",
                         expression.span, "write it with l, L and numbers")  # fmt: skip


def _check_name(name: Name, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
    if name.name in names:
        return
    states = formula.states
    if name.name in states:
        yield Diagnostic(
            "missing-index",
            f"the state `{name.name}` needs a depth",
            name.span,
            f"write {name.name}[l]"
            if "l" in names
            else f"write {name.name}[0], or {name.name}[L] in an output",
        )
    elif name.name == "l":
        yield Diagnostic(
            "unknown-name",
            "`l` has no meaning here",
            name.span,
            "start values and outputs stand at written depths: x[0], x[L]",
        )
    elif name.name == "s":
        yield Diagnostic("unsupported", "`s`, the start of the stage, is not read by this version "
                         "of recform", name.span, "write a depth with l and L")  # fmt: skip
    elif name.name == "absent":
        yield Diagnostic("reserved-name", "`absent` is a start value, not a term", name.span,
                         "write init y[0] = absent")  # fmt: skip
    elif name.name in FUNCTIONS:
        yield Diagnostic("wrong-arguments", f"`{name.name}` is a function without its argument",
                         name.span, f"write {name.name}(x[l])")  # fmt: skip
    else:
        yield Diagnostic("unknown-name", f"there is nothing called `{name.name}`", name.span,
                         _known_here(name.name, states, names))  # fmt: skip


def _known_here(name: str, states: Iterable[str], names: set[str]) -> str:
    known = sorted(names, key=lambda known: (known == "L", known))
    return did_you_mean(name, [*states, *known]) or (
        f"known here: {', '.join(known)}; a range gives its index with `for {name} in 0..l`"
    )


def _check_state(read: Read, formula: Formula) -> Iterator[Diagnostic]:
    states = formula.states
    if read.state not in states:
        span = Span(read.span.line, read.span.column, read.span.column + len(read.state))
        yield Diagnostic(
            "unknown-name",
            f"no equation defines `{read.state}`",
            span,
            did_you_mean(read.state, states)
            or f"add an equation {read.state}[l+1] = ..., or {read.state}[l] = ...",
        )


def check_block(block: str, span: Span, formula: Formula) -> Iterator[Diagnostic]:
    if block not in ("F", *formula.blocks):
        where = Span(span.line, span.column, span.column + len(block))
        known = block.lower() in FUNCTIONS
        yield Diagnostic("unknown-block", f"the block `{block}` is not declared", where,
                         f"did you mean `{block.lower()}`? functions have lower-case names" if known
                         else f"add a line: block {block}")  # fmt: skip
