"""Shapes: every value brought to the place where it is read.

At a border block the width or the resolution changes. A value is born with the shape of its place:
F[j](...) with the shape behind block j, a sum with that of its latest term. Where it is read behind
a later border, it is projected, once for each value and border, whoever reads it:

    v5 = v2 + v3 - v1     at a border, with v2 = x[l], v3 = F(x[l]), v1 = F(x[l-1])
    v5 = shortcut(v2) + v3 - project(v1)

The state that the border block reads passes by the block's own shortcut. Inside an equation it is
the values read that are projected, not their sums: `2*x[l]` becomes `2*shortcut(x[l])`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace

from recform.errors import UserError
from recform.formula.library import DROP, JOINING, WEIGHTED
from recform.tape.builder import TapeBuilder
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


def place(tape: Tape) -> Tape:
    """The same tape with a `Project` wherever a value crosses a border.

    Without borders it is the tape itself. The output gets the shape behind the last block.
    """
    if not tape.borders or tape.output is None:
        return tape
    return _Placer(tape).run()


class _Placer:
    """Old values in order; each gets its natural place, and further ones where it is read."""

    def __init__(self, tape: Tape) -> None:
        self._old = tape
        # No borders: the new tape is allowed to apply any block to what `unroll` let pass.
        self._new = TapeBuilder()
        self._sections = _sections(tape)
        self._named = set(tape.states.values())
        self._labels = _labels(tape)
        self._placed: dict[tuple[int, int], int] = {}

    def run(self) -> Tape:
        for value in range(len(self._old.operations)):
            self._at(value, self._sections[value])
        output = self._at(self._old.output, _section(self._old.borders, self._old.depth))  # type: ignore[arg-type]
        states = {key: self._placed[value, self._sections[value]]
                  for key, value in self._old.states.items()}  # fmt: skip
        return self._new.finish(replace(self._old, states={}), output, states)

    def _at(self, value: int, section: int) -> int:
        """The value with the shape of a section, the blocks between two borders."""
        key = (value, section)
        if key not in self._placed:
            self._placed[key] = self._make(value, section)
        return self._placed[key]

    def _make(self, value: int, section: int) -> int:
        operation = self._old.operations[value]
        if section == self._sections[value]:
            return self._natural(operation, section)
        # A sum of an equation is made anew from projected terms; what has a name of its own, a
        # state, a block's output or a start, is projected as it is.
        if _is_made_anew(operation) and value not in self._named:
            return self._natural(operation, section)
        if isinstance(operation, One | Parameter):
            return self._natural(operation, section)
        if isinstance(operation, Zero):
            raise UserError(
                "no-projection",
                "a zero is read where it has no shape",
                "start the state from a value of the network: init v[0] = 0*x[0]",
            )
        border = self._old.borders[section - 1]
        before = self._at(value, section - 1)
        is_shortcut = self._old.states.get((self._old.main, border)) == value
        return self._new.project(border, self._labels[value], is_shortcut, before)

    def _natural(self, operation: Operation, section: int) -> int:
        match operation:
            case Input():
                return self._new.input()
            case Zero():
                return self._new.zero()
            case Call(block=block, index=index, argument=argument):
                reads = _section(self._old.borders, index)
                return self._new.call(block, index, self._at(argument, reads))
            case Map(function=function, index=index, argument=argument, number=number):
                return self._new.map(function, index, self._at(argument, section), number)
            case Scale(factor=factor, argument=argument):
                return self._new.scale(factor, self._at(argument, section))
            case Add(left=left, right=right):
                return self._new.add(self._at(left, section), self._at(right, section))
            case Start(label=label, argument=argument):
                return self._new.start(label, self._at(argument, section))
            case One():
                return self._new.one()
            case Parameter(param=param, place=place, entry=entry, start=start):
                return self._new.parameter(param, place, entry, start)
            case Multiply(left=left, right=right):
                return self._new.multiply(self._at(left, section), self._at(right, section))
            case Combine(function=function, index=index, arguments=arguments):
                there = tuple(self._at(argument, section) for argument in arguments)
                return self._new.combine(function, index, there)
            case Part(number=number, count=count, argument=argument):
                return self._new.part(number, count, self._at(argument, section))
            case Project():
                raise AssertionError("a tape is placed once")


def _is_made_anew(operation: Operation) -> bool:
    """Whether an operation without weights may run again on what is projected."""
    match operation:
        case Map(function=function):
            return function not in (*WEIGHTED, DROP)
        case Combine(function=function):
            return function in JOINING
    return isinstance(operation, Add | Scale | Multiply)


def _section(borders: tuple[int, ...], depth: int) -> int:
    """How many borders lie before block `depth`."""
    return bisect_left(borders, depth)


def _sections(tape: Tape) -> list[int]:
    """Where each value is born: the section whose shape it has of itself."""
    sections: list[int] = []
    for operation in tape.operations:
        match operation:
            case Call(index=index):
                sections.append(_section(tape.borders, index + 1))
            case Add() | Multiply() | Combine() | Map() | Scale() | Start() | Part():
                sections.append(max(sections[value] for value in operands(operation)))
            case _:
                sections.append(0)
    return sections


def _labels(tape: Tape) -> dict[int, str]:
    """A name for each value that may need a projection: x3, F2, or v17 for want of a better."""
    labels = {value: f"v{value}" for value in range(len(tape.operations))}
    for value, operation in enumerate(tape.operations):
        match operation:
            case Call(block=block, index=index):
                labels[value] = f"{block}{index}"
            case Start(label=label):
                labels[value] = "".join(c for c in label if c.isalnum()) + "_start"
    for (state, depth), value in tape.states.items():
        # h.1 at depth 2 is h_1_2
        has_streams = "." in state
        labels[value] = f"{state.replace('.', '_')}_{depth}" if has_streams else f"{state}{depth}"
    return labels
