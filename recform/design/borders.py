"""What becomes of a formula at the borders of stages, where width and resolution change.

A block at a border makes another shape of what it reads, so it cannot read its own output. Where
the formula asks for that, `build` runs the backbone's own formula at the border, if that is the
step in which the output is read; a later step has no way out.

>>> from recform.formula import parse
>>> at_borders(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"))
'crossed'
>>> at_borders(parse("x[l+1] = x[l] + F(F(x[l]))"))
'plain'
>>> at_borders(parse("x[l+1] = x[l] + F(F(x[l-1]))"))
'refused'
"""

from __future__ import annotations

from typing import Literal

from recform.errors import UserError
from recform.formula import Formula
from recform.paths.settle import settle
from recform.tape import Stages, place, unroll

AtBorders = Literal["crossed", "plain", "refused"]

# In the order of preference, as text.
MEANINGS: dict[AtBorders, str] = {
    "crossed": "builds on a backbone of several stages",
    "plain": "builds, at borders of stages by the backbone's own formula: no block there can read "
    "its own output",
    "refused": "builds within one stage only: no block at a border can read its own output",
}


def at_borders(formula: Formula) -> AtBorders:
    """How it builds on a backbone whose stages are longer than its memory.

    `crossed`: as it stands; `plain`: the backbone's own formula runs at the borders; `refused`: it
    builds within one stage only. Raises NotSteadyError if the formula has no recurrence.
    """
    recurrence = settle(formula)
    length = recurrence.settled + recurrence.lag + 2
    try:
        tape = place(unroll(formula, 2 * length, Stages((length, length))))
    except UserError as error:
        if error.code != "no-projection":
            raise
        return "refused"
    return "plain" if tape.plain_borders else "crossed"
