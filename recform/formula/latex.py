r"""A formula as LaTeX.

>>> from recform.formula import parse
>>> print(to_latex(parse("x[l+1] = x[l] + F(x[l])")))
\begin{aligned}
x_{l+1} &= x_{l} + F_{l}(x_{l})
\end{aligned}
"""

from __future__ import annotations

from fractions import Fraction
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
    ATOM,
    CASE,
    COMPARISON,
    NOT,
    OR,
    POWER,
    PRODUCT,
    SUM,
    UNARY,
    arms,
    joined,
    strength_of_number,
)

if TYPE_CHECKING:
    from recform.formula.formula import Formula

_RELATIONS = {"<=": r"\leq", ">=": r"\geq", "==": "=", "!=": r"\neq", "<": "<", ">": ">"}
_MAPS = {"sigmoid": r"\sigma", "tanh": r"\tanh"}


def to_latex(formula: Formula) -> str:
    """One `aligned` environment: equations, start values, coefficients, and the output."""
    rows = [
        rf"{_symbol(e.state)}_{{{'l+1' if e.step else 'l'}}} &= {expression_to_latex(e.right)}"
        for e in formula.equations
    ]
    rows += [_init(init) for init in formula.inits]
    rows += [_param(param) for param in formula.params]
    if formula.output is not None:
        rows.append(rf"\text{{output}} &= {expression_to_latex(formula.output)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def expression_to_latex(expression: Expression, at_least: int = CASE) -> str:
    """The expression, in parentheses if it binds more loosely than `at_least`."""
    text, strength = _latex_and_strength(expression)
    return text if strength >= at_least else rf"\left({text}\right)"


def _latex_and_strength(expression: Expression) -> tuple[str, int]:
    show = expression_to_latex
    match expression:
        case Number(value=value):
            return _number(value), strength_of_number(value)
        case Name(name=name):
            return _symbol(name), ATOM
        case Read(state=state, index=index):
            return f"{_symbol(state)}_{{{_tight(index)}}}", ATOM
        case Apply():
            return _block(expression), ATOM
        case Learned(name=name, indices=indices):
            depths = f"_{{{', '.join(map(_tight, indices))}}}" if indices else ""
            return f"{_symbol(name)}{depths}", ATOM
        case Map(function="sqrt", argument=argument):
            return rf"\sqrt{{{show(argument)}}}", ATOM
        case Map(function=function, argument=argument, number=number):
            symbol = _MAPS.get(function, _operator(function))
            second = "" if number is None else f",\\ {show(number)}"
            return rf"{symbol}\left({show(argument)}{second}\right)", ATOM
        case Reduce(function=function, items=items):
            return _reduction(function, items)
        case Sum(terms=terms):
            return joined(terms, show), SUM
        case Negate(operand=operand):
            return f"-{show(operand, UNARY)}", UNARY
        case Binary():
            return _binary(expression)
        case Case():
            return _cases(expression), ATOM
    return _condition(expression)


def _binary(binary: Binary) -> tuple[str, int]:
    show, left, right = expression_to_latex, binary.left, binary.right
    match binary.operator:
        case "/":
            return rf"\frac{{{show(left)}}}{{{show(right)}}}", PRODUCT
        case "^":
            return f"{show(left, ATOM)}^{{{show(right)}}}", POWER
        case "%":
            return rf"{show(left, PRODUCT)} \bmod {show(right, UNARY)}", PRODUCT
    return rf"{show(left, PRODUCT)}\,{show(right, UNARY)}", PRODUCT


def _condition(expression: Expression) -> tuple[str, int]:
    show = expression_to_latex
    match expression:
        case Compare(operators=operators, operands=operands):
            rest = zip(operators, operands[1:], strict=True)
            pieces = [f" {_RELATIONS[o]} {show(operand, SUM)}" for o, operand in rest]
            return show(operands[0], SUM) + "".join(pieces), COMPARISON
        case Logic(operator=operator, operands=operands):
            word = rf"\ \text{{{operator}}}\ "
            return word.join(show(operand, NOT) for operand in operands), OR
        case Not(operand=operand):
            return rf"\text{{not}}\ {show(operand, NOT)}", NOT
    raise AssertionError(f"a {type(expression).__name__} has no LaTeX")


def _cases(case: Case) -> str:
    show = expression_to_latex
    chosen, otherwise = arms(case)
    rows = "".join(
        rf"{show(value)} & \text{{if }} {show(condition)} \\ " for value, condition in chosen
    )
    return rf"\begin{{cases}} {rows}{show(otherwise)} & \text{{otherwise}} \end{{cases}}"


def _tight(index: Expression) -> str:
    return expression_to_latex(index).replace(" + ", "+").replace(" - ", "-")


def _number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value)
    sign = "-" if value < 0 else ""
    return rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _block(apply: Apply) -> str:
    """F_{l}(x_{l}): a block without an index shows the depth that it takes."""
    argument = expression_to_latex(apply.argument)
    bracketed = rf"\left({argument}\right)"
    if isinstance(apply.argument, Read):
        bracketed = f"({argument})"
    index = implied_index(apply.argument) if apply.index is None else apply.index
    below = "" if index is None else f"_{{{_tight(index)}}}"
    return f"{_symbol(apply.block)}{below}{bracketed}"


