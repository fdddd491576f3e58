"""What the paths lead back to."""

from __future__ import annotations

from recform.errors import UserError
from recform.tape import Input, Tape, first_equals


def sources_of(tape: Tape, start: int) -> tuple[int, ...]:
    """The values that derivatives are taken by: the network's input, or x[start] of the main state
    and every value that is the same.

    Empty if the output does not depend on it.
    """
    if not 0 <= start <= tape.depth:
        raise UserError("bad-argument", f"the start {start} is not between 0 and the depth, "
                        f"{tape.depth}", "choose a start in this range")  # fmt: skip
    if start == 0:
        return (tape.operations.index(Input()),) if Input() in tape.operations else ()
    source = tape.states.get((tape.main, start))
    if source is None:
        return ()
    firsts = first_equals(tape.operations)
    return tuple(value for value, first in enumerate(firsts) if first == firsts[source])
