"""A tape in the making: operations are added, and equal ones found again.

Equal operations on equal operands in the same order are one value. A call is also found again when
its argument is the same sum in another order: sums of the network commute, and a block must never
run twice on one value. The same holds for functions with weights, or a mask, of their own. For that
every value has a fingerprint (`prints`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from recform.formula.ast import Param
from recform.formula.library import GATING, INDEXED
from recform.tape.fingerprints import Fingerprints
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
    key_of,
    operands,
    with_operands,
)
from recform.tape.radicals import Exact
from recform.tape.same import first_equals

MAX_VALUES = 1_000_000
# Functions that belong to a block and are not what it has itself.
_OWN = frozenset({*INDEXED, *GATING} - {"act"})


class BorderConflict(Exception):  # noqa: N818 - a signal within the tape
    """A block is applied to a value that only exists behind the border where the block stands."""

    def __init__(self, border: int) -> None:
        super().__init__(border)
        self.border = border


class TooManyValues(Exception):  # noqa: N818 - a signal within the tape
    """The tape grew past MAX_VALUES."""


class TapeBuilder:
    """Values so far. `borders` are the blocks at which values change their shape."""

    def __init__(self, borders: tuple[int, ...] = ()) -> None:
        self._borders = borders
        self._operations: list[Operation] = []
        self._places: dict[tuple, int] = {}
        self._prints = Fingerprints()
        self._calls: dict[tuple, int] = {}
        # Where a value is born: before block `position`, with the shape that this block reads.
        self._positions: list[int] = []

    def input(self) -> int:
        return self._put(Input(), 0)

    def zero(self) -> int:
        return self._put(Zero(), 0)

    def call(self, block: str, index: int, argument: int) -> int:
        """Raises BorderConflict if the argument has already passed a border at or after `index`."""
        for border in self._borders:
            if index <= border < self._positions[argument]:
                raise BorderConflict(border)
        key = (block, index, self._prints.known[argument])
        if key not in self._calls:
            self._calls[key] = self._put(Call(block, index, argument), index + 1)
        return self._calls[key]

    def map(
        self, function: str, index: int | None, argument: int, number: Fraction | None = None
    ) -> int:
        made = Map(function, index, argument, number)
        if function not in _OWN:
            return self._put(made, self._positions[argument])
        position = self._positions[argument]
        # What crosses a border keeps its fingerprint, and is another tensor.
        key = (function, index, number, self._prints.known[argument], position)
        if key not in self._calls:
            self._calls[key] = self._put(made, position)
        return self._calls[key]

    def combine(self, function: str, index: int | None, arguments: tuple[int, ...]) -> int:
        made = Combine(function, index, arguments)
        position = max(self._positions[argument] for argument in arguments)
        if function not in _OWN:
            return self._put(made, position)
        prints = (self._prints.known[argument] for argument in arguments)
        key = (function, index, *prints, position)
        if key not in self._calls:
            self._calls[key] = self._put(made, position)
        return self._calls[key]

    def one(self) -> int:
        return self._put(One(), 0)

    def parameter(
        self, param: Param, place: tuple[int, ...], entry: tuple[int, ...], start: Exact
    ) -> int:
        return self._put(Parameter(param, place, entry, start), 0)

    def part(self, number: int, count: int, argument: int) -> int:
        return self._put(Part(number, count, argument), self._positions[argument])

    def multiply(self, left: int, right: int) -> int:
        for factor in (left, right):
            if isinstance(self._operations[factor], Zero):
                return factor
        position = max(self._positions[left], self._positions[right])
        return self._put(Multiply(left, right), position)

    def scale(self, factor: Exact, argument: int) -> int:
        if factor == 1 or isinstance(self._operations[argument], Zero):
            return argument
        return self._put(Scale(factor, argument), self._positions[argument])

    def add(self, left: int, right: int) -> int:
        if isinstance(self._operations[left], Zero):
            return right
        if isinstance(self._operations[right], Zero):
            return left
        position = max(self._positions[left], self._positions[right])
        return self._put(Add(left, right), position)

    def start(self, label: str, argument: int) -> int:
        if isinstance(self._operations[argument], Zero):
            return argument
        return self._put(Start(label, argument), self._positions[argument])

    def project(self, border: int, label: str, is_shortcut: bool, argument: int) -> int:
        return self._put(Project(border, label, is_shortcut, argument), border + 1)

    def finish(self, template: Tape, output: int | None, states: Mapping) -> Tape:
        """The tape of what the output needs, renumbered; `template` gives the other fields.

        A state that the output does not need is found in a value that is the same, if there is one.
        """
        needed = _needed_by(output, self._operations)
        place = {value: new for new, value in enumerate(needed)}
        return replace(
            template,
            operations=tuple(_renumber(self._operations[value], place) for value in needed),
            output=None if output is None else place[output],
            states=self._found(states, place),
        )

    def _found(self, states: Mapping, place: Mapping[int, int]) -> dict:
        """The states that are on the tape, themselves or as a value that is the same."""
        if all(value in place for value in states.values()):
            return {key: place[value] for key, value in states.items()}
        firsts = first_equals(self._operations)
        stand_ins = {firsts[value]: place[value] for value in reversed(place)}
        found = {
            key: place.get(value, stand_ins.get(firsts[value])) for key, value in states.items()
        }
        return {key: value for key, value in found.items() if value is not None}

    def _put(self, operation: Operation, position: int) -> int:
        key = key_of(operation)
        if key in self._places:
            return self._places[key]
        if len(self._operations) >= MAX_VALUES:
            raise TooManyValues(f"the formula has more than {MAX_VALUES:,} values")
        value = len(self._operations)
        self._places[key] = value
        self._operations.append(operation)
        self._prints.append(operation)
        self._positions.append(position)
        return value


def _needed_by(output: int | None, operations: list[Operation]) -> list[int]:
    needed = set() if output is None else {output}
    for value in reversed(range(len(operations))):
        if value in needed:
            needed.update(operands(operations[value]))
    return sorted(needed)


def _renumber(operation: Operation, place: dict[int, int]) -> Operation:
    if all(place[value] == value for value in operands(operation)):
        return operation
    return with_operands(operation, place)
