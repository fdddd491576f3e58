"""A formula as text in normal form, and as LaTeX.

`parse(to_text(formula)) == formula`: the normal form drops comments but the title, spells every
operator in ASCII, and spaces evenly.
"""

from __future__ import annotations

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
from recform.formula.depths import implied_index

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
            return str(value), _strength_of_number(value)
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
            return _sum_to_text(terms), SUM
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


def _strength_of_number(value: Fraction) -> int:
    # -1/2 is read as (-1)/2: a product of a unary minus, folded.
    if value.denominator != 1:
        return PRODUCT
    return ATOM if value >= 0 else UNARY


def _sum_to_text(terms: tuple[tuple[int, Expression], ...]) -> str:
    pieces = []
    for place, (sign, value) in enumerate(terms):
        if place:
            pieces.append(" + " if sign > 0 else " - ")
        pieces.append(expression_to_text(value, PRODUCT))
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


# --- LaTeX -------------------------------------------------------------------------------------

_RELATIONS = {"<=": r"\leq", ">=": r"\geq", "==": "=", "!=": r"\neq", "<": "<", ">": ">"}
_MAPS = {"sigmoid": r"\sigma", "tanh": r"\tanh"}


def to_latex(formula: Formula) -> str:
    r"""The equations as one `aligned` environment.

    >>> from recform.formula import parse
    >>> print(to_latex(parse("x[l+1] = x[l] + F(x[l])")))
    \begin{aligned}
    x_{l+1} &= x_{l} + F_{l}(x_{l})
    \end{aligned}
    """
    rows = [
        rf"{_symbol(e.state)}_{{{'l+1' if e.step else 'l'}}} &= {expression_to_latex(e.right)}"
        for e in formula.equations
    ]
    rows += [_init_to_latex(init) for init in formula.inits]
    rows += [_param_to_latex(param) for param in formula.params]
    if formula.output is not None:
        rows.append(rf"\text{{output}} &= {expression_to_latex(formula.output)}")
    return "\\begin{aligned}\n" + " \\\\\n".join(rows) + "\n\\end{aligned}"


def expression_to_latex(expression: Expression, at_least: int = CASE) -> str:
    text, strength = _latex_and_strength(expression)
    return text if strength >= at_least else rf"\left({text}\right)"


def _latex_and_strength(expression: Expression) -> tuple[str, int]:
    show = expression_to_latex
    match expression:
        case Number(value=value):
            return _latex_number(value), _strength_of_number(value)
        case Name(name=name):
            return _symbol(name), ATOM
        case Read(state=state, index=index):
            return f"{_symbol(state)}_{{{_tight_latex(index)}}}", ATOM
        case Apply():
            return _latex_of_block(expression), ATOM
        case Learned(name=name, indices=indices):
            depths = f"_{{{', '.join(_tight_latex(index) for index in indices)}}}"
            return f"{_symbol(name)}{depths if indices else ''}", ATOM
        case Map(function="sqrt", argument=argument):
            return rf"\sqrt{{{show(argument)}}}", ATOM
        case Map(function=function, argument=argument, number=number):
            symbol = _MAPS.get(function, _operator(function))
            second = "" if number is None else f",\\ {show(number)}"
            return rf"{symbol}\left({show(argument)}{second}\right)", ATOM
        case Reduce(function=function, items=items):
            return _latex_of_reduction(function, items)
        case Sum(terms=terms):
            signs = ["" if place == 0 else " + " if sign > 0 else " - "
                     for place, (sign, _) in enumerate(terms)]  # fmt: skip
            values = [show(value, PRODUCT) for _, value in terms]
            return "".join(s + v for s, v in zip(signs, values, strict=True)), SUM
        case Negate(operand=operand):
            return f"-{show(operand, UNARY)}", UNARY
        case Binary(operator="/", left=left, right=right):
            return rf"\frac{{{show(left)}}}{{{show(right)}}}", PRODUCT
        case Binary(operator="^", left=left, right=right):
            return f"{show(left, ATOM)}^{{{show(right)}}}", POWER
        case Binary(operator="%", left=left, right=right):
            return rf"{show(left, PRODUCT)} \bmod {show(right, UNARY)}", PRODUCT
        case Binary(left=left, right=right):
            return rf"{show(left, PRODUCT)}\,{show(right, UNARY)}", PRODUCT
        case Compare(operators=operators, operands=operands):
            rest = zip(operators, operands[1:], strict=True)
            pieces = [f" {_RELATIONS[o]} {show(operand, SUM)}" for o, operand in rest]
            return show(operands[0], SUM) + "".join(pieces), COMPARISON
        case Logic(operator=operator, operands=operands):
            word = rf"\ \text{{{operator}}}\ "
            return word.join(show(operand, NOT) for operand in operands), OR
        case Not(operand=operand):
            return rf"\text{{not}}\ {show(operand, NOT)}", NOT
        case Case():
            chosen, otherwise = arms(expression)
            rows = "".join(
                rf"{show(value)} & \text{{if }} {show(condition)} \\ "
                for value, condition in chosen
            )
            return (
                rf"\begin{{cases}} {rows}{show(otherwise)} & \text{{otherwise}} \end{{cases}}",
                ATOM,
            )