def _reduction(function: str, items: tuple[Item, ...]) -> tuple[str, int]:
    if function == "sum" and len(items) == 1 and items[0].each is not None:
        value = expression_to_latex(items[0].value, PRODUCT)
        return f"{_sum_sign(items[0].each)} {value}", PRODUCT
    arguments = [
        expression_to_latex(item.value)
        + ("" if item.each is None else rf"\ \big|\ {_range(item.each)}")
        for item in items
    ]
    return rf"{_operator(function)}\left({', '.join(arguments)}\right)", ATOM


def _operator(function: str) -> str:
    name = function.replace("_", r"\_")
    return rf"\operatorname{{{name}}}"


def _sum_sign(each: Each) -> str:
    if each.condition is not None or each.last is None:
        return rf"\sum_{{{_range(each)}}}"
    last = expression_to_latex(each.last)
    return rf"\sum_{{{_symbol(each.variable)}={expression_to_latex(each.first)}}}^{{{last}}}"


def _range(each: Each) -> str:
    first = expression_to_latex(each.first)
    if each.last is None:
        text = rf"{_symbol(each.variable)} \geq {first}"
    else:
        text = rf"{_symbol(each.variable)}={first}..{expression_to_latex(each.last)}"
    return rf"{text},\ {expression_to_latex(each.condition)}" if each.condition else text


def _init(init: Init) -> str:
    state = f"{_symbol(init.state)}_{{{init.depth}}}"
    target = state if init.block is None else f"{_symbol(init.block)}_{{{init.depth}}}({state})"
    value = r"\text{absent}" if init.value is None else expression_to_latex(init.value)
    return f"{target} &= {value}"


def _param(param: Param) -> str:
    """The start of a learned coefficient, below the equations."""
    indices = ", ".join(str(index) for index in param.depths)
    name = f"{_symbol(param.name)}{f'_{{{indices}}}' if indices else ''}"
    kept = (
        "" if param.constraint is None else rf"\ \text{{in {param.constraint}}}".replace("_", " ")
    )
    return rf"{name} &\leftarrow {_start(param.start)}{kept}"


def _start(start: Expression) -> str:
    match start:
        case Name(name="identity"):
            return "I"
        case Map(function="one_hot", argument=place):
            return rf"e_{{{_tight(place)}}}"
    return expression_to_latex(start)


def _symbol(name: str) -> str:
    return name if len(name) == 1 else rf"\mathit{{{name}}}".replace("_", r"\_")
