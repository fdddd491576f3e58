"""A simpler formula with the same paths, where there is one.

    x[l+1] = x[l] + F(x[l]) - F(x[l-1])      telescopes to      x[l+1] = x[0] + F(x[l])

The outputs of the formula are written as linear forms over its letters, and all one-state formulas
of up to four terms are fitted to them (`templates`): earlier states, blocks of earlier states, x[0]
and running sums, with start values that are multiples of x[0], or a first step of its own. That
takes in differences that telescope, auxiliary states that can be eliminated, history sums that are
a recurrence, and recurrences that are a history sum. The simplest that is simpler than the formula
itself and that `equal` proves to have the same paths from the start is the answer.

Not found: formulas that need two states, five terms, delays above 3, or a period. That nothing is
found does not prove that there is nothing.

>>> from recform.formula import parse
>>> print(telescopes_to(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])")))
x[l+1] = x[0] + F(x[l])
>>> telescopes_to(parse("x[l+1] = x[l] + F(x[l])"))
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from recform.errors import UserError
from recform.formula import Formula, parse, resolve
from recform.paths.affine import NotSteadyError
from recform.paths.equal import Equality, equal
from recform.paths.fits import NUM_DEPTHS
from recform.paths.histories import History, Unrolled, row_of, tape_at
from recform.paths.jets import Jets, LetterTable
from recform.paths.settle import settle
from recform.paths.simplicity import Simplicity, simplicity
from recform.paths.templates import one_state_formulas, outputs_of

# Formulas with longer memory, or that are not the same at each depth until later, are not searched.
MAX_LAG = 8
MAX_SETTLED = 16
# How many formulas that fit are looked at.
MAX_FITS = 40
# Depths at which a candidate is compared before it is proved.
NUM_COMPARED = 6


@dataclass(frozen=True)
class Telescoped:
    """A simpler formula, and how it is equal: "always", or "from_start" only."""

    formula: Formula
    equality: Equality


def telescopes_to(formula: Formula | str) -> Formula | None:
    """The simplest formula known to have the same paths, if it is simpler; else None."""
    found = telescope(formula)
    return None if found is None else found.formula


def telescope(formula: Formula | str) -> Telescoped | None:
    """The simplest formula known to have the same paths, with the proof.

    Simpler is: fewer values carried over from depth to depth, then fewer terms, then fewer older
    values (`simplicity`).
    """
    formula = resolve(formula)
    try:
        recurrence = settle(formula)
        if recurrence.period > 1 or recurrence.lag > MAX_LAG or recurrence.settled > MAX_SETTLED:
            return None
        own = simplicity(formula)
        jets = Jets(LetterTable())
        depth = recurrence.settled + 2 * recurrence.lag + recurrence.order + NUM_DEPTHS + 2
        history = Unrolled(recurrence, depth, jets).history()
    except NotSteadyError:
        return None
    calls = {k: history.values[k] for k, unknown in enumerate(recurrence.unknowns)
             if unknown.kind == "call"}  # fmt: skip
    outputs = outputs_of(jets.table, history.rows, calls, recurrence.lag)
    simpler = _simpler(islice(one_state_formulas(outputs), MAX_FITS), own)
    for _, candidate in sorted(simpler, key=lambda pair: pair[0]):
        if _agrees(candidate, history, jets):
            equality = equal(formula, candidate)
            if equality.equal in ("always", "from_start"):
                return Telescoped(candidate, equality)
    return None


def _simpler(texts: Iterator[str], own: Simplicity) -> Iterator[tuple[Simplicity, Formula]]:
    for text in texts:
        try:
            candidate = parse(text)
            measure = simplicity(candidate)
        except (UserError, NotSteadyError):
            # A fit that the language does not allow, such as a block of a later depth.
            continue
        if measure < own:
            yield measure, candidate


def _agrees(candidate: Formula, history: History, jets: Jets) -> bool:
    """Whether the outputs at small depths are the same, which `equal` would find out later."""
    for depth, row in enumerate(history.rows[:NUM_COMPARED]):
        tape = tape_at(candidate, depth)
        if tape is None or row is None or row_of(tape, jets).form != row.form:
            return False
    return True
