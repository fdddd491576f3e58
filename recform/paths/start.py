"""What the paths lead back to."""

from __future__ import annotations

from recform.errors import UserError
from recform.tape import Input, Start, Tape


def source_of(tape: Tape, start: int) -> int | None:
    """The value that derivatives are taken by: the network's input, or x[start] of the main state.

    None if the output does not depend on it.
    """
    if not 0 <= start <= tape.depth:
        raise UserError("bad-argument", f"the start {start} is not between 0 and the depth, "
                        f"{tape.depth}", "choose a start in this range")  # fmt: skip
    if start == 0:
        return tape.operations.index(Input()) if Input() in tape.operations else None
    value = tape.states.get((tape.main, start))
    # A start value is the value that it was given, under another name.
    while value is not None and isinstance(tape.operations[value], Start):
        value = tape.operations[value].argument
    return value
