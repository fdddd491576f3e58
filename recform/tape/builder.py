"""A tape in the making: operations are added, and equal ones found again.

Equal operations on equal operands in the same order are one value. A call is also found again when
its argument is the same sum in another order: sums of the network commute, and a block must never
run twice on one value. For that every value has a fingerprint, in which a sum is the sum of its
terms' fingerprints, so that order and grouping do not matter. Fingerprints have 256 bits of a
cryptographic hash; two different values never share one in practice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from hashlib import blake2b

from recform.tape.operations import (
    Add,
    Call,
    Input,
    Map,
    Operation,
    Project,
    Scale,
    Start,
    Tape,
    Zero,
    key_of,
    operands,
    with_operands,
)
from recform.tape.same import first_equals

MAX_VALUES = 1_000_000
_MODULUS = 2**256
_ONE = Fraction(1)


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
        self._fingerprints: list[int] = []
        # Each value as a constant times another value that is none: letters compare by these.
        self._multiples: list[tuple[Fraction, int]] = []
        self._calls: dict[tuple[str, int, int], int] = {}
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
        key = (block, index, self._fingerprints[argument])
        if key not in self._calls:
            self._calls[key] = self._put(Call(block, index, argument), index + 1)
        return self._calls[key]

    def map(self, function: str, index: int | None, argument: int) -> int:
        return self._put(Map(function, index, argument), self._positions[argument])

    def scale(self, factor: Fraction, argument: int) -> int:
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
        self._multiples.append(self._multiple(operation, value))
        self._fingerprints.append(self._fingerprint(operation))
        self._positions.append(position)
        return value

    def _multiple(self, operation: Operation, value: int) -> tuple[Fraction, int]:
        match operation:
            case Scale(factor=factor, argument=argument):
                inner, core = self._multiples[argument]
                return (factor if inner == 1 else factor * inner), core
            case Start(argument=argument) | Project(argument=argument):
                return self._multiples[argument]
        return _ONE, value

    def _fingerprint(self, operation: Operation) -> int:
        known = self._fingerprints
        match operation:
            case Add(left=left, right=right):
                return (known[left] + known[right]) % _MODULUS
            case Call(block=block, index=index, argument=argument):
                text = f"call {block} {index} {known[argument]:x}"
            case Scale():
                factor, core = self._multiples[-1]
                if factor == 1:
                    return known[core]
                text = f"scale {factor.numerator:x}/{factor.denominator:x} {known[core]:x}"
            case Map(function=function, index=index, argument=argument):
                text = f"map {function} {index} {known[argument]:x}"
            case Start(argument=argument) | Project(argument=argument):
                return known[argument]
            case Input() | Zero():
                text = type(operation).__name__
        return int.from_bytes(blake2b(text.encode(), digest_size=32).digest(), "big")


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
