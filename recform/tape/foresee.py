"""The steps that a formula's sums take, before any is taken.

A sum over a range inside another takes as many steps as the product of their lengths, at each depth
anew. What is beyond the budget is so refused at once, and not when the budget is spent. An
expression is first read as the steps that it takes anyway, and the ranges and cases inside it:

    sum(F(x[l-i]) + x[i] for i in 0..l)     1, and for each i: 1 and 1 + 2 + 1

Then only those are gone through, at the ends that they have at a depth. What cannot be told counts
as nothing: what a range without an end reads, and sums that go on from depth to depth (`running`).

>>> from recform.formula import parse
>>> nested = parse("x[l+1] = sum(sum(F(x[l-i-j]) for j in 0..l) for i in 0..l)")
>>> take = steps_of(nested)  # 1; 10 times an index and a sum; 100 times an index, F and x
>>> least_steps(take, {"l": 9, "L": 10, "s": 0}, 10**6)
321
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from recform.errors import FormulaError
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Expression,
    Item,
    Map,
    Name,
    Negate,
    Read,
    Reduce,
    Sum,
    walk,
)
from recform.formula.formula import Formula
from recform.formula.kinds import kind
from recform.tape.running_sums import grows
from recform.tape.scalar import MAX_RANGE, Budget, Names, condition, each_index


@dataclass(frozen=True)
class Steps:
    """Steps that are taken anyway, and those of ranges and cases."""

    own: int = 0
    parts: tuple[_Range | _Choice, ...] = ()

    def __add__(self, other: Steps) -> Steps:
        return Steps(self.own + other.own, self.parts + other.parts)


@dataclass(frozen=True)
class _Range:
    """`inner` for each index; `varies` if it depends on which."""

    item: Item
    inner: Steps
    varies: bool


@dataclass(frozen=True)
class _Choice:
    case: Case
    value: Steps
    otherwise: Steps


# Whether a filter or case holds; None counts as what takes more steps.
_Decide = Callable[[Expression, Names], bool | None]


def has_ranges(formula: Formula) -> bool:
    """Whether there is anything to foresee."""
    inside = (inner for equation in formula.equations for inner in walk(equation.right))
    return any(
        item.each is not None and not grows(item)
        for inner in inside
        if isinstance(inner, Reduce)
        for item in inner.items
    )


def steps_of(formula: Formula) -> Steps:
    """What all equations take at one depth."""
    has_block_starts = any(init.block is not None for init in formula.inits)
    return _total(_value(equation.right, has_block_starts) for equation in formula.equations)


def most_steps(steps: Steps, names: Names, limit: int) -> int:
    """The steps at one depth if every filter lets pass; may stop counting at `limit`."""
    return _at_depth(steps, names, lambda test, inner: None, limit)


def least_steps(steps: Steps, names: Names, limit: int) -> int:
    """The steps at one depth, or a few less; 0 if they go wrong there. May stop at `limit`."""
    return _at_depth(steps, names, _holds, limit)


def _holds(test: Expression, names: Names) -> bool:
    return condition(test, names, Budget(None, MAX_RANGE))


def _at_depth(steps: Steps, names: Names, decide: _Decide, limit: int) -> int:
    try:
        return _count(steps, names, decide, limit)
    except FormulaError:
        # Unrolling tells it, in its order.
        return 0


# --- from expressions --------------------------------------------------------------------------


def _value(expression: Expression, has_block_starts: bool) -> Steps:
    """As `Lowering.value` goes."""

    def inside(part: Expression) -> Steps:
        return _value(part, has_block_starts)

    one = Steps(1)
    if kind(expression) == "number":
        return one
    match expression:
        case Apply(index=None, argument=Read()) if has_block_starts:
            return one
        case Apply(argument=argument) | Map(argument=argument):
            return one + inside(argument)
        case Sum(terms=terms):
            return one + _total(inside(_bare(term)) for _, term in terms)
        case Negate() | Binary() if (bare := _bare(expression)) is not expression:
            return one + inside(bare)
        case Binary(operator="*", left=left, right=right):
            return one + inside(left) + inside(right)
        case Case(value=value, otherwise=otherwise):
            return one + Steps(0, (_Choice(expression, inside(value), inside(otherwise)),))
        case Reduce(items=items):
            return one + _total(_item(item, inside(item.value)) for item in items)
    return one


def _bare(expression: Expression) -> Expression:
    """The value that constants multiply, as they cost no step."""
    while True:
        match expression:
            case Negate(operand=operand):
                expression = operand
            case Binary(left=left, right=right) if kind(left) == "number" != kind(right):
                expression = right
            case Binary(left=left, right=right) if kind(right) == "number" != kind(left):
                expression = left
            case _:
                return expression


def _item(item: Item, inner: Steps) -> Steps:
    each = item.each
    if each is None:
        return inner
    if each.last is None or grows(item) or _has_sum(each.first) or _has_sum(each.last):
        return Steps()
    return Steps(0, (_Range(item, inner, _depends(inner, each.variable)),))


def _has_sum(expression: Expression) -> bool:
    return any(isinstance(inner, Reduce) for inner in walk(expression))


def _depends(steps: Steps, variable: str) -> bool:
    """Whether ranges or cases read an index, if only within a range of the same name."""
    read: list[Expression] = []
    for part in steps.parts:
        if isinstance(part, _Choice):
            inside = (part.value, part.otherwise)
            read.append(part.case.condition)
        else:
            inside, each = (part.inner,), part.item.each
            assert each is not None, "only items with a range are ranges"
            ends = (each.first, each.last, each.condition)
            read += [end for end in ends if end is not None]
        if any(_depends(inner, variable) for inner in inside):
            return True
    return any(inner == Name(variable) for top in read for inner in walk(top))


def _total(steps: Iterable[Steps]) -> Steps:
    return sum(steps, Steps())


# --- at a depth --------------------------------------------------------------------------------


def _count(steps: Steps, names: Names, decide: _Decide, limit: int) -> int:
    total = steps.own
    for part in steps.parts:
        if isinstance(part, _Choice):
            total += _of_choice(part, names, decide, limit - total)
        else:
            total += _of_range(part, names, decide, limit - total)
        if total > limit:
            break
    return total


def _of_choice(choice: _Choice, names: Names, decide: _Decide, limit: int) -> int:
    holds = decide(choice.case.condition, names)
    sides = {True: [choice.value], False: [choice.otherwise],
             None: [choice.value, choice.otherwise]}[holds]  # fmt: skip
    return max(_count(side, names, decide, limit) for side in sides)


def _of_range(part: _Range, names: Names, decide: _Decide, limit: int) -> int:
    each = part.item.each
    assert each is not None, "only items with a range are ranges"
    indices = each_index(part.item, names, Budget(None, 0))
    if not indices:
        return 0
    first = {**names, each.variable: indices[0]}
    if each.condition is None and not part.varies:
        return len(indices) * (1 + _count(part.inner, first, decide, limit))
    total = 0
    for index in indices:
        total += 1
        inner = {**names, each.variable: index}
        if each.condition is None or decide(each.condition, inner) is not False:
            total += _count(part.inner, inner, decide, limit - total)
        if total > limit:
            break
    return total
