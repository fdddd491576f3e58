"""Which values of a tape are the same but for the name that a start value has.

v0 = input            # x[0]
v1 = x[-1] = v0       the same as v0
v2 = 2*v1             and 2*v0 is the same as v2
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from recform.tape.operations import Add, Call, Map, Operation, Project, Scale, Start


def first_equals(operations: Sequence[Operation]) -> list[int]:
    """For each value the first one that is the same."""
    firsts: list[int] = []
    known: dict[Operation, int] = {}
    for value, operation in enumerate(operations):
        if isinstance(operation, Start):
            firsts.append(firsts[operation.argument])
        else:
            firsts.append(known.setdefault(_of_firsts(operation, firsts), value))
    return firsts


def _of_firsts(operation: Operation, firsts: Sequence[int]) -> Operation:
    match operation:
        case Add(left=left, right=right):
            return Add(firsts[left], firsts[right])
        case Call() | Map() | Scale() | Project():
            return replace(operation, argument=firsts[operation.argument])
    return operation
