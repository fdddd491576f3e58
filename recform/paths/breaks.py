"""What in a network breaks an equality of paths.

Paths go through activations, norms and projections as if these were not there. Two formulas with
the same paths are still different networks if one of these stands between terms that cancel, or
is applied to other sums: they are compared again with each such application a letter of its own,
to a depth at which every kind of step has occurred.

>>> from recform.formula import parse
>>> resnet_s = parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])")
>>> breaks(resnet_s, parse("x[l+1] = x[0] + F(x[l])"), depth=4)
('projection',)
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from recform.errors import UserError
from recform.formula import Formula
from recform.formula.ast import Map, walk
from recform.paths.difference import first_difference
from recform.paths.histories import row_of
from recform.paths.jets import Jet, Jets, LetterTable
from recform.paths.letters import kind_of_map
from recform.tape import Stages, place, unroll

MAX_DEPTH = 24
# Networks with one border, and with two, have at most so many blocks.
MAX_BLOCKS = {1: 6, 2: 4}


def breaks(left: Formula, right: Formula, depth: int) -> tuple[str, ...]:
    """Which of `activation`, `projection`, `norm` tell two formulas with equal paths apart."""
    found = []
    for kept, name in (("act", "activation"), ("projection", "projection"), ("norm", "norm")):
        if not all(_agree(left, right, kept, shape) for shape in _shapes(left, right, kept, depth)):
            found.append(name)
    return tuple(found)


def _shapes(left: Formula, right: Formula, kept: str, depth: int) -> Iterator[Stages]:
    """The networks in which formulas are compared with one kind kept."""
    if kept == "projection":
        yield from _borders(depth)
    elif any(_has_map(formula, kept) for formula in (left, right)):
        yield from (Stages((n,)) for n in range(1, min(depth, MAX_DEPTH) + 1))


def _has_map(formula: Formula, kept: str) -> bool:
    return any(
        isinstance(inner, Map) and kind_of_map(inner.function) == kept
        for top in formula.expressions
        for inner in walk(top)
    )


def _borders(depth: int) -> Iterator[Stages]:
    """Small networks with one border or two, at every place."""
    for number, most in MAX_BLOCKS.items():
        num_blocks = max(2, min(depth, most))
        for borders in combinations(range(num_blocks), number):
            yield Stages.between(borders, num_blocks)


def _agree(left: Formula, right: Formula, kept: str, stages: Stages) -> bool:
    table = LetterTable()
    jets = Jets(table, {kept})
    first, second = (_row(formula, stages, jets) for formula in (left, right))
    return first_difference(table, [first], [second]) is None


def _row(formula: Formula, stages: Stages, jets: Jets) -> Jet | None:
    try:
        return row_of(place(unroll(formula, sum(stages.lengths), stages)), jets)
    except UserError:
        return None
