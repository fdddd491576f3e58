"""Which values of a tape are the same but for the name that a start value has.

v0 = input            # x[0]
v1 = x[-1] = v0       the same as v0
v2 = 2*v1             and 2*v0 is the same as v2
"""

from __future__ import annotations

from collections.abc import Sequence

from recform.tape.operations import Operation, Start, key_of, with_operands


def first_equals(operations: Sequence[Operation]) -> list[int]:
    """For each value the first one that is the same."""
    firsts: list[int] = []
    known: dict[tuple, int] = {}
    for value, operation in enumerate(operations):
        if isinstance(operation, Start):
            firsts.append(firsts[operation.argument])
        else:
            key = key_of(with_operands(operation, firsts))
            firsts.append(known.setdefault(key, value))
    return firsts
