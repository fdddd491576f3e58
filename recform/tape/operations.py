"""The tape: a formula unrolled to a depth, as a flat list of operations.

Each operation makes one value from earlier ones; a value is named by its place in the list. There
are eight:

    Input           what the stem hands over
    Zero            nothing yet: the start `init v[0] = 0`
    Call            a block with its index, applied to a value
    Map             an activation, `act` or `norm`, applied to a value
    Scale           a constant times a value
    Add             a value plus a value
    Start           a start value under the name that the formula gives it: x[-1] is v0
    Project         a value brought across a stage border; only `place` makes these

Equal operations are one value. Nothing is simplified but constants: a tape says what is computed,
in which order, and everything that recform knows or makes is a reading of it (`fold`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Union

from recform.formula.show import number_to_text


@dataclass(frozen=True)
class Input:
    pass


@dataclass(frozen=True)
class Zero:
    pass


@dataclass(frozen=True)
class Call:
    """`block[index](argument)`."""

    block: str
    index: int
    argument: int


@dataclass(frozen=True)
class Map:
    """`function(argument)`; `act` and `norm` carry the depth that they belong to, others None."""

    function: str
    index: int | None
    argument: int


@dataclass(frozen=True)
class Scale:
    factor: Fraction
    argument: int


@dataclass(frozen=True)
class Add:
    left: int
    right: int


@dataclass(frozen=True)
class Start:
    """The value `argument`, under the name of the state or block output that starts as it."""

    label: str
    argument: int


@dataclass(frozen=True)
class Project:
    """`argument` in the shape behind the block `border`.

    By the block's own shortcut if it is the state that the block reads, else by a projection
    that is named after the value: `label`.
    """

    border: int
    label: str
    is_shortcut: bool
    argument: int


Operation = Union[Input, Zero, Call, Map, Scale, Add, Start, Project]  # noqa: UP007 - recursive on 3.10


@dataclass(frozen=True)
class Stages:
    """How the blocks are divided: `lengths` blocks in each stage.

    A border is a block where width or resolution changes: the first of each stage but the first,
    and the first of all if `widens` (ResNet-50 goes from 64 to 256 channels there).
    """

    lengths: tuple[int, ...]
    widens: bool = False

    @classmethod
    def between(cls, borders: Sequence[int], depth: int) -> Stages:
        """The stages of `depth` blocks of which those in `borders` change the shape."""
        firsts = sorted({0, *borders})
        ends = [*firsts[1:], depth]
        return cls(tuple(end - first for first, end in zip(firsts, ends, strict=True)),
                   widens=0 in borders)  # fmt: skip

    @property
    def borders(self) -> tuple[int, ...]:
        firsts = [sum(self.lengths[:stage]) for stage in range(len(self.lengths))]
        return tuple(firsts if self.widens else firsts[1:])


@dataclass(frozen=True)
class Tape:
    """A formula unrolled to `depth` blocks.

    `output` is None when the output is absent. `states` names the values of states: a value may
    be missing because it is absent, or because nothing reads it. `plain_borders` are the border
    blocks that run the backbone's own formula, since the formula's cannot be followed there.
    """

    operations: tuple[Operation, ...]
    output: int | None
    depth: int
    main: str
    borders: tuple[int, ...] = ()
    plain_borders: tuple[int, ...] = ()
    states: Mapping[tuple[str, int], int] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return "\n".join(self.listing())

    def listing(self) -> list[str]:
        """One value a line, with the states that it is.

        >>> from recform.formula import parse
        >>> from recform.tape import unroll
        >>> print(unroll(parse("x[l+1] = x[l] + F(x[l])"), depth=2))
        v0 = input            # x[0]
        v1 = F[0](v0)
        v2 = v0 + v1          # x[1]
        v3 = F[1](v2)
        v4 = v2 + v3          # x[2]
        output v4
        """
        names: dict[int, list[str]] = {}
        for (state, depth), value in sorted(self.states.items(), key=lambda item: item[0][1]):
            names.setdefault(value, []).append(f"{state}[{depth}]")
        rows = [
            f"v{value} = {operation_to_text(operation)}".ljust(22)
            + (f"# {', '.join(names[value])}" if value in names else "")
            for value, operation in enumerate(self.operations)
        ]
        output = "absent" if self.output is None else f"v{self.output}"
        return [row.rstrip() for row in rows] + [f"output {output}"]


def operands(operation: Operation) -> tuple[int, ...]:
    """The values that an operation reads."""
    match operation:
        case Add(left=left, right=right):
            return (left, right)
        case Call() | Scale() | Map() | Start() | Project():
            return (operation.argument,)
        case Input() | Zero():
            return ()


def with_operands(operation: Operation, place: Mapping[int, int] | Sequence[int]) -> Operation:
    """The same operation on other values: `place[v]` for each value v that it reads."""
    match operation:
        case Add(left=left, right=right):
            return Add(place[left], place[right])
        case Call(block=block, index=index, argument=argument):
            return Call(block, index, place[argument])
        case Scale(factor=factor, argument=argument):
            return Scale(factor, place[argument])
        case Map() | Start() | Project():
            return replace(operation, argument=place[operation.argument])
    return operation


def key_of(operation: Operation) -> tuple:
    """Equal for equal operations, and quicker to hash than they are: most are sums and calls."""
    match operation:
        case Add(left=left, right=right):
            return left, right
        case Call(block=block, index=index, argument=argument):
            return block, index, argument
        case Scale(factor=factor, argument=argument):
            return Scale, factor.numerator, factor.denominator, argument
    return (operation,)


def operation_to_text(operation: Operation) -> str:
    match operation:
        case Input():
            return "input"
        case Zero():
            return "0"
        case Call(block=block, index=index, argument=argument):
            return f"{block}[{index}](v{argument})"
        case Map(function=function, index=index, argument=argument):
            return f"{function}{'' if index is None else f'[{index}]'}(v{argument})"
        case Scale(factor=factor, argument=argument):
            return f"{number_to_text(factor)}*v{argument}"
        case Add(left=left, right=right):
            return f"v{left} + v{right}"
        case Start(label=label, argument=argument):
            return f"{label} = v{argument}"
        case Project(border=border, is_shortcut=is_shortcut, argument=argument):
            return f"{'shortcut' if is_shortcut else 'project'}[{border}](v{argument})"
