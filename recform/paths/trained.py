"""The paths of a network as it was trained: each coefficient and gate at what it stands at.

Path counts take a learned coefficient and a gate for 1: they say what is drawn. What training made
of it is another question. With the number of each coefficient, and the mean weight that each gate
gives each source, in their places, a path counts as much as the product of all weights along it,
and the net polynomial becomes a *spectrum*: how much of the derivative by x[0] goes through paths
of each length, every block counting as 1. A gate stands still: paths through what it is made of are
left out, also where the formula writes it out, as Highway's T in T(x[l])*F(x[l]).

The numbers are exact, those of a run as of an example: floats are rational. For gates it is the
spectrum of the mean weights, which is not the mean of the spectra of single images.

>>> from recform.formula import parse
>>> from recform.tape import unroll
>>> tape = unroll(parse("param a[l] = 0\\nx[l+1] = x[l] + a[l]*F(x[l])"), depth=2)
>>> spectrum(tape, Weights(1, {"a[0]": Fraction(1, 2), "a[1]": Fraction(1, 4)}, {})).net
(1, Fraction(3, 4), Fraction(1, 8))
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from recform.errors import UserError
from recform.paths.derivative import counted
from recform.paths.moments import mean_length
from recform.paths.polynomials import GROSS, NET, Coefficients
from recform.paths.radicals import count_paths
from recform.paths.weights import Weights
from recform.tape import (
    Add,
    Combine,
    Exact,
    Irrational,
    Map,
    Multiply,
    One,
    Operation,
    Parameter,
    Scale,
    Tape,
    factors,
    parameter_to_text,
)
from recform.tape.operations import with_operands

# Functions of several values whose weights a run tells.
WEIGHED = ("gate", "gate_dynamic", "gate_static", "attend")
# What a function makes of a number; training computes it in floats, too.
OF_NUMBERS: Mapping[str, Callable[[float], float]] = {
    "relu": lambda number: max(number, 0.0),
    "tanh": math.tanh,
    "sigmoid": lambda number: 0.5 * (1 + math.tanh(number / 2)),
    "silu": lambda number: number * 0.5 * (1 + math.tanh(number / 2)),
    "gelu": lambda number: number * 0.5 * math.erfc(-number / math.sqrt(2)),
    "stopgrad": lambda number: number,
}


@dataclass(frozen=True)
class Spectrum:
    """Weights of the paths by their length: summed with sign (`net`), and without (`gross`)."""

    net: Coefficients
    gross: Coefficients

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """How much of all |net| each length has; nothing at all where all is 0."""
        total = sum(map(abs, self.net))
        return tuple(abs(weight) / Fraction(total) for weight in self.net) if total else ()

    @property
    def mean_length(self) -> Fraction | None:
        """The mean length in blocks, each length counting by |net|; None where all is 0."""
        return mean_length([abs(weight) for weight in self.net])


def spectrum(tape: Tape, weights: Weights, start: int = 0) -> Spectrum:
    """The paths of d output / d x[start], each by the product of the weights along it.

    Raises UserError `bad-run` where the weights are not those of this tape, `irrational` where
    the formula itself has roots in its constants.
    """
    given = counted(weighed(tape, weights), start)
    net, gross = count_paths(*given, NET), count_paths(*given, GROSS)
    if any(isinstance(weight, Irrational) for weight in (*net, *gross)):
        raise UserError("irrational", "a spectrum is told of rational constants only",
                        "write rational numbers near the roots")  # fmt: skip
    return Spectrum(net, gross)


def weighed(tape: Tape, weights: Weights) -> Tape:
    """The tape with numbers for its coefficients, and weighted sums for its gates.

    Raises UserError `bad-run` where the weights are not those of this tape.
    """
    named = factors(tape) if weights.written else {}
    unknown = next((name for name in weights.written if name not in named), None)
    if unknown is not None:
        raise UserError("bad-run", f"the weights tell {unknown}, which the formula has not",
                        "they must be of the run's own formula")  # fmt: skip
    return _Weighed(tape, weights, {named[name]: name for name in weights.written}).run()


@dataclass
class _Weighed:
    """The new operations; of each old value its place among them, or the number that it is."""

    tape: Tape
    weights: Weights
    written: Mapping[int, str]
    operations: list[Operation] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    numbers: dict[int, Exact] = field(default_factory=dict)
    applications: Counter = field(default_factory=Counter)

    def run(self) -> Tape:
        for value, operation in enumerate(self.tape.operations):
            if value in self.written:
                # A number where it is a factor, and itself where it is anything else.
                self.numbers[value] = self._mean(self.written[value])
            number = self._number(operation)
            if number is None:
                self.places.append(self._rewrite(operation))
                continue
            # A number that a value is added to needs a place: 1 - T(x[l]).
            self.numbers[value] = number
            self.places.append(self._put(Scale(number, self._put(One()))))
        return self.tape.rewritten(self.operations, self.places)

    def _put(self, operation: Operation) -> int:
        self.operations.append(operation)
        return len(self.operations) - 1

    def _number(self, operation: Operation) -> Exact | None:
        """What an operation makes, if it is made of numbers alone."""
        numbers = self.numbers
        match operation:
            case One():
                return 1
            case Parameter():
                return self._told(self.weights.coefficients, parameter_to_text(operation))
            case Scale(factor=factor, argument=argument) if argument in numbers:
                return factor * numbers[argument]
            case Add(left=left, right=right) if left in numbers and right in numbers:
                return numbers[left] + numbers[right]
            case Multiply(left=left, right=right) if left in numbers and right in numbers:
                return numbers[left] * numbers[right]
            case Map(function=function, argument=argument) if argument in numbers:
                if function not in OF_NUMBERS:
                    raise UserError("bad-argument", f"`{function}` of a coefficient is not one "
                                    "number", "a spectrum is told of other formulas")  # fmt: skip
                return Fraction(OF_NUMBERS[function](float(Fraction(numbers[argument]))))  # type: ignore[arg-type]
        return None

    def _rewrite(self, operation: Operation) -> int:
        match operation:
            case Multiply(left=left, right=right) if left in self.numbers:
                return self._put(Scale(self.numbers[left], self.places[right]))
            case Multiply(left=left, right=right) if right in self.numbers:
                return self._put(Scale(self.numbers[right], self.places[left]))
            case Combine(function=function) if function in WEIGHED:
                return self._weighted_sum(operation)
        return self._put(with_operands(operation, self.places))

    def _weighted_sum(self, gate: Combine) -> int:
        key = (gate.function, gate.index)
        again = self.applications[key]
        self.applications[key] += 1
        name = gate_name(gate, again)
        weights = self.weights.gates.get(name, ())
        if len(weights) != len(gate.arguments):
            raise _untold(name, self.weights)
        terms = [
            self._put(Scale(_known(weight, name, self.weights), self.places[argument]))
            for weight, argument in zip(weights, gate.arguments, strict=True)
        ]
        total = terms[0]
        for term in terms[1:]:
            total = self._put(Add(total, term))
        return total

    def _mean(self, name: str) -> Fraction:
        """What a gate that is written out stands at."""
        stood = self.weights.written[name]
        if not stood:
            raise _untold(name, self.weights)
        return _known(stood[0], name, self.weights)

    def _told(self, coefficients: Mapping[str, Fraction | None], name: str) -> Fraction:
        if name not in coefficients:
            raise _untold(name, self.weights)
        return _known(coefficients[name], name, self.weights)


def gate_name(gate: Combine, again: int) -> str:
    """gate.7; a further one of the same index is gate.7_1, as in the network."""
    return f"{gate.function}.{gate.index}" + (f"_{again}" if again else "")


def _known(weight: Fraction | None, name: str, weights: Weights) -> Fraction:
    if weight is None:
        raise UserError("diverged", f"{name} is not a number after epoch {weights.epoch}",
                        "choose an earlier epoch: --epoch N")  # fmt: skip
    return weight


def _untold(name: str, weights: Weights) -> UserError:
    return UserError("bad-run", f"the weights after epoch {weights.epoch} do not tell {name}",
                     "gates are told from epoch 1 on, and of the run's own formula")  # fmt: skip
