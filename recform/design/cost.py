"""What a formula costs each step: weights, values kept, calls, equations.

>>> from recform.formula import parse
>>> cost_of(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"))
Cost(parameters=1, states_kept=2, calls=1, equations=1)
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from recform.formula import Formula, expression_to_text
from recform.formula.ast import Apply
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
    expression = recurrence.expressions[unknown, 0]
    if kind == "held":
        return "x[0]"
    if not isinstance(expression, Apply):
        return _moved(expression_to_text(expression), back)
    argument = expression_to_text(expression.argument)
    fresh = "[l]" not in argument
    index = "[l]" if fresh else ""
    return _moved(f"{expression.block}{index}({argument})", back + 1)


def _moved(text: str, back: int) -> str:
    """Every depth l-d as l-d-back."""

    def replaced(match: re.Match[str]) -> str:
        delay = int(match[1] or 0) + back
        return f"[l-{delay}]" if delay else "[l]"

    return re.sub(r"\[l(?:-(\d+))?\]", replaced, text)
