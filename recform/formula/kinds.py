"""Values, coefficients, numbers and conditions: what an expression is, and what must stand where.

States and blocks give values of the network; depths and coefficients are numbers, known once l and
L are, or learned; cases and filters choose by conditions.
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
from recform.formula.build import KEYWORDS
from recform.formula.library import (
    ACTIVATIONS,
    COMBINING,
    DROP,
    FUNCTIONS,
    IDENTITY,
    MAPS,
    ONE_HOT,
    ROOT,
    STOP,
    WEIGHTED,
)
from recform.formula.suggest import did_you_mean

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
            return _is_product(expression) and "number" not in (
                kind(expression.left), kind(expression.right)
            )  # fmt: skip
    return False


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
            yield from _check_name(expression, formula, names)
        case Read():
            wrong = list(_check_state(expression, formula))
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
                if isinstance(side, Sum) and _is_product(expression):
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
        yield _unknown_function(call, formula)
    elif name in ACTIVATIONS and kind(call.argument) == "learned":
        yield from _check_any(call.argument, formula, names)
    else:
        yield from check_value(call.argument, formula, names)
        if call.number is not None:
            yield from check_number(call.number, formula, names, "the rate of `drop`")


def _check_learned(learned: Learned, formula: Formula, names: set[str]) -> Iterator[Diagnostic]:
    param = formula.learned.get(learned.name)
    for index in learned.indices:
        yield from check_number(index, formula, names, "the depth of a coefficient")
    where = Span(learned.span.line, learned.span.column, learned.span.column + len(learned.name))
    if learned.name in formula.states:
        yield Diagnostic("wrong-arguments", "a state has one depth", learned.span,
                         f"write {learned.name}[l]")  # fmt: skip
    elif param is None:
        yield Diagnostic("unknown-name", f"no line declares the coefficient `{learned.name}`",
                         where, did_you_mean(learned.name, formula.learned)
                         or f"add a line: param {learned.name}[l, i] = 0")  # fmt: skip
    elif len(learned.indices) != len(param.depths):
        shown = f"{param.name}[{', '.join(param.depths)}]" if param.depths else param.name
        yield Diagnostic("wrong-arguments", f"`{param.name}` is read at {len(param.depths)} "
                         f"depth{'' if len(param.depths) == 1 else 's'}", learned.span,
                         f"write {shown}")  # fmt: skip


def _is_product(expression: Binary) -> bool:
    return expression.operator == "*" and kind(expression) == "value"


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
        yield Diagnostic("unknown-name", "`s`, the first depth of the stage, has no meaning here",
                         name.span, "it belongs to an equation, where l is in a stage")  # fmt: skip
    elif name.name == IDENTITY:
        yield Diagnostic("reserved-name", "`identity` is a start value of a coefficient", name.span,
                         "write param A[l, 4, 4] = identity")  # fmt: skip
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
        f"known here: {', '.join(known)}; a range gives its index with `for {name} in 0..l`, and a "
        f"line declares what is learned: param {name} = 0"
    )


def _check_state(read: Read, formula: Formula) -> Iterator[Diagnostic]:
    states = formula.states
    span = Span(read.span.line, read.span.column, read.span.column + len(read.state))
    if read.state in ("F", *formula.blocks):
        yield Diagnostic("syntax", "the block is not applied to anything", read.span,
                         "write F(x[l]), or F[l](x[l-1]) with the block's index")  # fmt: skip
    elif read.state not in states:
        yield Diagnostic(
            "unknown-name",
            f"no equation defines `{read.state}`",
            span,
            did_you_mean(read.state, [*states, *formula.learned])
            or (
                f"add an equation {read.state}[l+1] = ..., or {read.state}[l] = ..."
                if read.state[0].islower()
                else f"add a line: param {read.state}[l] = 1, or block {read.state}"
            ),
        )


def check_block(block: str, span: Span, formula: Formula) -> Iterator[Diagnostic]:
    if block not in ("F", *formula.blocks):
        where = Span(span.line, span.column, span.column + len(block))
        known = block.lower() in FUNCTIONS
        yield Diagnostic("unknown-block", f"the block `{block}` is not declared", where,
                         f"did you mean `{block.lower()}`? functions have lower-case names" if known
                         else f"add a line: block {block}")  # fmt: skip
