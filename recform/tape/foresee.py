"""The steps that a formula's sums take at least, before any is taken.

A sum over a range inside another takes as many steps as the product of their lengths, at each depth
anew. What is beyond the budget is so refused at once, and not when the budget is spent. An inner
range that depends on the outer index is taken at the middle one: for ends that grow evenly, as in
`0..i`, that is its mean length.

Nothing is foreseen that may not be done: what a case or a filter leaves out, what a range without
an end reads, and sums that go on from depth to depth (`running`).

>>> from recform.formula import parse
>>> nested = parse("x[l+1] = sum(sum(F(x[l-i-j]) for j in 0..l) for i in 0..l)")
>>> least_steps(nested, {"l": 9, "L": 10, "s": 0})  # 100 times an index, F and x; 10 times an index
310
"""

from __future__ import annotations

from recform.errors import FormulaError
from recform.formula.ast import (
    Apply,
    Case,
    Expression,
    Item,
    Learned,
    Read,
    Reduce,
    children,
    walk,
)
from recform.formula.formula import Formula
from recform.tape.running import grows
from recform.tape.scalar import Budget, Names, each_index


def has_ranges(formula: Formula) -> bool:
    """Whether there is anything to foresee."""
    inside = (inner for equation in formula.equations for inner in walk(equation.right))
    return any(
        item.each is not None and not grows(item)
        for inner in inside
        if isinstance(inner, Reduce)
        for item in inner.items
    )


def least_steps(formula: Formula, names: Names) -> int:
    """How many steps all equations take at one depth, or a few less; 0 if they go wrong there."""
    try:
        return sum(_steps(equation.right, names) for equation in formula.equations)
    except FormulaError:
        # Unrolling tells it, in its order.
        return 0


def _steps(expression: Expression, names: Names) -> int:
    match expression:
        case Case():
            return 0
        case Reduce(items=items):
            return sum(_item_steps(item, names) for item in items)
    own = isinstance(expression, (Read, Apply, Learned))
    return own + sum(_steps(part, names) for part in children(expression))


def _item_steps(item: Item, names: Names) -> int:
    each = item.each
    if each is None:
        return _steps(item.value, names)
    if each.last is None or grows(item) or _has_sum(each.first) or _has_sum(each.last):
        return 0
    indices = each_index(item, names, Budget(None, 0))
    if not indices:
        return 0
    if each.condition is not None:
        return len(indices)
    middle = indices[(len(indices) - 1) // 2]
    return len(indices) * (1 + _steps(item.value, {**names, each.variable: middle}))


def _has_sum(expression: Expression) -> bool:
    return any(isinstance(inner, Reduce) for inner in walk(expression))
