"""A tape read from its output back to the input: what each value still does to the output.

The *adjoint* of a value is the derivative of the output by it, the paths from there on. Reverse
mode of differentiation finds all of them in one pass: the adjoint of the output is one, each
operation hands the adjoint of its value to what it reads, and a value read several times adds up
what it is handed (Griewank and Walther 2008, section 3.2). What an operation does to an adjoint is
what its algebra says of a meaning; only sums differ, which hand theirs to both sides.

    v0 = input            1 + t + t*(1 + t)    from v2, and from v1 through F[0]
    v1 = F[0](v0)         1 + t                from v2
    v2 = v0 + v1          1 + t                from v4, and from v3 through F[1]
    v3 = F[1](v2)         1
    v4 = v2 + v3          1                    the output
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from flint import fmpq_poly

from recform.paths.polynomials import ABSENT, ONE, Coefficients, PathPolynomial, coefficients
from recform.tape import Add, Algebra, Call, Map, Operation, Project, Scale, Start, Tape, operands

Adjoint = TypeVar("Adjoint")


def fold_back(
    tape: Tape, algebra: Algebra[Adjoint], output: Adjoint, visit: Callable[[int, Adjoint], None]
) -> None:
    """Show `visit` the adjoint of each value, from the output's, which is given, to the input's."""
    assert tape.output is not None, "an absent output has no adjoint"
    adjoints = {tape.output: output}
    for value in reversed(range(len(tape.operations))):
        operation = tape.operations[value]
        adjoint = adjoints.pop(value, None)
        if adjoint is None:
            # Behind `stopgrad`, or beside a factor that does not depend on the input.
            continue
        visit(value, adjoint)
        for operand in operands(operation):
            handed = _hand(operation, algebra, adjoint)
            known = operand in adjoints
            adjoints[operand] = algebra.add(adjoints[operand], handed) if known else handed


def adjoints_of_calls(tape: Tape, algebra: PathPolynomial) -> dict[int, fmpq_poly]:
    """For each call on the tape, the paths from its value to the output, by length."""
    adjoints = {v: ABSENT for v, op in enumerate(tape.operations) if isinstance(op, Call)}

    def keep(value: int, adjoint: fmpq_poly) -> None:
        if isinstance(tape.operations[value], Call):
            adjoints[value] = adjoint

    if tape.output is not None:
        fold_back(tape, algebra, ONE, keep)
    return adjoints


def by_block(tape: Tape, of_calls: Mapping[int, fmpq_poly]) -> dict[str, Coefficients]:
    """Polynomials of calls, added up over the calls of each block: F[0], F[1], ..., G[0], ..."""
    totals: dict[tuple[str, int], fmpq_poly] = {}
    for value, polynomial in of_calls.items():
        call = tape.operations[value]
        assert isinstance(call, Call)
        key = (call.block, call.index)
        totals[key] = totals[key] + polynomial if key in totals else polynomial
    return {f"{block}[{index}]": coefficients(totals[block, index])
            for block, index in sorted(totals)}  # fmt: skip


def _hand(operation: Operation, algebra: Algebra[Adjoint], adjoint: Adjoint) -> Adjoint:
    """What the operation hands to each value that it reads."""
    match operation:
        case Call(block=block, index=index):
            return algebra.call(block, index, adjoint)
        case Map(function=function, index=index):
            return algebra.map(function, index, adjoint)
        case Scale(factor=factor):
            return algebra.scale(factor, adjoint)
        case Start(label=label):
            return algebra.start(label, adjoint)
        case Project(border=border, label=label, is_shortcut=is_shortcut):
            return algebra.project(border, label, is_shortcut, adjoint)
        case Add():
            return adjoint
    raise AssertionError(f"{operation} reads nothing")
