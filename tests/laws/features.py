"""What the core language has, as a table: a name, and how to see it in a formula.

The random formulas are held to this table, not to the code that writes them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from recform.formula import Formula
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Each,
    Expression,
    Map,
    Name,
    Negate,
    Number,
    Read,
    Reduce,
    Sum,
    children,
    walk,
)

LAYER = Name("l")
NEXT = Sum(((1, LAYER), (1, Number(Fraction(1)))))
BEFORE = Sum(((1, LAYER), (-1, Number(Fraction(1)))))
ACTIVATIONS = ("act", "relu", "gelu", "silu", "tanh", "sigmoid", "norm")


def nodes(formula: Formula) -> Iterator[Expression]:
    """Every expression in the formula, however deep."""
    for equation in formula.equations:
        yield from walk(equation.right)
    for init in formula.inits:
        yield from walk(init.value) if init.value is not None else ()
    yield from walk(formula.output) if formula.output is not None else ()


def _ranges(formula: Formula) -> Iterator[tuple[Reduce, Each]]:
    for node in nodes(formula):
        if isinstance(node, Reduce):
            yield from ((node, item.each) for item in node.items if item.each is not None)


def _is_number(expression: Expression) -> bool:
    return not any(isinstance(node, Read | Apply | Map) for node in walk(expression))


def _coefficients(formula: Formula) -> Iterator[Expression]:
    """What values are multiplied by, or divided by."""
    for node in nodes(formula):
        if isinstance(node, Binary) and not _is_number(node):
            yield from (side for side in (node.left, node.right) if _is_number(side))


def _calls(formula: Formula) -> Iterator[Apply]:
    yield from (node for node in nodes(formula) if isinstance(node, Apply))


def _mentions(expression: Expression, name: str) -> bool:
    return any(node == Name(name) for node in walk(expression))


def _reads_a_later_equation(formula: Formula) -> bool:
    places = {equation.state: k for k, equation in enumerate(formula.equations)}
    return any(
        isinstance(node, Read) and places[node.state] > place
        for place, equation in enumerate(formula.equations)
        for node in walk(equation.right)
    )


def _case_inside(formula: Formula) -> bool:
    return any(
        isinstance(part, Case) for node in nodes(formula) for part in children(node)
        if not isinstance(node, Case)
    )  # fmt: skip


def _sums_in_parentheses(formula: Formula) -> bool:
    return any(
        isinstance(part, Sum)
        for node in nodes(formula)
        if isinstance(node, Binary | Negate | Sum)
        for part in children(node)
    )


def _depths_read_out(formula: Formula) -> int:
    if formula.output is None:
        return 0
    reads = {node.index for node in walk(formula.output) if isinstance(node, Read)}
    return len(reads) + any(isinstance(node, Each) for node in walk(formula.output))


def _calls_inside(call: Apply) -> bool:
    return any(isinstance(node, Apply) for node in walk(call.argument))


def _inits(formula: Formula, depth: int, block: bool = False) -> bool:
    return any(i.depth == depth and (i.block is not None) == block for i in formula.inits)


FEATURES: dict[str, Callable[[Formula], bool]] = {
    "several step states": lambda f: len(f.steps) > 1,
    "auxiliary equations": lambda f: len(f.steps) < len(f.equations),
    "main state not x": lambda f: f.main != "x",
    "an equation reads one written below it": _reads_a_later_equation,
    "another state at depth l+1": lambda f: any(
        isinstance(n, Read) and n.index == NEXT for n in nodes(f)
    ),
    "an older state": lambda f: any(isinstance(n, Read) and n.index == BEFORE for n in nodes(f)),
    "a block used again": lambda f: any(
        c.index is None and isinstance(c.argument, Read) and c.argument.index == BEFORE
        for c in _calls(f)
    ),
    "F[l]": lambda f: any(c.index == LAYER for c in _calls(f)),
    "F[0]": lambda f: any(c.index == Number(Fraction(0)) for c in _calls(f)),
    "F[l-1]": lambda f: any(c.index == BEFORE for c in _calls(f)),
    "block G": lambda f: any(c.block == "G" for c in _calls(f)),
    "nested calls": lambda f: any(_calls_inside(c) for c in _calls(f)),
    "F(F(e))": lambda f: any(isinstance(c.argument, Apply) for c in _calls(f)),
    "a call on a sum with a call": lambda f: any(
        isinstance(c.argument, Sum) and _calls_inside(c) for c in _calls(f)
    ),
    "a fraction": lambda f: any(
        isinstance(c, Number) and c.value.denominator > 1 for c in _coefficients(f)
    ),
    "a negative constant": lambda f: any(
        isinstance(c, Number) and c.value < 0 for c in _coefficients(f)
    ),
    "division": lambda f: any(
        isinstance(n, Binary) and n.operator == "/" and not _is_number(n) for n in nodes(f)
    ),
    "subtraction": lambda f: any(
        isinstance(n, Sum) and not _is_number(n) and any(s < 0 for s, _ in n.terms)
        for n in nodes(f)
    ),
    "unary minus": lambda f: any(isinstance(n, Negate) and not _is_number(n) for n in nodes(f)),
    "parentheses": _sums_in_parentheses,
    "init at 0": lambda f: _inits(f, 0),
    "init at -1": lambda f: _inits(f, -1),
    "init of a block": lambda f: _inits(f, -1, block=True),
    "init absent": lambda f: any(i.value is None for i in f.inits),
    "init 0": lambda f: any(i.value == Number(Fraction(0)) for i in f.inits),
    "one other input": lambda f: len(f.inputs) == 1 and f.inputs != (f.main,),
    "several inputs": lambda f: len(f.inputs) > 1,
    "an output": lambda f: f.output is not None,
    "an output of several depths": lambda f: _depths_read_out(f) > 1,
    "sum over a range": lambda f: any(r.function == "sum" for r, _ in _ranges(f)),
    "mean over a range": lambda f: any(r.function == "mean" for r, _ in _ranges(f)),
    "a filter": lambda f: any(e.condition is not None for _, e in _ranges(f)),
    "an open range": lambda f: any(e.last is None for _, e in _ranges(f)),
    "an open range of powers": lambda f: any(
        e.last is None and any(isinstance(n, Binary) and n.operator == "^" for n in walk(r))
        for r, e in _ranges(f)
    ),
    "several arguments": lambda f: any(
        isinstance(n, Reduce) and len(n.items) > 1 and not _is_number(n) for n in nodes(f)
    ),
    "a case": lambda f: any(isinstance(e.right, Case) for e in f.equations),
    "a case inside": _case_inside,
    "a coefficient with l": lambda f: any(_mentions(c, "l") for c in _coefficients(f)),
    "a coefficient with L": lambda f: any(_mentions(c, "L") for c in _coefficients(f)),
    "a power": lambda f: any(
        isinstance(n, Binary) and n.operator == "^" for c in _coefficients(f) for n in walk(c)
    ),
    "a sum of numbers": lambda f: any(
        isinstance(n, Reduce) for c in _coefficients(f) for n in walk(c)
    ),
    **{
        name: lambda f, name=name: any(isinstance(n, Map) and n.function == name for n in nodes(f))
        for name in ACTIVATIONS
    },
}
