"""What the paths lead back to."""

from __future__ import annotations

from recform.errors import UserError
from recform.tape import Input, Tape, Zero, first_equals


def sources_of(tape: Tape, start: int) -> tuple[int, ...]:
    """The values that derivatives are taken by: the network's input, or x[start] of the main state,
    each of its streams if it has several, and every value that is the same.

    Empty if the output does not depend on it. Raises UserError `bad-argument` for a start that is
    not there.
    """
    if not 0 <= start <= tape.depth:
        raise UserError("bad-argument", f"the start {start} is not between 0 and the depth, "
                        f"{tape.depth}", "--start 0, or start=0")  # fmt: skip
    if start == 0:
        return (tape.operations.index(Input()),) if Input() in tape.operations else ()
    # A stream is named after its state: h.0, h.1, ...
    sources = {value for (state, depth), value in tape.states.items()
               if depth == start and state.split(".")[0] == tape.main}  # fmt: skip
    if not sources:
        return ()
    firsts = first_equals(tape.operations)
    same = {firsts[source] for source in sources}
    return tuple(value for value, first in enumerate(firsts) if first in same)


def refuse_zero(tape: Tape, start: int) -> None:
    """Raises UserError `bad-argument` if x[start] is the constant 0.

    Adding such a value adds nothing to the tape, so what follows from it cannot be seen there.
    """
    source = tape.states.get((tape.main, start))
    if start > 0 and source is not None and isinstance(tape.operations[source], Zero):
        raise UserError("bad-argument", f"{tape.main}[{start}] is the constant 0, and nothing is "
                        "an input by being 0", "choose another start")  # fmt: skip
