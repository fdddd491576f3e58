"""The inverse of a layer in words: the equations that give older states back, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from recform.formula.show import number_to_text
from recform.tape.operations import (
    Add,
    Call,
    Combine,
    Input,
    Map,
    Multiply,
    One,
    Parameter,
    Part,
    Project,
    Scale,
    Start,
    Tape,
    Zero,
)
from recform.tape.radicals import Exact, Irrational

# More names than these are told by their number.
MOST_NAMES = 4
LONGEST_NAME = 40
# What a sum that runs on over the layers is called: it is made of what it was before.
SUM_SO_FAR = "a sum so far"


@dataclass(frozen=True)
class Layer:
    """The values `first` to `end` of a tape, one layer, read backwards.

    `before` are the values that live before it, and `after` those behind it. `solved` has each
    value that one equation gives, with the value of that equation, in order; `lost` are those of
    `before` that nothing gives.
    """

    first: int
    end: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    solved: tuple[tuple[int, int], ...]
    lost: tuple[int, ...]


def why_lost(tape: Tape, layer: Layer, place: int) -> str:
    """What cannot be had from what lives behind layer `place`, as a sentence."""
    words = _Words(tape, layer, place)
    lost = [_short(words.name(value)) for value in layer.lost]
    left = " and ".join(_short(words.name(value)) for value in layer.after)
    if len(layer.after) > MOST_NAMES:
        left = f"the {len(layer.after)} values that are read later"
    one = len(lost) == 1
    told = lost[0] if one else f"{', '.join(lost[:-1])} and {lost[-1]}"
    if len(lost) > MOST_NAMES:
        told = f"{len(lost)} values"
    return (f"{told} {'is' if one else 'are'} lost: no equation gives {'it' if one else 'them'} "
            f"from {left}")  # fmt: skip


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else SUM_SO_FAR


def equations(tape: Tape, layer: Layer, place: int) -> tuple[str, ...]:
    """An equation for each value that is solved for, in order: x[l-1] = x[l+1] - 2*F(x[l])."""
    words = _Words(tape, layer, place)
    solved = [value for value, _ in layer.solved if value in layer.before]
    sides = [words.equation(value) for value in solved]
    return tuple(f"{left} = {right}" for left, right in sides if left != right)


class _Words:
    """The values of a layer as text, depths counted from l."""

    def __init__(self, tape: Tape, layer: Layer, place: int) -> None:
        self.by = dict(layer.solved)
        self._tape = tape
        self._layer = place
        self._told: set[int] = set()
        names: dict[int, list[tuple[str, int]]] = {}
        for (state, depth), value in tape.states.items():
            names.setdefault(value, []).append((state, depth))
        self._names = {value: max(known, key=lambda pair: (pair[1] <= place + 1, pair[1]))
                       for value, known in names.items()}  # fmt: skip

    def equation(self, value: int) -> tuple[str, str]:
        """Both sides; of a multiple of a state it is the state that is told."""
        factor: Exact = 1
        state = value
        while state not in self._names and isinstance(self._tape.operations[state], Scale):
            scale = self._tape.operations[state]
            assert isinstance(scale, Scale)
            factor, state = factor * _inverse_of(scale.factor), scale.argument
        if factor == 1:
            return self.name(value), self.solution(value)
        return self.name(state), _sum_to_text(self._solved_terms(value, factor))

    def name(self, value: int) -> str:
        """x[l-1] for a state, F(x[l]) for what has no name."""
        if value in self._names:
            state, depth = self._names[value]
            return f"{state}[{self._depth(depth)}]"
        operation = self._tape.operations[value]
        match operation:
            case Call(block=block, index=index, argument=argument):
                return f"{block}{self._index(index, argument)}({self.text(argument)})"
            case Map(function=function, argument=argument, number=number):
                rate = "" if number is None else f", {number_to_text(number)}"
                return f"{function}({self.text(argument)}{rate})"
            case Combine(function=function, arguments=arguments):
                return f"{function}({', '.join(map(self.text, arguments))})"
            case Multiply(left=left, right=right):
                return f"{self._factor(left)}*{self._factor(right)}"
            case Parameter(param=param, place=place, entry=entry):
                depths = ", ".join(self._depth(depth) for depth in place)
                streams = ", ".join(map(str, entry))
                return param.name + "".join(f"[{part}]" for part in (depths, streams) if part)
            case Start(label=label):
                return label
            case Part(number=number, argument=argument):
                return f"{self._factor(argument)}.{number}"
            case Project(argument=argument):
                return self.name(argument)
            case Input():
                return "the input"
            case Zero():
                return "0"
        return self.text(value)

    def text(self, value: int) -> str:
        """A value by what it is made of, if it has no name."""
        return _sum_to_text(self._terms(value, 1)) if self._is_sum(value) else self.name(value)

    def solution(self, value: int) -> str:
        """What an equation gives for a value that it is solved for."""
        by = self.by[value]
        operation = self._tape.operations[by]
        if isinstance(operation, Multiply):
            other = operation.right if operation.left == value else operation.left
            whole = _sum_to_text(self._known_terms(by, 1))
            return f"{f'({whole})' if ' ' in whole else whole}/{self.name(other)}"
        return _sum_to_text(self._solved_terms(value, 1))

    def _solved_terms(self, value: int, factor: Exact) -> dict[str, Exact]:
        if value in self._told:
            return {SUM_SO_FAR: factor}
        self._told.add(value)
        terms = self._terms_of_equation(value, self.by[value], factor)
        self._told.remove(value)
        return terms

    def _terms_of_equation(self, value: int, by: int, factor: Exact) -> dict[str, Exact]:
        match self._tape.operations[by]:
            case Add(left=left, right=right):
                other = right if left == value else left
                return _plus(self._known_terms(by, factor), self._known_terms(other, -factor))
            case Scale(factor=scale):
                return self._known_terms(by, factor * _inverse_of(scale))
            case Start():
                return self._known_terms(by, factor)
        return {self.solution(value): factor}

    def _known_terms(self, value: int, factor: Exact) -> dict[str, Exact]:
        """A value that is known by the time that the equation is solved."""
        if value not in self._names and value in self.by:
            return self._solved_terms(value, factor)
        return self._terms(value, factor)

    def _terms(self, value: int, factor: Exact) -> dict[str, Exact]:
        if not self._is_sum(value):
            return {self.name(value): factor}
        match self._tape.operations[value]:
            case Add(left=left, right=right):
                return _plus(self._part_terms(left, value, factor),
                             self._part_terms(right, value, factor))  # fmt: skip
            case Scale(factor=scale, argument=argument):
                return self._part_terms(argument, value, factor * scale)
        return {"1": factor}

    def _part_terms(self, value: int, whole: int, factor: Exact) -> dict[str, Exact]:
        """An operand; one that only its sum gives back is told by what it was made from."""
        if self.by.get(value) == whole:
            return self._terms(value, factor)
        return self._known_terms(value, factor)

    def _is_sum(self, value: int) -> bool:
        is_linear = isinstance(self._tape.operations[value], Add | Scale | One)
        return is_linear and value not in self._names

    def _factor(self, value: int) -> str:
        text = self.text(value)
        return f"({text})" if self._is_sum(value) else text

    def _index(self, index: int, argument: int) -> str:
        """[l-1] for the index of a block, or nothing where the formula leaves it out."""
        _, depth = self._names.get(argument, ("", self._layer))
        return "" if index in (depth, self._layer) else f"[{self._depth(index)}]"

    def _depth(self, depth: int) -> str:
        offset = depth - self._layer
        if depth == 0 and offset < -2:
            return "0"
        return "l" if offset == 0 else f"l{offset:+d}"


def _inverse_of(factor: Exact) -> Exact:
    if isinstance(factor, Irrational):
        return factor.inverse()
    return Fraction(1) / factor


def _plus(left: dict[str, Exact], right: dict[str, Exact]) -> dict[str, Exact]:
    total = dict(left)
    for name, factor in right.items():
        total[name] = total.get(name, 0) + factor
    return total


def _sum_to_text(terms: dict[str, Exact]) -> str:
    """2*x[l] - x[l+1] + F(x[l]): states first, and of these what is added."""
    kept = [(name, factor) for name, factor in terms.items() if factor != 0]
    kept.sort(key=lambda term: ("(" in term[0], _is_less(term[1])))
    text = ""
    for name, factor in kept:
        size = -factor if _is_less(factor) else factor
        told = name if size == 1 else f"{_number_to_text(size)}*{name}"
        sign = "-" if _is_less(factor) else "+"
        text += f" {sign} {told}" if text else f"{sign.strip('+')}{told}"
    return text or "0"


def _is_less(factor: Exact) -> bool:
    return not isinstance(factor, Irrational) and factor < 0


def _number_to_text(number: Exact) -> str:
    return f"({number})" if isinstance(number, Irrational) else number_to_text(number)
