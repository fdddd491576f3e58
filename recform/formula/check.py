"""What the grammar cannot see: names, starts, and what is a value, a number or a condition.

Everything here is decided from the text alone. What shows only at some depth (a division by
l - 3, a read of x[2*l]) is told when the formula is unrolled.
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
    Equation,
    Expression,
    Init,
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
    walk,
)
from recform.formula.build import KEYWORDS
from recform.formula.suggest import did_you_mean

if TYPE_CHECKING:
    from recform.formula.formula import Formula

Kind = Literal["value", "number", "condition"]


def check(formula: Formula) -> list[Diagnostic]:
    """All that is wrong with the formula as it stands; empty if nothing is."""
    structure = [*_check_steps(formula), *_check_names(formula), *_check_starts(formula)]
    mistakes = structure + list(_check_expressions(formula))
    unique = {(m.code, m.span): m for m in mistakes}
    return list(unique.values())


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


# --- the formula as a whole ---------------------------------------------------------------------


def _check_steps(formula: Formula) -> Iterator[Diagnostic]:
    if not formula.steps:
        span = formula.equations[0].span if formula.equations else Span(1, 1, 2)
        yield Diagnostic("no-step", "no equation says how a state goes from depth l to l+1", span,
                         "write one: x[l+1] = x[l] + F(x[l])")  # fmt: skip


def _check_names(formula: Formula) -> Iterator[Diagnostic]:
    for equation in formula.equations:
        if equation.state in KEYWORDS:
            yield Diagnostic("reserved-name", f"`{equation.state}` has a meaning of its own and "
                             "cannot be a state", equation.span, "choose another name")  # fmt: skip
    steps = {equation.state for equation in formula.steps}
    first = formula.equations[0].span if formula.equations else Span(1, 1, 2)
    for name in formula.inputs:
        if name not in steps:
            yield Diagnostic("unknown-name", f"`{name}` starts from the input and has no step",
                             first, f"write an equation {name}[l+1] = ...")  # fmt: skip
    for block in formula.blocks:
        if block in ("F", "L"):
            meaning = "the backbone's block" if block == "F" else "the number of blocks"
            yield Diagnostic("reserved-name", f"`{block}` is {meaning} and is not declared", first,
                             f"remove `block {block}`, or choose another name")  # fmt: skip


def _check_starts(formula: Formula) -> Iterator[Diagnostic]:
    if not formula.steps:
        return
    kinds = {equation.state: equation.step for equation in formula.equations}
    for init in formula.inits:
        yield from _check_init(init, formula, kinds)
    given = {init.state for init in formula.inits if init.block is None and init.depth == 0}
    started = given | set(formula.starts) | {formula.main}
    for equation in formula.steps:
        if equation.state not in started:
            name = equation.state
            yield Diagnostic("no-start", f"{name}[0] has no value", equation.span,
                             f"add a line: init {name}[0] = {formula.main}[0], or "
                             f"init {name}[0] = absent")  # fmt: skip


def _check_init(init: Init, formula: Formula, kinds: dict[str, bool]) -> Iterator[Diagnostic]:
    where = f"{init.state}[{init.depth}]"
    if init.state not in kinds:
        yield Diagnostic("unknown-name", f"there is no state `{init.state}`", init.span,
                         did_you_mean(init.state, kinds) or "the states are "
                         + ", ".join(kinds))  # fmt: skip
    elif init.block is not None:
        if init.depth == 0:
            yield Diagnostic("bad-init", f"{init.block}({where}) is computed, not given", init.span,
                             f"give a value before the start: init {init.block}"
                             f"({init.state}[-1]) = ...")  # fmt: skip
    elif init.depth == 0 and init.state in formula.starts:
        yield Diagnostic("bad-init", f"{where} is what the stem hands over", init.span,
                         f"give {init.state}[-1], or name the states that start from the stem: "
                         "input ...")  # fmt: skip
    elif init.depth == 0 and not kinds[init.state]:
        yield Diagnostic("bad-init", f"{where} is computed by its equation", init.span,
                         f"give a value before the start: init {init.state}[-1] = ...")  # fmt: skip


# --- expressions --------------------------------------------------------------------------------


def _check_expressions(formula: Formula) -> Iterator[Diagnostic]:
    for equation in formula.equations:
        yield from _check_value(equation.right, formula, {"l", "L"})
        yield from _check_reads(equation)
    for init in formula.inits:
        if init.block is not None:
            yield from _check_block(init.block, init.span, formula)
        if init.value is not None:
            yield from _check_value(init.value, formula, {"L"})
    if formula.output is not None:
        yield from _check_value(formula.output, formula, {"L"})


def _check_reads(equation: Equation) -> Iterator[Diagnostic]:
    """Reads of the future that are visible in the text: an index l + c."""
    applied = {e.argument: e.block for e in walk(equation.right) if isinstance(e, Apply)}
    for read in (e for e in walk(equation.right) if isinstance(e, Read)):
        ahead = _constant_offset(read.index)
        if ahead is None or ahead < 1:
            continue
        own = read.state == equation.state
        if ahead == 1 and not own:
            continue
        name = read.state
        meant = f"{applied[read]}({name}[l])" if read in applied else f"{name}[l]"
        if own and not equation.step:
            hint = f"the right side may read {name}[l-1], {name}[l-2], ..."
        else:
            hint = f"the right side may read {name}[l], {name}[l-1], ...; did you mean {meant}?"
        shown = f"{name}[l+{ahead}]"
        yield Diagnostic("future-read", f"{shown} is read before it exists", read.span, hint)


def _constant_offset(index: Expression) -> int | None:
    """c of an index `l + c`, None for any other."""
    if index == Name("l"):
        return 0
    match index:
        case Sum(terms=((1, Name(name="l")), (sign, Number(value=value)))):
            return int(sign * value) if value.denominator == 1 else None
    return None


def _check_value(expression: Expression, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
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
            yield from _check_block(block, expression.span, formula)
            if index is not None:
                yield from _check_number(index, formula, names, "the index of a block")
            yield from _check_value(argument, formula, names)
        case Map(argument=argument):
            yield from _check_value(argument, formula, names)
        case Reduce(items=items):
            for item in items:
                yield from _check_item(item, formula, names, kind(expression))
        case Sum(terms=terms):
            for _, term in terms:
                yield from _check_any(term, formula, names)
                if kind(expression) == "value":
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


def _condition_as_number(expression: Expression) -> Iterator[Diagnostic]:
    yield Diagnostic("value-in-index", "a condition stands where a number or value is needed",
                     expression.span, "write A if ... else B")  # fmt: skip


def _check_item(
    item: Item, formula: Formula, names: set[str], wanted: Kind
) -> Iterator[Diagnostic]:
    each = item.each
    if each is not None:
        states = {equation.state for equation in formula.equations}
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
        yield from _check_value(item.value, formula, names)
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
    states = [equation.state for equation in formula.equations]
    if name.name in states:
        yield Diagnostic("missing-index", f"the state `{name.name}` needs a depth", name.span,
                         f"write {name.name}[l]" if "l" in names else f"write {name.name}[0]")
    elif name.name == "l":
        yield Diagnostic("unknown-name", "`l` has no meaning here", name.span,
                         "start values and outputs stand at written depths: x[0], x[L]")
    elif name.name == "s":
        yield Diagnostic("unsupported", "`s`, the start of the stage, is not read by this version "
                         "of recform", name.span, "write a depth with l and L")  # fmt: skip
    else:
        yield Diagnostic("unknown-name", f"there is nothing called `{name.name}`", name.span,
                         did_you_mean(name.name, [*states, *names])
                         or f"known here: {', '.join(sorted(names))}")  # fmt: skip


def _check_state(read: Read, formula: Formula) -> Iterator[Diagnostic]:
    states = [equation.state for equation in formula.equations]
    if read.state not in states:
        span = Span(read.span.line, read.span.column, read.span.column + len(read.state))
        yield Diagnostic("unknown-name", f"no equation defines `{read.state}`", span,
                         did_you_mean(read.state, states)
                         or f"add an equation {read.state}[l+1] = ..., or {read.state}[l] = ...")


def _check_block(block: str, span: Span, formula: Formula) -> Iterator[Diagnostic]:
    if block not in ("F", *formula.blocks):
        where = Span(span.line, span.column, span.column + len(block))
        yield Diagnostic("unknown-block", f"the block `{block}` is not declared", where,
                         f"add a line: block {block}")  # fmt: skip
