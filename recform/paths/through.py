"""Which blocks the paths go through: for each block, how many paths of each length.

A path through a call comes from x[l0] to its argument, takes the block, and goes on from its value
to the output: the product of what is ahead and what is behind. Of the ResNet's paths half go
through any one block (Veit et al. 2016, section 4.1); a path that passes a block twice counts
twice.
"""

from __future__ import annotations

from flint import fmpq_poly

from recform.paths.adjoint import adjoints_of_calls, by_block
from recform.paths.derivative import counted, refuse_roots
from recform.paths.polynomials import ABSENT, BLOCK, GROSS, ONE, Coefficients, PathPolynomial
from recform.paths.start import sources_of
from recform.tape import Call, Tape, fold


def through_block(
    tape: Tape, start: int = 0, algebra: PathPolynomial = GROSS
) -> dict[str, Coefficients]:
    """Paths of d output / d x[start] through each block that the output needs, by length.

    Length counts all blocks on the path, this one included. As drawn by default; NET counts with
    sign. A block that only stands before x[start], or beside it, has (0,).

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> through_block(unroll(parse("x[l+1] = x[l] + F(x[l])"), 3))["F[0]"]
    (0, 1, 2, 1)
    """
    refuse_roots(tape)
    tape, start = counted(tape, start)
    adjoints = adjoints_of_calls(tape, algebra)
    arrived = _arrived(tape, start, algebra)
    return by_block(tape, {call: BLOCK * arrived.get(call, ABSENT) * adjoint
                           for call, adjoint in adjoints.items()})  # fmt: skip


def _arrived(tape: Tape, start: int, algebra: PathPolynomial) -> dict[int, fmpq_poly]:
    """For each call, the paths from x[start] to its argument; no calls where there are none."""
    readers: dict[int, list[int]] = {}
    for value, operation in enumerate(tape.operations):
        if isinstance(operation, Call):
            readers.setdefault(operation.argument, []).append(value)
    arrived: dict[int, fmpq_poly] = {}

    def keep(value: int, polynomial: fmpq_poly) -> None:
        for call in readers.get(value, ()):
            arrived[call] = polynomial

    sources = sources_of(tape, start)
    if sources and tape.output is not None:
        fold(tape, algebra, given=dict.fromkeys(sources, ONE), visit=keep)
    return arrived
