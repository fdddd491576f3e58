"""The meaning of a formula's text, as plain immutable data.

A formula is a handful of equations between expressions. Expressions are values of the network
(reads of states, blocks, sums of such), scalars (numbers and depths) or conditions; which is
which is decided in `check`. Two formulas are equal when they say the same, whatever their
comments and layout: spans take no part in comparison.

>>> from recform.formula import parse
>>> parse("x[l+1] = F(x[l])").equations[0].right
Apply(block='F', index=None, argument=Read(state='x', index=Name(name='l')))
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, Union

from recform.errors import Span

NOWHERE = Span(1, 1, 1)


@dataclass(frozen=True)
class Number:
    """An exact rational: `2`, `1/3`, `0.1` (one tenth)."""

    value: Fraction
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Name:
    """A depth: `l`, `L`, or the index variable of a range."""

    name: str
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Read:
    """A state at a depth: `x[l-1]`."""

    state: str
    index: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Learned:
    """A learned coefficient: `a`, `a[l]`, `w[l, i]`."""

    name: str
    indices: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Apply:
    """A block with weights: `F(x[l])`, or `F[l](x[l-1])` with its index written out."""

    block: str
    index: Expression | None
    argument: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Map:
    """A function of one argument: an activation, `norm`, `sqrt(2)`; `drop(e, p)` has a number."""

    function: str
    argument: Expression
    number: Expression | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Each:
    """`for VARIABLE in FIRST..LAST if CONDITION`; without a last the range is open."""

    variable: str
    first: Expression
    last: Expression | None
    condition: Expression | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Item:
    """An argument of a reduction, once or for each index of a range."""

    value: Expression
    each: Each | None = None


@dataclass(frozen=True)
class Reduce:
    """`sum(...)`, `mean(...)`, or another function of several values, over items."""

    function: str
    items: tuple[Item, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Sum:
    """Terms with their signs, added from left to right."""

    terms: tuple[tuple[int, Expression], ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Negate:
    operand: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Binary:
    """`left operator right` for `*`, `/`, `%`, `^` and `@`."""

    operator: str
    left: Expression
    right: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Compare:
    """A chain of comparisons, as in Python: `0 < i <= l`."""

    operators: tuple[str, ...]
    operands: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Logic:
    operator: Literal["and", "or"]
    operands: tuple[Expression, ...]
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Not:
    operand: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Case:
    """`value if condition else otherwise`."""

    value: Expression
    condition: Expression
    otherwise: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


Expression = Union[  # noqa: UP007 - a recursive alias; Python 3.10 has no `type` statement
    Number,
    Name,
    Read,
    Learned,
    Apply,
    Map,
    Reduce,
    Sum,
    Negate,
    Binary,
    Compare,
    Logic,
    Not,
    Case,
]


@dataclass(frozen=True)
class Equation:
    """`state[l+1] = right` if `step`, else `state[l] = right`."""

    state: str
    step: bool
    right: Expression
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Init:
    """The start value of `state[depth]`, or of `block(state[depth])` if there is a block.

    `value` None means absent.
    """

    state: str
    depth: int
    block: str | None
    value: Expression | None
    span: Span = field(default=NOWHERE, compare=False, repr=False)


@dataclass(frozen=True)
class Param:
    """`param name[indices] = start in constraint(over)`: a learned coefficient and how it starts.

    An index is the name of a depth, "channel", or a number of streams.
    """

    name: str
    indices: tuple[str | int, ...]
    start: Expression
    constraint: str | None = None
    over: str | None = None
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def depths(self) -> tuple[str, ...]:
        """The indices that are depths, by which it is read."""
        names = [index for index in self.indices if isinstance(index, str)]
        return tuple(name for name in names if name != "channel")

    @property
    def entries(self) -> tuple[int, ...]:
        """The lengths of the indices that are streams."""
        return tuple(index for index in self.indices if isinstance(index, int))


@dataclass(frozen=True)
class Definition:
    """`block T = source(settings)`: a block from the library, or from Python ("module:name")."""

    block: str
    source: str
    settings: tuple[tuple[str, Fraction], ...] = ()
    span: Span = field(default=NOWHERE, compare=False, repr=False)

    @property
    def is_python(self) -> bool:
        return ":" in self.source


@dataclass(frozen=True)
class Stream:
    """`stream state[count] = input`: a state of several copies."""

    state: str
    count: int
    span: Span = field(default=NOWHERE, compare=False, repr=False)


def children(expression: Expression) -> tuple[Expression, ...]:
    """The expressions directly inside this one, from left to right."""
    match expression:
        case Number() | Name():
            return ()
        case Read(index=index):
            return (index,)
        case Learned(indices=indices):
            return indices
        case Apply(index=index, argument=argument):
            return (argument,) if index is None else (index, argument)
        case Map(argument=argument, number=number):
            return (argument,) if number is None else (argument, number)
        case Reduce(items=items):
            return tuple(inner for item in items for inner in _of_item(item))
        case Sum(terms=terms):
            return tuple(value for _, value in terms)
        case Negate(operand=operand) | Not(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
        case Compare(operands=operands) | Logic(operands=operands):
            return operands
        case Case(value=value, condition=condition, otherwise=otherwise):
            return (value, condition, otherwise)


def with_children(expression: Expression, parts: Iterable[Expression]) -> Expression:
    """The same expression made of other parts, which come in the order of `children`."""
    rest = iter(parts)
    match expression:
        case Number() | Name():
            return expression
        case Read():
            return replace(expression, index=next(rest))
        case Learned():
            return replace(expression, indices=tuple(rest))
        case Apply(index=index):
            written = None if index is None else next(rest)
            return replace(expression, index=written, argument=next(rest))
        case Map(number=number):
            argument = next(rest)
            return replace(
                expression, argument=argument, number=None if number is None else next(rest)
            )
        case Reduce(items=items):
            return replace(expression, items=tuple(_item_of(item, rest) for item in items))
        case Sum(terms=terms):
            return replace(expression, terms=tuple((sign, next(rest)) for sign, _ in terms))
        case Negate() | Not():
            return replace(expression, operand=next(rest))
        case Binary():
            return replace(expression, left=next(rest), right=next(rest))
        case Compare() | Logic():
            return replace(expression, operands=tuple(rest))
        case Case():
            return replace(expression, value=next(rest), condition=next(rest), otherwise=next(rest))


def walk(expression: Expression) -> Iterator[Expression]:
    """The expression and all inside it, outermost first."""
    stack = [expression]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(children(node)))


def _of_item(item: Item) -> tuple[Expression, ...]:
    if item.each is None:
        return (item.value,)
    each = item.each
    return (item.value, *(e for e in (each.first, each.last, each.condition) if e is not None))


def _item_of(item: Item, rest: Iterator[Expression]) -> Item:
    value = next(rest)
    if item.each is None:
        return Item(value)
    each = item.each
    first = next(rest)
    last = None if each.last is None else next(rest)
    condition = None if each.condition is None else next(rest)
    return Item(value, replace(each, first=first, last=last, condition=condition))
