"""Reading a tape: one loop, and an algebra that says what each operation means.

What is computed depends on the algebra alone: path polynomials, words, the PyTorch forward pass.
So what is analyzed is what is trained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol, TypeVar, runtime_checkable

from recform.tape.operations import (
    Add,
    Call,
    Combine,
    Input,
    Map,
    Multiply,
    One,
    Operation,
    Parameter,
    Part,
    Project,
    Scale,
    Start,
    Tape,
    Zero,
    operands,
)

Value = TypeVar("Value")


class Algebra(Protocol[Value]):
    """What the linear operations of a tape mean, each given the meanings of what it reads.

    Path algebras know these eight: they read the derivative of a tape (`paths.derivative`).
    """

    def input(self) -> Value: ...
    def zero(self) -> Value: ...
    def call(self, block: str, index: int, argument: Value) -> Value: ...
    def map(self, function: str, index: int | None, argument: Value) -> Value: ...
    def scale(self, factor: Any, argument: Value) -> Value: ...
    def add(self, left: Value, right: Value) -> Value: ...
    def start(self, label: str, argument: Value) -> Value: ...
    def project(self, border: int, label: str, is_shortcut: bool, argument: Value) -> Value: ...


@runtime_checkable
class WholeAlgebra(Protocol[Value]):
    """What the operations mean that are not linear; for readings of the tape itself."""

    def one(self) -> Value: ...
    def parameter(self, parameter: Parameter) -> Value: ...
    def multiply(self, left: Value, right: Value) -> Value: ...
    def combine(self, function: str, index: int | None, arguments: Sequence[Value]) -> Value: ...
    def part(self, number: int, count: int, argument: Value) -> Value: ...
    def drop(self, rate: Fraction, index: int, argument: Value) -> Value: ...


def fold(
    tape: Tape,
    algebra: Algebra[Value],
    given: Mapping[int, Value] | None = None,
    visit: Callable[[int, Value], None] | None = None,
) -> Value:
    """The meaning of the tape's output.

    `given` puts meanings in the place of some values: to differentiate by a state is to give it
    the meaning of an input. `visit` is shown each value's meaning as it is made. Each meaning is
    dropped after its last use.
    """
    assert tape.output is not None, "an absent output has no meaning"
    given = given or {}
    last = last_uses(tape)
    meanings: dict[int, Value] = {}
    for value, operation in enumerate(tape.operations):
        if value in given:
            meanings[value] = given[value]
        else:
            meanings[value] = _apply(operation, algebra, meanings)
        if visit is not None:
            visit(value, meanings[value])
        for operand in set(operands(operation)):
            if last[operand] == value:
                del meanings[operand]
    return meanings[tape.output]


def last_uses(tape: Tape) -> list[int]:
    """For each value the last one that reads it; what is read out lives to the end."""
    last = list(range(len(tape.operations)))
    for value, operation in enumerate(tape.operations):
        for operand in operands(operation):
            last[operand] = value
    if tape.output is not None:
        last[tape.output] = len(tape.operations)
    return last


def _apply(operation: Operation, algebra: Algebra[Value], meanings: dict[int, Value]) -> Value:
    match operation:
        case Call(block=block, index=index, argument=argument):
            return algebra.call(block, index, meanings[argument])
        case Add(left=left, right=right):
            return algebra.add(meanings[left], meanings[right])
        case Scale(factor=factor, argument=argument):
            return algebra.scale(factor, meanings[argument])
        case Map(function=function, index=index, argument=argument, number=None):
            return algebra.map(function, index, meanings[argument])
        case Start(label=label, argument=argument):
            return algebra.start(label, meanings[argument])
        case Project(border=border, label=label, is_shortcut=is_shortcut, argument=argument):
            return algebra.project(border, label, is_shortcut, meanings[argument])
        case Input():
            return algebra.input()
        case Zero():
            return algebra.zero()
    assert isinstance(algebra, WholeAlgebra), f"{type(algebra).__name__} reads linear tapes only"
    return _apply_whole(operation, algebra, meanings)


def _apply_whole(operation: Operation, algebra: WholeAlgebra, meanings: dict) -> Any:
    match operation:
        case One():
            return algebra.one()
        case Parameter():
            return algebra.parameter(operation)
        case Multiply(left=left, right=right):
            return algebra.multiply(meanings[left], meanings[right])
        case Combine(function=function, index=index, arguments=arguments):
            return algebra.combine(function, index, [meanings[value] for value in arguments])
        case Part(number=number, count=count, argument=argument):
            return algebra.part(number, count, meanings[argument])
        case Map(index=index, argument=argument, number=rate):
            assert rate is not None, "only `drop` has a number"
            assert index is not None, "`drop` belongs to a block"
            return algebra.drop(rate, index, meanings[argument])
    raise AssertionError(f"{operation} is no operation")