def _tight_latex(index: Expression) -> str:
    return expression_to_latex(index).replace(" + ", "+").replace(" - ", "-")


def _latex_number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value)
    sign = "-" if value < 0 else ""
    return rf"{sign}\tfrac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _latex_of_block(apply: Apply) -> str:
    """F_{l}(x_{l}): a block without an index shows the depth that it takes."""
    argument = expression_to_latex(apply.argument)
    bracketed = rf"\left({argument}\right)"
    if isinstance(apply.argument, Read):
        bracketed = f"({argument})"
    index = implied_index(apply.argument) if apply.index is None else apply.index
    below = "" if index is None else f"_{{{_tight_latex(index)}}}"
    return f"{_symbol(apply.block)}{below}{bracketed}"


def _latex_of_reduction(function: str, items: tuple[Item, ...]) -> tuple[str, int]:
    if function == "sum" and len(items) == 1 and items[0].each is not None:
        value = expression_to_latex(items[0].value, PRODUCT)
        return f"{_latex_of_sum_sign(items[0].each)} {value}", PRODUCT
    arguments = [
        expression_to_latex(item.value)
        + ("" if item.each is None else rf"\ \big|\ {_latex_range(item.each)}")
        for item in items
    ]
    return rf"{_operator(function)}\left({', '.join(arguments)}\right)", ATOM


def _operator(function: str) -> str:
    name = function.replace("_", r"\_")
    return rf"\operatorname{{{name}}}"


def _latex_of_sum_sign(each: Each) -> str:
    if each.condition is not None or each.last is None:
        return rf"\sum_{{{_latex_range(each)}}}"
    last = expression_to_latex(each.last)
    return rf"\sum_{{{_symbol(each.variable)}={expression_to_latex(each.first)}}}^{{{last}}}"


def _latex_range(each: Each) -> str:
    first = expression_to_latex(each.first)
    if each.last is None:
        text = rf"{_symbol(each.variable)} \geq {first}"
    else:
        text = rf"{_symbol(each.variable)}={first}..{expression_to_latex(each.last)}"
    return rf"{text},\ {expression_to_latex(each.condition)}" if each.condition else text


def _init_to_latex(init: Init) -> str:
    state = f"{_symbol(init.state)}_{{{init.depth}}}"
    target = state if init.block is None else f"{_symbol(init.block)}_{{{init.depth}}}({state})"
    value = r"\text{absent}" if init.value is None else expression_to_latex(init.value)
    return f"{target} &= {value}"


def _param_to_latex(param: Param) -> str:
    """The start of a learned coefficient, below the equations."""
    indices = ", ".join(str(index) for index in param.depths)
    name = f"{_symbol(param.name)}{f'_{{{indices}}}' if indices else ''}"
    kept = (
        "" if param.constraint is None else rf"\ \text{{in {param.constraint}}}".replace("_", " ")
    )
    return rf"{name} &\leftarrow {_start_to_latex(param.start)}{kept}"


def _start_to_latex(start: Expression) -> str:
    match start:
        case Name(name="identity"):
            return "I"
        case Map(function="one_hot", argument=place):
            return rf"e_{{{_tight_latex(place)}}}"
    return expression_to_latex(start)


def _symbol(name: str) -> str:
    return name if len(name) == 1 else rf"\mathit{{{name}}}".replace("_", r"\_")
