"""What a formula costs each step: weights, values kept, calls, equations.

>>> from recform.formula import parse
>>> cost_of(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"))
Cost(parameters=1, states_kept=2, calls=1, equations=1)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from recform.formula import Formula, expression_to_text
from recform.formula.ast import (
    Apply,
    Binary,
    Expression,
    Map,
    Name,
    Negate,
    Number,
    Read,
    Sum,
    walk,
)
from recform.paths.recurrence import Recurrence
from recform.paths.settle import settle


@dataclass(frozen=True, order=True)
class Cost:
    """Compared from the first to the last.

    parameters: blocks with weights of their own at each depth; states_kept: values that are kept
    from one step to the next; calls: applications of blocks a step.
    """

    parameters: int
    states_kept: int
    calls: int
    equations: int

    def to_json(self) -> dict[str, int]:
        return {
            "parameters": self.parameters,
            "states_kept": self.states_kept,
            "calls": self.calls,
            "equations": self.equations,
        }


@dataclass(frozen=True)
class Upkeep:
    """The values that are kept after step l-1, and the calls of step l, as text."""

    kept: tuple[str, ...]
    calls: tuple[str, ...]


def cost_of(formula: Formula) -> Cost:
    """Raises NotSteadyError if the formula has no recurrence."""
    recurrence = settle(formula)
    upkeep = _upkeep(recurrence)
    names = {unknown.block for unknown in recurrence.unknowns if unknown.kind == "call"}
    return Cost(len(names), len(upkeep.kept), len(upkeep.calls), len(formula.equations))


def upkeep_of(formula: Formula) -> Upkeep:
    return _upkeep(settle(formula))


def _upkeep(recurrence: Recurrence) -> Upkeep:
    """State u[n] is computed in step n-1, a call u[n] in step n."""
    lengths = dict.fromkeys(range(len(recurrence.unknowns)), 0)
    for (reader, _), form in recurrence.forms.items():
        step = 0 if recurrence.unknowns[reader].kind == "call" else -1
        for unknown, delay in form:
            lengths[unknown] = max(lengths[unknown], _kept(recurrence, unknown, delay + step))
    for form in recurrence.output:
        for unknown, delay in form:
            lengths[unknown] = max(lengths[unknown], _kept(recurrence, unknown, delay))
    kept, calls = [], []
    for unknown, length in lengths.items():
        kept += [_text(recurrence, unknown, back) for back in range(length)]
        if recurrence.unknowns[unknown].kind == "call":
            calls.append(_text(recurrence, unknown, -1))
    return Upkeep(tuple(kept), tuple(calls))


def _kept(recurrence: Recurrence, unknown: int, delay: int) -> int:
    """How many values of an unknown are kept if u[l - delay] is read in step l."""
    match recurrence.unknowns[unknown].kind:
        case "held":
            return 1
        case "call":
            return delay
    return delay + 1


def _text(recurrence: Recurrence, unknown: int, back: int) -> str:
    """A kept value, the youngest with back = 0; a call of this step has back = -1."""
    kind = recurrence.unknowns[unknown].kind
    if kind == "held":
        return f"{recurrence.formula.main}[0]"
    steps = back + 1 if kind == "call" else back
    return expression_to_text(_moved(recurrence.expressions[unknown, 0], steps))


def _moved(expression: Expression, back: int) -> Expression:
    """The expression so many steps earlier, with plain indices, and only where they must be."""

    def inside(part: Expression) -> Expression:
        return _moved(part, back)

    match expression:
        case Read(state=state, index=index):
            return Read(state, _plain(index, back))
        case Apply(block=block, index=index, argument=argument):
            youngest = max((_offset(e.index) for e in walk(argument) if isinstance(e, Read)),
                           default=None)  # fmt: skip
            own = None if index is None else _offset(index)
            # Without an index a block takes the largest depth that it reads, l at most.
            is_usual = own is None or (youngest is not None and youngest >= own)
            written = None if is_usual or index is None else _plain(index, back)
            return Apply(block, written, inside(argument))
        case Map(argument=argument):
            return replace(expression, argument=inside(argument))
        case Sum(terms=terms):
            return Sum(tuple((sign, inside(value)) for sign, value in terms))
        case Negate(operand=operand):
            return Negate(inside(operand))
        case Binary(left=left, right=right):
            return replace(expression, left=inside(left), right=inside(right))
    return expression


def _plain(index: Expression, back: int) -> Expression:
    """l - d, moved."""
    offset = int(_offset(index)) - back
    if offset == 0:
        return Name("l")
    sign = 1 if offset > 0 else -1
    return Sum(((1, Name("l")), (sign, Number(Fraction(abs(offset))))))


def _offset(index: Expression) -> Fraction:
    """c of an index l + c."""
    match index:
        case Number(value=value):
            return value
        case Sum(terms=terms):
            return sum((sign * _offset(value) for sign, value in terms), Fraction(0))
    return Fraction(0)
