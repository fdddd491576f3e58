"""Running sums: a history sum that grows by a term at each depth is not added up anew.

`sum(F(x[i]) for i in 0..l)` at depth l is the sum at depth l-1 and one term more, if the terms
and the filter depend on nothing but i. So a dense formula unrolls in time linear in the depth.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from recform.formula.ast import Each, Expression, Item, Name, Reduce, walk
from recform.formula.formula import Formula


class Accumulated(NamedTuple):
    """The sum so far: its value on the tape, how many terms are there, and what they read."""

    total: int | None = None
    present: int = 0
    deepest: int | None = None
    before_start: bool = False

    def plus(
        self, total: int | None, is_there: bool, deepest: int | None, before_start: bool
    ) -> Accumulated:
        if deepest is None or (self.deepest is not None and self.deepest > deepest):
            deepest = self.deepest
        return Accumulated(
            total, self.present + is_there, deepest, self.before_start or before_start
        )


class RunningSums:
    """For each history sum, how far it has been added up, from which start and on top of what."""

    def __init__(self, formula: Formula) -> None:
        # In a stage of its own a sum begins anew.
        items = () if formula.history else _items(formula)
        self._growing = {id(item) for item in items if grows(item)}
        self._reached: dict[tuple[int, int, Accumulated], tuple[int, Accumulated]] = {}
        self._bases: dict[tuple[int, int], Accumulated] = {}

    def resume(self, item: Item, indices: range, so_far: Accumulated) -> tuple[int, Accumulated]:
        """How many of the indices are added up already, and what they came to."""
        last, total = self._reached.get((id(item), indices.start, so_far), (None, so_far))
        if last is None or last not in indices:
            return 0, so_far
        self._bases[id(item), indices.start] = so_far
        return last - indices.start + 1, total

    def keep(
        self, item: Item, first: int, index: int, before: Accumulated, after: Accumulated
    ) -> None:
        """Remember the sum up to `index`; `before` is the sum without it."""
        if id(item) not in self._growing:
            return
        if index == first:
            self._bases[id(item), first] = before
        base = self._bases.get((id(item), first))
        if base is not None:
            self._reached[id(item), first, base] = (index, after)


def _items(formula: Formula) -> Iterator[Item]:
    expressions = [equation.right for equation in formula.equations]
    for expression in expressions:
        for inner in walk(expression):
            if isinstance(inner, Reduce):
                yield from inner.items


def grows(item: Item) -> bool:
    """Whether the terms depend on their index alone: no `l` in them nor in the filter, and no
    index of a sum around this one."""
    if item.each is None or item.each.last is None:
        return False
    condition = () if item.each.condition is None else (item.each.condition,)
    inside = [inner for part in (item.value, *condition) for inner in walk(part)]
    own = {each.variable for each in (item.each, *_ranges(inside))}
    return {inner.name for inner in inside if isinstance(inner, Name)} <= own | {"L"}


def _ranges(inside: Iterable[Expression]) -> Iterator[Each]:
    for inner in inside:
        if isinstance(inner, Reduce):
            yield from (item.each for item in inner.items if item.each is not None)
