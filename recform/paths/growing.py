"""Sums over ranges that grow with the depth, as sums that grow by a term at each depth.

    sum(F(x[i]) for i in 0..l)       the terms depend on their index i alone
    sum(x[l-k] for k in 1..l)        the terms depend on l - k alone, which plays the part of i

A term may depend on l itself by its residue only, as in `if i % 2 == l % 2`: then there is one sum
for each residue of l.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from recform.formula.ast import Each, Expression, Item, Name
from recform.paths.affine import (
    DEPTH,
    FREE_DEPTH,
    Affine,
    Names,
    NotSteadyError,
    Steady,
    offset_of,
)
from recform.paths.substitute import LAYER, number_of, substitute


@dataclass(frozen=True)
class Growing:
    """A sum of value(j) for j in first..n + newest, if condition(j): what j stands for is in
    `names`. `item` is the same sum for j in first..l, as an item of a Reduce."""

    value: Expression
    condition: Expression | None
    names: Names
    first: int
    newest: int
    item: Item
    free_residue: int | None


def by_index(
    item: Item, each: Each, names: Names, steady: Steady, free_residue: int | None
) -> Growing:
    """sum(e[i] for i in a..l+c): the terms depend on their index alone.

    Raises NotSteadyError for any other range.
    """
    if each.last is None:
        raise NotSteadyError("the terms of an open range do not go back one depth each")
    first = int(steady.number(each.first, names).offset)
    newest = offset_of(steady.number(each.last, names))
    return _growing(item, each, names, DEPTH, first, newest, free_residue)


def by_distance(
    item: Item, each: Each, names: Names, steady: Steady, free_residue: int | None
) -> Growing:
    """sum(e[l-k] for k in a..l+c): the terms depend on l - k alone. j stands for n - k.

    Raises NotSteadyError for any other range.
    """
    newest = -int(steady.number(each.first, names).offset)
    if each.last is None:
        raise NotSteadyError("a range reads depths that do not follow one another")
    first = -offset_of(steady.number(each.last, names))
    return _growing(item, each, names, FREE_DEPTH - DEPTH, first, newest, free_residue)


def _growing(
    item: Item, each: Each, names: Names, variable: Affine, first: int, newest: int,
    free_residue: int | None,
) -> Growing:  # fmt: skip
    outer = {name: Affine(Fraction(0), at.offset, at.slope)
             for name, at in names.items() if not at.free_slope}  # fmt: skip
    inner: dict[str, Affine] = {**outer, each.variable: variable}
    # The terms depend on the free depth by its residue at most, so any depth of it will do.
    any_depth = Fraction(free_residue or 0)
    meant = {name: Affine(at.slope, at.offset + at.free_slope * any_depth)
             for name, at in inner.items()}  # fmt: skip
    index = Name(each.variable)
    value = substitute(item.value, meant, depth=index)
    condition = None if each.condition is None else substitute(each.condition, meant, depth=index)
    range_ = Each(each.variable, number_of(first), LAYER, condition)
    return Growing(item.value, each.condition, inner, first, newest, Item(value, range_),
                    free_residue)  # fmt: skip
