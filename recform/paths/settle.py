"""The recurrence that a formula settles to: its equations, read for all large n at once.

`settle` walks each equation once for each residue of n modulo the period (`steady_values`), and
collects the unknowns that it meets with their forms (`unknowns`).

>>> from recform.formula import parse
>>> recurrence = settle(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"))
>>> [unknown.kind for unknown in recurrence.unknowns], recurrence.lag, recurrence.settled
(['state', 'call'], 2, 2)
"""

from __future__ import annotations

from recform.formula.ast import Name, Read, walk
from recform.formula.formula import Formula
from recform.paths.affine import DEPTH, NotSteadyError, Steady, constant, period_of
from recform.paths.ahead import reads_ahead
from recform.paths.recurrence import Form, Recurrence, Unknown
from recform.paths.steady_values import ONE, Walk
from recform.paths.substitute import number_of
from recform.paths.unknowns import Unknowns

MAX_PERIOD = 64


def settle(formula: Formula) -> Recurrence:
    """The recurrence of a formula. Raises NotSteadyError, with the reason, if it has none."""
    rights = [equation.right for equation in formula.equations]
    starts = [init.value for init in formula.inits if init.value is not None]
    if any(inner == Name("L") for top in (*rights, *starts) for inner in walk(top)):
        raise NotSteadyError("a coefficient or depth depends on L")
    if formula.streams:
        raise NotSteadyError("a state has several streams")
    period = period_of(formula)
    if period > MAX_PERIOD:
        raise NotSteadyError(f"the formula repeats only after {period} depths")
    found = Unknowns(formula, period, reads_ahead(formula))
    for equation in formula.equations:
        found.unknown(equation.state, Unknown("state"))
    settled = max([1, *(1 + init.depth for init in formula.inits), *_equations(found)])
    output, depths = [], [settled]
    for residue in range(period):
        form, depth = _output(found, residue)
        output.append(form)
        depths.append(depth)
    return Recurrence(formula, tuple(found.unknowns), found.expressions, found.forms, tuple(output),
                      period, max(depths), frozenset(found.averaged))  # fmt: skip


def _equations(found: Unknowns) -> list[int]:
    """Defines the states, and says from which depths on each form holds."""
    formula, settled = found.formula, []
    for equation in formula.equations:
        ahead = found.ahead.get(equation.state, 0)
        layer = DEPTH - 1 if equation.step else DEPTH - ahead
        for residue in range(found.period):
            values = Walk(found, Steady(found.period, residue), layer, _last_start(formula))
            # Closed forms are for networks of one stage.
            form = values.value(equation.right, {"l": layer, "s": constant(0)}).form
            place = found.places[equation.state]
            found.define(place, residue, Read(equation.state, number_of(DEPTH - ahead)), form)
            settled.append(values.steady.settled)
    return settled


def _output(found: Unknowns, residue: int) -> tuple[Form, int]:
    """The form of the output, and the depth from which on it holds."""
    formula = found.formula
    if formula.output is None:
        return {(found.places[formula.main], 0): ONE}, 1
    values = Walk(found, Steady(found.period, residue), DEPTH - 1, _last_start(formula))
    return values.value(formula.output, {"L": DEPTH}).form, values.steady.settled


def _last_start(formula: Formula) -> int:
    """The last depth at which a block has a start value."""
    return max((init.depth for init in formula.inits if init.block is not None), default=-1)
