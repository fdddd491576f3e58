"""A formula as text in normal form.

`parse(to_text(formula)) == formula`: the normal form drops comments but the title, spells every
operator in ASCII, and spaces evenly.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING

from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Definition,
    Each,
    Equation,
    Expression,
    Init,
    Item,
    Learned,
    Logic,
    Map,
    Name,
    Negate,
    Not,
    Number,
    Param,
    Read,
    Reduce,
    Sum,
)

if TYPE_CHECKING:
    from recform.formula.formula import Formula

# Binding strength, loosest first; the grammar's ladder from `expression` down to `atom`.
CASE, OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, POWER, ATOM = range(10)


def to_text(formula: Formula) -> str:
    """The normal form, one statement a line."""
    lines = [f"# {formula.title}"] if formula.title else []
    lines += [f"history {formula.history}"] if formula.history else []
    definitions = {definition.block: definition for definition in formula.definitions}
    lines += [_block_to_text(block, definitions.get(block)) for block in formula.blocks]
    split = " = split(input)" if formula.is_split else ""
    lines += [f"input {', '.join(formula.inputs)}{split}"] if formula.inputs else []
    lines += [f"stream {stream.state}[{stream.count}] = input" for stream in formula.streams]
    lines += [_param_to_text(param) for param in formula.params]
    lines += [equation_to_text(equation) for equation in formula.equations]
    lines += [_init_to_text(init) for init in formula.inits]
    lines += [f"output {expression_to_text(formula.output)}"] if formula.output else []
    return "\n".join(lines)


def _block_to_text(block: str, definition: Definition | None) -> str:
    if definition is None:
        return f"block {block}"
    settings = ", ".join(f"{name}={value}" for name, value in definition.settings)
    return f"block {block} = {definition.source}{f'({settings})' if settings else ''}"


def _param_to_text(param: Param) -> str:
    indices = f"[{', '.join(map(str, param.indices))}]" if param.indices else ""
    over = "" if param.over is None else f"({param.over})"
    constraint = "" if param.constraint is None else f" in {param.constraint}{over}"
    return f"param {param.name}{indices} = {expression_to_text(param.start)}{constraint}"


def equation_to_text(equation: Equation) -> str:
    """The equation on one line: `x[l+1] = x[l] + F(x[l])`."""
    depth = "l+1" if equation.step else "l"
    return f"{equation.state}[{depth}] = {expression_to_text(equation.right)}"


def expression_to_text(expression: Expression, at_least: int = CASE) -> str:
    """The expression, in parentheses if it binds more loosely than `at_least`."""
    text, strength = _text_and_strength(expression)
    return text if strength >= at_least else f"({text})"


def _text_and_strength(expression: Expression) -> tuple[str, int]:
    show = expression_to_text
    match expression:
        case Number(value=value):
            return str(value), strength_of_number(value)
        case Name(name=name):
            return name, ATOM
        case Read(state=state, index=index):
            return f"{state}[{_tight(index)}]", ATOM
        case Apply(block=block, index=index, argument=argument):
            written = "" if index is None else f"[{_tight(index)}]"
            return f"{block}{written}({show(argument)})", ATOM
        case Learned(name=name, indices=indices):
            written = f"[{', '.join(_tight(index) for index in indices)}]" if indices else ""
            return f"{name}{written}", ATOM
        case Map(function=function, argument=argument, number=number):
            second = "" if number is None else f", {show(number)}"
            return f"{function}({show(argument)}{second})", ATOM
        case Reduce(function=function, items=items):
            return f"{function}({', '.join(_item_to_text(item) for item in items)})", ATOM
        case Sum(terms=terms):
            return joined(terms, show), SUM
        case Negate(operand=operand):
            return f"-{show(operand, UNARY)}", UNARY
        case Binary(operator="^", left=left, right=right):
            return f"{show(left, ATOM)}^{show(right, UNARY)}", POWER
        case Binary(operator=operator, left=left, right=right):
            sign = f" {operator} " if operator in "%@" else operator
            return f"{show(left, PRODUCT)}{sign}{show(right, UNARY)}", PRODUCT
        case Compare(operators=operators, operands=operands):
            rest = zip(operators, operands[1:], strict=True)
            return show(operands[0], SUM) + "".join(
                f" {operator} {show(operand, SUM)}" for operator, operand in rest
            ), COMPARISON
        case Logic(operator=operator, operands=operands):
            inner = NOT if operator == "and" else AND
            own = AND if operator == "and" else OR
            return f" {operator} ".join(show(operand, inner) for operand in operands), own
        case Not(operand=operand):
            return f"not {show(operand, NOT)}", NOT
        case Case(value=value, condition=condition, otherwise=otherwise):
            return f"{show(value, OR)} if {show(condition, OR)} else {show(otherwise)}", CASE


def arms(case: Case) -> tuple[list[tuple[Expression, Expression]], Expression]:
    """A chain of cases, `A if c else B if d else C`: values with conditions, and what is left."""
    chosen, rest = [], case
    while isinstance(rest, Case):
        chosen.append((rest.value, rest.condition))
        rest = rest.otherwise
    return chosen, rest


def strength_of(expression: Expression) -> int:
    """How strongly an expression's last operator binds: CASE, ..., ATOM."""
    return _text_and_strength(expression)[1]


def number_to_text(value: Fraction | int) -> str:
    """`7` or `1/3`; a number beyond the 4,300 digits that Python prints is told by its size."""
    value = Fraction(value)
    bits = max(value.numerator.bit_length(), value.denominator.bit_length())
    if bits < 10_000:
        return str(value)
    return f"(a number of {bits:,} bits)"


def strength_of_number(value: Fraction) -> int:
    """How strongly a number binds as it is written: `-1/2` is read as a quotient."""
    # -1/2 is read as (-1)/2: a product of a unary minus, folded.
    if value.denominator != 1:
        return PRODUCT
    return ATOM if value >= 0 else UNARY


def joined(
    terms: tuple[tuple[int, Expression], ...], show: Callable[[Expression, int], str]
) -> str:
    """A sum, as `show` writes its terms, which bind as products do at least."""
    pieces = []
    for place, (sign, value) in enumerate(terms):
        if place:
            pieces.append(" + " if sign > 0 else " - ")
        pieces.append(show(value, PRODUCT))
    return "".join(pieces)


def _tight(index: Expression) -> str:
    """An index without the spaces around its signs: `x[l-2^k+1]`."""
    return expression_to_text(index).replace(" + ", "+").replace(" - ", "-")


def _item_to_text(item: Item) -> str:
    value = expression_to_text(item.value)
    return value if item.each is None else f"{value} {_each_to_text(item.each)}"


def _each_to_text(each: Each) -> str:
    last = "" if each.last is None else expression_to_text(each.last, SUM)
    text = f"for {each.variable} in {expression_to_text(each.first, SUM)}..{last}"
    return f"{text} if {expression_to_text(each.condition, OR)}" if each.condition else text


def _init_to_text(init: Init) -> str:
    state = f"{init.state}[{init.depth}]"
    target = state if init.block is None else f"{init.block}({state})"
    value = "absent" if init.value is None else expression_to_text(init.value)
    return f"init {target} = {value}"
