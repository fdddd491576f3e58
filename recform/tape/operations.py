"""The tape: a formula unrolled to a depth, as a flat list of operations.

Each operation makes one value from earlier ones; a value is named by its place in the list. There
are eight linear ones, and five that are not:

    Input           what the stem hands over
    Zero            nothing yet: the start `init v[0] = 0`
    Call            a block with its index, applied to a value
    Map             a function of one value: an activation, `act`, `norm`, `drop`
    Scale           a constant times a value
    Add             a value plus a value
    Start           a start value under the name that the formula gives it: x[-1] is v0
    Project         a value brought across a stage border; only `place` makes these

    One             the number 1, beside values: 1 - T(x[l])
    Parameter       a learned coefficient
    Multiply        a value times a value, element by element
    Combine         a function of several values: `cat`, `gate`, `attend`
    Part            one of the parts that the channels of a value are split into

Equal operations are one value. Nothing is simplified but constants: a tape says what is computed,
in which order, and everything that recform knows or makes is a reading of it (`fold`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Union

from recform.formula.ast import Param
from recform.formula.show import number_to_text
from recform.tape.radicals import Exact, Irrational


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
    """`function(argument)`; what belongs to a block, as `norm` does, carries the block's index,
    others None. `number` is the rate of `drop`."""

    function: str
    index: int | None
    argument: int
    number: Fraction | None = None


@dataclass(frozen=True)
class Scale:
    factor: Exact
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


@dataclass(frozen=True)
class One:
    pass


@dataclass(frozen=True)
class Parameter:
    """The coefficient that `param` declares, at a place (its depths) and entry (its streams).

    `start` is the exact number that it starts as.
    """

    param: Param
    place: tuple[int, ...]
    entry: tuple[int, ...]
    start: Exact


@dataclass(frozen=True)
class Multiply:
    left: int
    right: int


@dataclass(frozen=True)
class Combine:
    """`function(arguments)`; what has weights carries the block's index, others None."""

    function: str
    index: int | None
    arguments: tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """Part `number` of the `count` parts that the channels of `argument` are split into."""

    number: int
    count: int
    argument: int


Operation = Union[  # noqa: UP007 - recursive on 3.10
    Input, Zero, Call, Map, Scale, Add, Start, Project, One, Parameter, Multiply, Combine, Part
]


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
    def firsts(self) -> tuple[int, ...]:
        """The first depth of each stage."""
        return tuple(sum(self.lengths[:stage]) for stage in range(len(self.lengths)))

    @property
    def borders(self) -> tuple[int, ...]:
        return self.firsts if self.widens else self.firsts[1:]

    def first_of(self, depth: int) -> int:
        """The first depth of the stage that a depth lies in; behind the last, of that one."""
        return max((first for first in self.firsts if first <= depth), default=0)


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

    def rewritten(self, operations: Sequence[Operation], places: Sequence[int]) -> Tape:
        """The tape of other operations; `places` has for each value where it stands among them."""
        output = None if self.output is None else places[self.output]
        states = {key: places[value] for key, value in self.states.items()}
        return replace(self, operations=tuple(operations), output=output, states=states)

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
            f"v{value} = {operation_to_text(operation)}".ljust(21)
            + (f" # {', '.join(names[value])}" if value in names else "")
            for value, operation in enumerate(self.operations)
        ]
        output = "absent" if self.output is None else f"v{self.output}"
        return [row.rstrip() for row in rows] + [f"output {output}"]


def operands(operation: Operation) -> tuple[int, ...]:
    """The values that an operation reads."""
    match operation:
        case Add(left=left, right=right) | Multiply(left=left, right=right):
            return (left, right)
        case Call() | Scale() | Map() | Start() | Project() | Part():
            return (operation.argument,)
        case Combine(arguments=arguments):
            return arguments
        case Input() | Zero() | One() | Parameter():
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
        case Map() | Start() | Project() | Part():
            return replace(operation, argument=place[operation.argument])
        case Multiply(left=left, right=right):
            return Multiply(place[left], place[right])
        case Combine(arguments=arguments):
            return replace(operation, arguments=tuple(place[value] for value in arguments))
    return operation


def key_of(operation: Operation) -> tuple:
    """Equal for equal operations, and quicker to hash than they are: most are sums and calls."""
    match operation:
        case Add(left=left, right=right):
            return left, right
        case Call(block=block, index=index, argument=argument):
            return block, index, argument
        case Scale(factor=factor, argument=argument) if not isinstance(factor, Irrational):
            return Scale, factor.numerator, factor.denominator, argument
    return (operation,)


def operation_to_text(operation: Operation) -> str:
    """An operation as a listing writes it: `F[0](v1)`, `v1 + v2`, `1/2*v3`."""
    match operation:
        case Input():
            return "input"
        case Zero():
            return "0"
        case Call(block=block, index=index, argument=argument):
            return f"{block}[{index}](v{argument})"
        case Map(function=function, index=index, argument=argument, number=number):
            second = "" if number is None else f", {number}"
            return f"{function}{'' if index is None else f'[{index}]'}(v{argument}{second})"
        case Scale(factor=factor, argument=argument):
            return f"{_factor_to_text(factor)}*v{argument}"
        case Add(left=left, right=right):
            return f"v{left} + v{right}"
        case Start(label=label, argument=argument):
            return f"{label} = v{argument}"
        case Project(border=border, is_shortcut=is_shortcut, argument=argument):
            return f"{'shortcut' if is_shortcut else 'project'}[{border}](v{argument})"
        case One():
            return "1"
        case Parameter():
            return parameter_to_text(operation)
        case Multiply(left=left, right=right):
            return f"v{left} * v{right}"
        case Combine(function=function, index=index, arguments=arguments):
            written = ", ".join(f"v{argument}" for argument in arguments)
            return f"{function}{'' if index is None else f'[{index}]'}({written})"
        case Part(number=number, count=count, argument=argument):
            return f"part {number + 1} of {count} of v{argument}"


def _factor_to_text(factor: Exact) -> str:
    if not isinstance(factor, Irrational):
        return number_to_text(factor)
    return f"({factor})" if len(factor.terms) > 1 else str(factor)


def parameter_to_text(parameter: Parameter) -> str:
    """`a`, `a[3]`, `A[3][0, 1]`: its depths, then its streams."""
    place, entry = (", ".join(map(str, numbers)) for numbers in (parameter.place, parameter.entry))
    return parameter.param.name + (f"[{place}]" if place else "") + (f"[{entry}]" if entry else "")
