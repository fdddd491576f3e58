"""A formula as MathML, for pages and notebooks.

Only elements of MathML Core are used, which browsers draw without a script.

>>> from recform.formula import parse
>>> formula = parse("x[l+1] = x[l] + F(x[l])")
>>> expression_to_mathml(formula.equations[0].right.terms[0][1])
'<msub><mi>x</mi><mi>l</mi></msub>'
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from html import escape
from typing import TYPE_CHECKING

from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Each,
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
from recform.formula.depths import implied_index
from recform.formula.show import (
    AND,
    ATOM,
    CASE,
    NOT,
    OR,
    PRODUCT,
    SUM,
    UNARY,
    arms,
    strength_of,
)

if TYPE_CHECKING:
    from recform.formula.formula import Formula

_RELATIONS = {"<=": "≤", ">=": "≥", "==": "=", "!=": "≠", "<": "<", ">": ">"}
_TALL = ("mfrac", "msqrt", "munder", "mtable")
_NEXT = Sum(((1, Name("l")), (1, Number(Fraction(1)))))


def to_mathml(formula: Formula) -> str:
    """One `math` element, a row of a table for each equation and start value."""
    rows = [
        _row(_indexed(e.state, _NEXT if e.step else Name("l")), "=", expression_to_mathml(e.right))
        for e in formula.equations
    ]
    rows += [_init(init) for init in formula.inits]
    rows += [_param(param) for param in formula.params]
    if formula.output is not None:
        rows.append(_row(_text("output"), "=", expression_to_mathml(formula.output)))
    table = _table(rows, ("right", "center", "left"), ' displaystyle="true"')
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">{table}</math>'


def expression_to_mathml(expression: Expression, at_least: int = CASE) -> str:
    """One element, in parentheses if it binds more loosely than `at_least`."""
    made = _element(expression)
    return made if strength_of(expression) >= at_least else _bracketed(made)


def _element(expression: Expression) -> str:
    show = expression_to_mathml
    match expression:
        case Number(value=value):
            return _number(value)
        case Name(name=name):
            return _symbol(name)
        case Read(state=state, index=index):
            return _indexed(state, index)
        case Learned(name=name, indices=indices):
            return _sub(_symbol(name), _list(map(show, indices))) if indices else _symbol(name)
        case Apply():
            return _block(expression)
        case Map(function="sqrt", argument=argument):
            return f"<msqrt>{show(argument)}</msqrt>"
        case Map(function=function, argument=argument, number=number):
            parts = [show(argument)] + ([] if number is None else [show(number)])
            return _call(_text(function), parts)
        case Reduce(function=function, items=items):
            return _reduction(function, items)
        case Sum(terms=terms):
            pieces = []
            for place, (sign, value) in enumerate(terms):
                pieces += [_operator("+" if sign > 0 else "−")] if place else []
                pieces.append(show(value, PRODUCT))
            return _group(pieces)
        case Negate(operand=operand):
            return _group([_operator("−"), show(operand, UNARY)])
        case Binary(operator="/", left=left, right=right):
            return f"<mfrac>{show(left)}{show(right)}</mfrac>"
        case Binary(operator="^", left=left, right=right):
            return f"<msup>{show(left, ATOM)}{show(right)}</msup>"
        case Binary(operator=operator, left=left, right=right):
            sign = {"*": "\N{INVISIBLE TIMES}", "@": "\N{INVISIBLE TIMES}", "%": "mod"}[operator]
            # before the name of a function, as in T_l(x_l) act(...)
            space = (
                ' rspace="0.167em"' if isinstance(right, Map | Reduce) and operator != "%" else ""
            )
            return _group([show(left, PRODUCT), _operator(sign, space), show(right, UNARY)])
    return _condition_or_case(expression)


def _condition_or_case(expression: Expression) -> str:
    show = expression_to_mathml
    match expression:
        case Compare(operators=operators, operands=operands):
            pieces = [show(operands[0], SUM)]
            for sign, operand in zip(operators, operands[1:], strict=True):
                pieces += [_operator(_RELATIONS[sign]), show(operand, SUM)]
            return _group(pieces)
        case Logic(operator=operator, operands=operands):
            inner = NOT if operator == "and" else AND
            return _list((show(o, inner) for o in operands), _text(f" {operator} "))
        case Not(operand=operand):
            return _group([_text("not "), show(operand, NOT)])
        case Case():
            chosen, otherwise = arms(expression)
            rows = [(show(value, OR), _group([_text("if "), show(condition, OR)]))
                    for value, condition in chosen]  # fmt: skip
            rows.append((show(otherwise), _text("otherwise")))
            return _group([_operator("{"), _table(rows, ("left", "left"))])
    raise AssertionError(f"no {type(expression).__name__} is left")


def _block(apply: Apply) -> str:
    """F with the depth that it takes, and its argument in parentheses."""
    symbol = _symbol(apply.block)
    index = implied_index(apply.argument) if apply.index is None else apply.index
    if index is not None:
        symbol = _sub(symbol, expression_to_mathml(index))
    return _call(symbol, [expression_to_mathml(apply.argument)])


def _reduction(function: str, items: tuple[Item, ...]) -> str:
    if function == "sum" and len(items) == 1 and items[0].each is not None:
        sign = _sum_sign(items[0].each)
        return _group([sign, expression_to_mathml(items[0].value, PRODUCT)])
    parts = [
        expression_to_mathml(item.value)
        + ("" if item.each is None else _text(" for ") + _range(item.each))
        for item in items
    ]
    return _call(_text(function), [_group([part]) for part in parts])


def _sum_sign(each: Each) -> str:
    if each.condition is not None or each.last is None:
        return f"<munder>{_operator('∑')}{_range(each)}</munder>"
    first = _group([_symbol(each.variable), _operator("="), expression_to_mathml(each.first)])
    return f"<munderover>{_operator('∑')}{first}{expression_to_mathml(each.last)}</munderover>"


def _range(each: Each) -> str:
    sign = "≥" if each.last is None else "="
    pieces = [_symbol(each.variable), _operator(sign), expression_to_mathml(each.first)]
    pieces += [] if each.last is None else [_operator(".."), expression_to_mathml(each.last)]
    if each.condition is not None:
        pieces += [_operator(","), expression_to_mathml(each.condition)]
    return _group(pieces)


def _init(init: Init) -> tuple[str, ...]:
    state = _indexed(init.state, Number(Fraction(init.depth)))
    if init.block is not None:
        block = _sub(_symbol(init.block), _number(Fraction(init.depth)))
        state = _call(block, [state])
    value = _text("absent") if init.value is None else expression_to_mathml(init.value)
    return _row(state, "=", value)


def _param(param: Param) -> tuple[str, ...]:
    """The start of a learned coefficient."""
    symbol = _symbol(param.name)
    if param.depths:
        symbol = _sub(symbol, _list(map(_symbol, param.depths)))
    match param.start:
        case Name(name="identity"):
            start = _symbol("I")
        case Map(function="one_hot", argument=place):
            start = _sub(_symbol("e"), expression_to_mathml(place))
        case start_expression:
            start = expression_to_mathml(start_expression)
    kept = "" if param.constraint is None else _text(f" in {param.constraint}".replace("_", " "))
    return _row(symbol, "←", start + kept)


def _row(left: str, sign: str, right: str) -> tuple[str, ...]:
    return left, _operator(sign), right


def _table(rows: Iterable[tuple[str, ...]], sides: tuple[str, ...], attributes: str = "") -> str:
    """Columns by the side that they lean to, whether a browser knows `columnalign` or not."""
    lines = "".join(f"<mtr>{''.join(map(_cell, row, sides))}</mtr>" for row in rows)
    return f'<mtable columnalign="{" ".join(sides)}"{attributes}>{lines}</mtable>'


def _cell(content: str, side: str) -> str:
    # Chromium moves an element of mathematics only for -webkit-right, seen in its version 150.
    style = f"text-align: {side}; text-align: -webkit-{side}"
    return f'<mtd style="{style}">{content}</mtd>'


def _number(value: Fraction) -> str:
    if value.denominator == 1:
        size = f"<mn>{abs(value.numerator)}</mn>"
    else:
        size = f"<mfrac><mn>{abs(value.numerator)}</mn><mn>{value.denominator}</mn></mfrac>"
    return size if value >= 0 else _group([_operator("−"), size])


def _indexed(name: str, index: Expression) -> str:
    return _sub(_symbol(name), expression_to_mathml(index))


def _sub(base: str, index: str) -> str:
    return f"<msub>{base}{index}</msub>"


def _call(function: str, arguments: list[str]) -> str:
    return _group([function, _bracketed("".join(_between(arguments, _operator(","))))])


def _list(parts: Iterable[str], sign: str = "<mo>,</mo>") -> str:
    return _group(_between(list(parts), sign))


def _between(parts: list[str], sign: str) -> list[str]:
    return [piece for part in parts for piece in (sign, part)][1:]


def _bracketed(made: str) -> str:
    """In parentheses, which grow with what is tall, and not with a mere index below the line."""
    attributes = "" if any(f"<{element}" in made for element in _TALL) else ' stretchy="false"'
    return _group([_operator("(", attributes), made, _operator(")", attributes)])


def _group(pieces: Iterable[str]) -> str:
    return f"<mrow>{''.join(pieces)}</mrow>"


def _operator(sign: str, attributes: str = "") -> str:
    return f"<mo{attributes}>{escape(sign)}</mo>"


def _symbol(name: str) -> str:
    return f"<mi>{escape(name)}</mi>"


def _text(words: str) -> str:
    return f"<mtext>{escape(words).replace(' ', '&#160;')}</mtext>"
