"""What the unknowns of a recurrence are before it holds: their first values, from a tape.

Near the start terms are absent and cases differ, so the first values are not computed by the
recurrence but by the formula itself: calls and running sums are given names of their own, and the
formula is unrolled to a small depth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from recform.errors import UserError
from recform.formula.ast import (
    Apply,
    Binary,
    Case,
    Compare,
    Each,
    Equation,
    Expression,
    Item,
    Name,
    Negate,
    Number,
    Read,
    Reduce,
    Sum,
    walk,
)
from recform.formula.formula import Formula
from recform.paths.affine import DEPTH, NotSteadyError
from recform.paths.derivative import counted
from recform.paths.recurrence import Recurrence
from recform.paths.start import sources_of
from recform.paths.substitute import substitute
from recform.tape import Algebra, Tape, fold, operands, unroll

# Depths up to which first values are worth unrolling for.
MAX_TRANSIENT = 2_000

_OUTPUT = "_output"


@dataclass(frozen=True)
class Transient:
    """`values[u][n]` of every unknown u and `rows[n]` of the output, for n < `depth`.

    Zero (`absent`) where there is nothing. From `depth` on the recurrence holds.
    """

    depth: int
    values: tuple[tuple[Any, ...], ...]
    rows: tuple[Any, ...]


def transient(
    recurrence: Recurrence, start: int, algebra: Algebra[Any], one: Any, absent: Any
) -> Transient:
    """The first values in an algebra, x[start] of the main state being `one`.

    Raises NotSteadyError if the recurrence does not hold after all: means of absent values, or
    values of later depths that are the same as x[start].
    """
    formula = recurrence.formula
    depth = max(recurrence.settled, start + 1) + 2 * (recurrence.lag + recurrence.period) + 1
    if depth > MAX_TRANSIENT:
        raise NotSteadyError(f"the recurrence holds only from depth {depth:,} on")
    names = [f"_{place}" for place in range(len(recurrence.unknowns))]
    # A start value that calls a block does not exist before the block does.
    calls_early = any(init.value is not None and _calls(init.value) for init in formula.inits)
    last = None if calls_early else _output_as_step(formula)
    tape = _unroll(with_names(recurrence, names, last), depth)
    _check(tape, recurrence, names, start, depth)
    tape, source = counted(tape, start)
    meanings = _meanings(tape, source, algebra, one)
    values = tuple(
        tuple(meanings.get(tape.states.get((name, n), -1), absent) for n in range(depth))
        for name in names
    )
    if formula.output is None and not calls_early:
        [(main, _)] = recurrence.output[0]
        return Transient(depth, values, values[main])
    # No block is there at depth 0.
    num_unrolled = depth if last is None else 1
    rows = [_row(formula, n, start, algebra, one, absent) for n in range(num_unrolled)]
    rows += [meanings.get(tape.states.get((_OUTPUT, n), -1), absent)
             for n in range(num_unrolled, depth)]  # fmt: skip
    return Transient(depth, values, tuple(rows))


def _calls(expression: Expression) -> bool:
    return any(isinstance(inner, Apply) for inner in walk(expression))


def _output_as_step(formula: Formula) -> Equation | None:
    """The output at depth l+1 as one more state, if it is a plain sum of older values.

    At every depth the blocks and states are then those of the formula unrolled down to it.
    """
    if formula.output is None:
        return None
    for part in walk(formula.output):
        match part:
            case Read(state=state, index=index):
                is_step = any(e.step for e in formula.equations if e.state == state)
                if _behind_last(index) not in range(0 if is_step else 1, MAX_TRANSIENT):
                    return None
            case Apply(index=index):
                if index is not None and _behind_last(index) not in range(1, MAX_TRANSIENT):
                    return None
            case Sum() | Negate() | Binary() | Number() | Name():
                pass
            case _:
                return None
    return Equation(_OUTPUT, True, substitute(formula.output, {"L": DEPTH + 1}))


def _behind_last(index: Expression) -> Fraction | None:
    """c of an index L - c."""
    match index:
        case Name("L"):
            return Fraction(0)
        case Sum(terms=((1, Name("L")), (-1, Number(value=value)))):
            return value
    return None


def with_names(
    recurrence: Recurrence, names: list[str], another: Equation | None = None
) -> Formula:
    """The formula with an auxiliary quantity for each unknown, and another equation if there is
    one; all of them in the output."""
    formula = recurrence.formula
    named = tuple(
        Equation(name, False, _expression(recurrence, unknown))
        for unknown, name in enumerate(names)
    )
    named += () if another is None else (another,)
    states = [*formula.states, *(equation.state for equation in named)]
    last = Sum(((1, Name("L")), (-1, Number(Fraction(1)))))
    range_ = Each("i", Number(Fraction(0)), last, None)
    items = [Item(Read(state, Name("i")), range_) for state in states]
    output: Expression = Reduce("sum", tuple(items))
    return replace(formula, equations=formula.equations + named, output=output)


def _expression(recurrence: Recurrence, unknown: int) -> Expression:
    """What an unknown is at depth l, whatever the residue of l; nothing where it has no form."""
    chosen: Expression = Read(recurrence.formula.main, Number(Fraction(-1)))
    residue_of_depth = Binary("%", Name("l"), Number(Fraction(recurrence.period)))
    for residue in range(recurrence.period):
        expression = recurrence.expressions.get((unknown, residue))
        if expression is not None:
            test = Compare(("==",), (residue_of_depth, Number(Fraction(residue))))
            chosen = Case(expression, test, chosen)
    return chosen


def _unroll(formula: Formula, depth: int) -> Tape:
    try:
        return unroll(formula, depth)
    except UserError as error:
        raise NotSteadyError(f"the formula cannot be unrolled to depth {depth}") from error


def _check(tape: Tape, recurrence: Recurrence, names: list[str], start: int, depth: int) -> None:
    """What the forms take for granted, at all depths that later values are computed from."""
    window = range(depth - recurrence.lag - recurrence.period, depth)
    for unknown in recurrence.averaged:
        kept = [n for n in window if (unknown, n % recurrence.period) in recurrence.forms]
        if any((names[unknown], n) not in tape.states for n in kept):
            raise NotSteadyError("a mean has terms that are absent at some depths")
    if start > 0:
        last = start + recurrence.lag + recurrence.period
        # The sum of all unknowns that ends the first tape is not the formula's.
        ends = max(tape.states.values(), default=0)
        own = _unroll(recurrence.formula, depth)
        if _recurs(tape, start, last, ends) or _recurs(own, start, last, len(own.operations)):
            raise NotSteadyError(f"x[{start}] occurs again at later depths, by another way")


def _recurs(tape: Tape, start: int, last: int, ends: int) -> bool:
    """Whether x[start] is made use of by what is computed behind the depth `last`, before `ends`.

    It may be there under another name: with `-1*x[0]` in every equation, x[1] may be just that.
    """
    sources = set(sources_of(tape, start))
    computed = max((v for (_, n), v in tape.states.items() if n <= last), default=0)
    late = tape.operations[computed + 1 : ends + 1]
    named = {value for (_, n), value in tape.states.items() if n > last}
    return bool(sources & named) or any(sources.intersection(operands(op)) for op in late)


def _meanings(tape: Tape, start: int, algebra: Algebra[Any], one: Any) -> dict[int, Any]:
    meanings: dict[int, Any] = {}
    sources = sources_of(tape, start)
    if sources and tape.output is not None:
        fold(tape, algebra, dict.fromkeys(sources, one), meanings.__setitem__)
    return meanings


def _row(
    formula: Formula, depth: int, start: int, algebra: Algebra[Any], one: Any, absent: Any
) -> Any:
    """The output of the formula at a small depth."""
    if depth < start:
        return absent
    try:
        tape = unroll(formula, depth)
    except UserError as error:
        raise NotSteadyError(f"the formula does not exist at depth {depth}") from error
    tape, start = counted(tape, start)
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return absent
    return fold(tape, algebra, dict.fromkeys(sources, one))
