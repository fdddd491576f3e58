"""The index that a block takes from its argument, where one can be told for all depths at once.

Without an index a block takes the largest depth that its argument reads, and at most l. To typeset
a formula that index is wanted as a formula of l, not as a number:

    F(norm(x[l]))                          F_l
    F(x[l-1] + x[l])                       F_l
    F(x[l-1] + x[0])                       none: block 0 at l = 0, block l-1 after it
    F(cat(x[0], y[i] for i in 0..l))       F_l

>>> from recform.formula import parse
>>> implied_index(parse("x[l+1] = F(norm(x[l-1]))").equations[0].right.argument).terms[1]
(-1, Number(value=Fraction(1, 1)))
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Each,
    Expression,
    Item,
    Learned,
    Map,
    Name,
    Negate,
    Number,
    Read,
    Reduce,
    Sum,
)


@dataclass(frozen=True)
class _Depth:
    """A name and what is added to it, `l - 1`; without a name a number."""

    name: str
    offset: int

    def is_at_least(self, other: _Depth) -> bool:
        """Whether it is never below the other: l and s are not negative, and s is at most l."""
        below = {"L": ("L", "l", "s", ""), "l": ("l", "s", ""), "s": ("s", "")}
        return other.name in below.get(self.name, (self.name,)) and self.offset >= other.offset

    def shown(self) -> Expression:
        size = Number(Fraction(abs(self.offset)))
        if not self.name:
            return Number(Fraction(self.offset))
        if not self.offset:
            return Name(self.name)
        return Sum(((1, Name(self.name)), (1 if self.offset > 0 else -1, size)))


def implied_index(argument: Expression) -> Expression | None:
    """The index of a block that is applied to this, None if it is no one formula of depths."""
    deepest = _deepest(argument)
    if deepest is None:
        return argument.index if isinstance(argument, Read) else None
    # A block's index is at most the l of its equation, and at most L-1: G(x[l+1]) is G[l].
    last = _Depth("L", -1) if deepest.name == "L" else _Depth("l", 0)
    return last.shown() if deepest.is_at_least(last) else deepest.shown()


def _deepest(expression: Expression) -> _Depth | None:
    """The largest depth that is read, if it is the same at all depths that l can have."""
    reads = _reads(expression)
    if not reads:
        return None
    for depth in reads:
        if all(depth.is_at_least(other) for other in reads):
            return depth
    return None


def _reads(expression: Expression) -> list[_Depth]:
    """The depths that are read; empty if one of them is not known."""
    match expression:
        case Read(index=index):
            depth = _depth(index)
            return [] if depth is None else [depth]
        case Apply(argument=inner) | Map(argument=inner) | Negate(operand=inner):
            return _reads(inner)
        case Sum(terms=terms):
            return _of_all(value for _, value in terms)
        case Binary(left=left, right=right):
            return _of_all((left, right))
        case Reduce(items=items):
            found = [_of_item(item) for item in items]
            return [depth for depths in found for depth in depths] if all(found) else []
        case Case(value=value, otherwise=otherwise):
            first, second = _deepest(value), _deepest(otherwise)
            return [first] if first is not None and first == second else []
    return []


def _of_all(parts: Iterable[Expression]) -> list[_Depth]:
    """The depths of several parts; those that are numbers or coefficients read nothing."""
    found = [_reads(part) for part in parts if not _is_plain(part)]
    return [depth for depths in found for depth in depths] if all(found) else []


def _is_plain(expression: Expression) -> bool:
    """Whether there is no state in it."""
    match expression:
        case Number() | Name() | Learned():
            return True
        case Binary(left=left, right=right):
            return _is_plain(left) and _is_plain(right)
        case Sum(terms=terms):
            return all(_is_plain(value) for _, value in terms)
        case Negate(operand=inner) | Map(argument=inner):
            return _is_plain(inner)
    return False


def _of_item(item: Item) -> list[_Depth]:
    if item.each is None:
        return _reads(item.value)
    deepest, last = _deepest(item.value), _last(item.each)
    if deepest is None or deepest.name != item.each.variable or last is None:
        return []
    return [_Depth(last.name, last.offset + deepest.offset)]


def _last(each: Each) -> _Depth | None:
    """The last index of a range, if there always is one."""
    if each.last is None or each.condition is not None:
        return None
    first, last = _depth(each.first), _depth(each.last)
    return last if first and last and last.is_at_least(first) else None


def _depth(index: Expression) -> _Depth | None:
    """l - 1 as a name and an offset, or a number."""
    match index:
        case Name(name=name):
            return _Depth(name, 0)
        case Number(value=value) if value.denominator == 1:
            return _Depth("", int(value))
        case Sum(terms=((1, Name(name=name)), (sign, Number(value=value)))):
            return _Depth(name, sign * int(value)) if value.denominator == 1 else None
    return None
