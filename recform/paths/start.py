"""What the paths lead back to."""

from __future__ import annotations

from dataclasses import replace

from recform.errors import UserError
from recform.tape import Add, Call, Input, Map, Operation, Project, Scale, Start, Tape


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
    same = _first_equals(tape)
    return tuple(value for value, first in enumerate(same) if first == same[source])


def _first_equals(tape: Tape) -> list[int]:
    """For each value the first one that is the same: a start value is what it was given."""
    first_equals: list[int] = []
    known: dict[Operation, int] = {}
    for value, operation in enumerate(tape.operations):
        if isinstance(operation, Start):
            first_equals.append(first_equals[operation.argument])
        else:
            first_equals.append(known.setdefault(_renamed(operation, first_equals), value))
    return first_equals


def _renamed(operation: Operation, names: list[int]) -> Operation:
    match operation:
        case Add(left=left, right=right):
            return Add(names[left], names[right])
        case Call() | Map() | Scale() | Project():
            return replace(operation, argument=names[operation.argument])
    return operation
