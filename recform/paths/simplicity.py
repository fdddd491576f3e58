"""How simple a formula is as it is written, for comparing formulas that are equal.

First its *rank*: how many values are carried over from one depth to the next. Each unknown of the
recurrence is carried for as many depths as it is read back: `x[l] + F(x[l]) - F(x[l-1])` carries
x[l] and F(x[l-1]), `x[0] + F(x[l])` carries x[l] and x[0]. Then the number of values read, a
history sum counting for two more than its terms, and then how many of these are older than l.

>>> from recform.formula import parse
>>> [simplicity(parse(text)) for text in
...  ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "x[l+1] = x[0] + F(x[l])")]
[Simplicity(rank=2, num_terms=3, num_older=1), Simplicity(rank=2, num_terms=2, num_older=1)]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from recform.formula import Formula
from recform.formula.ast import Each, Expression, Name, Number, Read, Reduce, Sum, walk
from recform.formula.kinds import kind
from recform.paths.recurrence import Recurrence
from recform.paths.settle import settle


@dataclass(frozen=True, order=True)
class Simplicity:
    """Less is simpler, compared in this order."""

    rank: int
    num_terms: int
    num_older: int


def simplicity(formula: Formula) -> Simplicity:
    """Raises NotSteadyError if the formula has no recurrence."""
    reads = list(_reads(formula))
    return Simplicity(
        rank=sum(_carried(settle(formula)).values()),
        num_terms=len(reads) + 2 * sum(1 for _ in _histories(formula)),
        num_older=sum(1 for read in reads if not _is_new(read.index))
        + sum(1 for _ in _histories(formula)),
    )


def _carried(recurrence: Recurrence) -> dict[int, int]:
    """For each unknown how many of its values later ones are computed from.

    At depth n the states of steps are known up to n, all else (what a step computes on its way) up
    to n - 1.
    """
    equations = recurrence.formula.equations
    steps = {k for k, equation in enumerate(equations) if equation.step}
    carried = dict.fromkeys(range(len(recurrence.unknowns)), 0)
    for (reader, _), form in recurrence.forms.items():
        # A step computes its value of depth n + 1, all else what stands at depth n.
        ahead = 0 if reader in steps else 1
        for unknown, delay in form:
            known = delay + ahead if unknown in steps else delay + ahead - 1
            carried[unknown] = max(carried[unknown], known)
    return carried


def _reads(formula: Formula) -> Iterator[Read]:
    for expression in _written(formula):
        yield from (inner for inner in walk(expression) if isinstance(inner, Read))


def _histories(formula: Formula) -> Iterator[Each]:
    """The ranges of sums of values, from a fixed depth on."""
    for expression in _written(formula):
        for inner in walk(expression):
            if isinstance(inner, Reduce) and kind(inner) != "number":
                yield from (item.each for item in inner.items if item.each is not None)


def _written(formula: Formula) -> Iterator[Expression]:
    yield from (equation.right for equation in formula.equations)
    if formula.output is not None:
        yield formula.output


def _is_new(index: Expression) -> bool:
    """Whether a read is at l, l+1 or L, or at the index of a range."""
    match index:
        case Name():
            return True
        case Sum(terms=((1, Name()), (1, Number()))):
            return True
    return False
