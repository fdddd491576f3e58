"""The derivative of a tape: what is not linear in it, made linear.

The derivative of a product goes through each factor while the other stands still. A factor that
stands still, a *frozen* one, is a symbol of its own, and so is a learned coefficient; a function of
several values has a letter of length 0 for each of them. What is left has only the linear
operations, and every path algebra reads it:

    v3 = T[0](v0)                              v3 = T'[0](v0)
    v4 = F[0](v0)           becomes            v4 = F'[0](v0)
    v5 = v3 * v4                               v5 = [v4]*v3 + [v3]*v4

Three things can be made of the symbols. For net and gross they are 1 (`counted`). To tell which
paths cancel, each is an integer of 128 bits that a hash of its value chooses (`told_apart`): a
polynomial in the symbols that is not zero is zero there only by an accident that does not happen
(Schwartz 1980; DeMillo and Lipton 1978). To be written down each is a letter (`spelled`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from recform.errors import UserError
from recform.formula.library import STOP
from recform.paths.start import sources_of
from recform.tape import (
    Add,
    Call,
    Combine,
    Exact,
    Fingerprints,
    Input,
    Irrational,
    Map,
    Multiply,
    One,
    Operation,
    Parameter,
    Part,
    Scale,
    Tape,
    Zero,
    operands,
    parameter_to_text,
)
from recform.tape.operations import with_operands

# What a frozen factor is written with, as a letter.
FROZEN = "frozen "
# A factor with a longer name is told by its place on the tape.
MAX_NAME = 24


def is_linear(tape: Tape) -> bool:
    """Whether the tape is its own derivative."""
    return not any(_is_bent(operation) for operation in tape.operations)


def counted(tape: Tape, start: int = 0) -> tuple[Tape, int]:
    """The derivative by x[start] with frozen factors 1, and the start to read it from."""
    return _derivative(tape, start, lambda freezing, value, argument: argument)


def told_apart(tape: Tape, start: int = 0) -> tuple[Tape, int]:
    """The derivative by x[start] with a large integer for each frozen factor."""

    def multiply(freezing: _Derivative, value: int, argument: int) -> int:
        symbol = freezing.prints.cores[value] >> 128 | 1
        return freezing.put(Scale(Fraction(symbol), argument))

    return _derivative(tape, start, multiply)


def spelled(tape: Tape, start: int = 0) -> tuple[Tape, int]:
    """The derivative by x[start] with a letter for each frozen factor."""

    def multiply(freezing: _Derivative, value: int, argument: int) -> int:
        return freezing.put(Map(FROZEN + freezing.name_of(value), None, argument))

    return _derivative(tape, start, multiply)


# By what a value is multiplied beside a frozen factor: (derivative, the factor, the value).
Freeze = Callable[["_Derivative", int, int], int]


def _derivative(tape: Tape, start: int, freeze: Freeze) -> tuple[Tape, int]:
    if is_linear(tape):
        return tape, start
    return _Derivative(tape, set(sources_of(tape, start)), freeze).run(), 0


@dataclass
class _Derivative:
    """The new operations, and where the derivative of each old value is found among them."""

    tape: Tape
    sources: set[int]
    freeze: Freeze
    operations: list[Operation] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    prints: Fingerprints = field(default_factory=Fingerprints)
    applications: Counter = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._input = self.put(Input())
        self._nothing = self.put(Zero())
        self._names = {v: f"{state}[{depth}]" for (state, depth), v in self.tape.states.items()}

    def run(self) -> Tape:
        for value, operation in enumerate(self.tape.operations):
            self.prints.append(operation)
            is_source = value in self.sources
            self.places.append(self._input if is_source else self._derive(operation))
        return self.tape.rewritten(self.operations, self.places)

    def put(self, operation: Operation) -> int:
        self.operations.append(operation)
        return len(self.operations) - 1

    def name_of(self, value: int) -> str:
        """A frozen factor by its name in the formula, or by its place on the tape."""
        operation = self.tape.operations[value]
        if isinstance(operation, Scale):
            return self.name_of(operation.argument)
        text = self._written(value)
        return text if len(text) <= MAX_NAME else f"v{value}"

    def _written(self, value: int) -> str:
        """A state, a block, a coefficient, or a short sum of such."""
        if value in self._names:
            return self._names[value]
        match self.tape.operations[value]:
            case Parameter() as parameter:
                return parameter_to_text(parameter)
            case Call(block=block, index=index):
                return f"{block}[{index}]"
            case One():
                return "1"
            case Scale(factor=factor, argument=argument) if factor == -1:
                return f"-{self._written(argument)}"
            case Add(left=left, right=right):
                return f"{self._written(left)}+{self._written(right)}".replace("+-", "-")
        return f"v{value}"

    def _derive(self, operation: Operation) -> int:
        """The place of the derivative of what an operation makes."""
        match operation:
            case Input() | Zero() | One() | Parameter() | Map(function="stopgrad"):
                return self._nothing
            case Add(left=left, right=right):
                return self._add(self.places[left], self.places[right])
            case Multiply(left=left, right=right):
                return self._add(self._beside(right, left), self._beside(left, right))
            case Combine():
                return self._slots(operation)
            case Map(function=function, index=index, argument=argument):
                # without the rate of `drop`
                return self.put(Map(function, index, self.places[argument]))
            case Part(number=number, argument=argument):
                return self.put(Map(f"part.{number}", None, self.places[argument]))
        return self.put(with_operands(operation, self.places))

    def _beside(self, frozen: int, value: int) -> int:
        """The derivative of a factor, times the other one, which is frozen."""
        place = self.places[value]
        if place == self._nothing:
            return place
        constant: Exact = self.prints.factors[frozen]
        scaled = self.freeze(self, frozen, place)
        if constant == 1:
            return scaled
        return self.put(
            Scale(Fraction(constant) if isinstance(constant, int) else constant, scaled)
        )

    def _slots(self, operation: Combine) -> int:
        """A letter for each argument of a function."""
        key = (operation.function, operation.index)
        self.applications[key] += 1
        # Several applications of one index have weights of their own.
        again = "" if self.applications[key] == 1 else str(self.applications[key])
        total = self._nothing
        for slot, argument in enumerate(operation.arguments):
            if self.places[argument] != self._nothing:
                name = f"{operation.function}{again}.{slot}"
                letter = self.put(Map(name, operation.index, self.places[argument]))
                total = self._add(total, letter)
        return total

    def _add(self, left: int, right: int) -> int:
        if left == self._nothing:
            return right
        return left if right == self._nothing else self.put(Add(left, right))


def _is_bent(operation: Operation) -> bool:
    match operation:
        case Map(function=function, number=number):
            return function == STOP or number is not None
    return isinstance(operation, One | Parameter | Multiply | Combine | Part)


def refuse_roots(tape: Tape) -> None:
    """Raise UserError `irrational` if a constant of the tape is no rational number."""
    if any(isinstance(op, Scale) and isinstance(op.factor, Irrational) for op in tape.operations):
        raise UserError("irrational", "paths with roots in their coefficients are counted, and no "
                        "more", "write rational numbers near the roots")  # fmt: skip


def depends_on_values(tape: Tape) -> list[bool]:
    """For each value whether it is made of anything but numbers and learned coefficients."""
    found: list[bool] = []
    for operation in tape.operations:
        is_leaf = not operands(operation)
        is_constant = isinstance(operation, One | Parameter)
        inner = any(found[value] for value in operands(operation))
        found.append(not is_constant if is_leaf else inner)
    return found
