"""Values of several formulas on one table of letters, so that they can be compared.

A letter is one application of a block: its name, its index, and its argument as a linear form over
earlier letters. Two applications whose arguments are the same form are one letter, whichever
formula makes them and in whatever order it adds its terms. So two formulas have the same paths if
and only if their outputs are the same form: a letter fixes its argument, so the form tells the
coefficient of every word. A block of nothing but zeros is a constant and on no path: it is absent.

To follow the paths from x[l0] with l0 > 0 a value has a second form, its derivative by x[l0]: over
*tails*, a letter together with the derivative of its argument. Together they are the value's jet.

>>> from recform.formula import parse
>>> from recform.tape import fold, unroll
>>> jets = Jets(LetterTable())
>>> shown = [fold(unroll(parse(text), 2), jets).form == {INPUT: 1, 2: 1}
...          for text in ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "x[l+1] = x[0] + F(x[l])")]
>>> shown
[True, True]
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from recform.paths.letters import TRANSPARENT, is_letter, kind_of_map
from recform.tape import Exact

# A sum of letters (in a form) or of tails (in a derivative), by their numbers in the table.
Vector = Mapping[int, Exact]

# The network's input in a form, x[l0] itself in a derivative.
INPUT = 0
_NOTHING: Vector = {}


@dataclass(frozen=True)
class Jet:
    """A value as a form over letters, and its derivative by x[l0] as a form over tails."""

    form: Vector = field(default_factory=dict)
    derivative: Vector = field(default_factory=dict)

    def plus(self, other: Jet) -> Jet:
        return Jet(add(self.form, other.form), add(self.derivative, other.derivative))

    def times(self, factor: Exact) -> Jet:
        return Jet(scale(factor, self.form), scale(factor, self.derivative))


ABSENT = Jet()


@dataclass(frozen=True)
class Letter:
    """`name[index](argument)`. `length` is that of its shortest path."""

    name: str
    index: int | None
    argument: Vector
    length: int


@dataclass(frozen=True)
class Tail:
    """A letter, and the derivative of its argument."""

    letter: int
    argument: Vector
    length: int


_END = Letter("", None, _NOTHING, 0)


@dataclass
class LetterTable:
    """The letters and tails found so far. Number 0 of each is what the paths lead back to."""

    letters: list[Letter] = field(default_factory=lambda: [_END])
    tails: list[Tail] = field(default_factory=lambda: [Tail(INPUT, _NOTHING, 0)])
    _numbers: dict[object, int] = field(default_factory=dict)

    def letter(self, name: str, index: int | None, argument: Vector) -> int:
        key = (name, index, frozenset(argument.items()))
        if key not in self._numbers:
            self._numbers[key] = len(self.letters)
            length = 1 + min((self.letters[k].length for k in argument), default=0)
            self.letters.append(Letter(name, index, argument, length))
        return self._numbers[key]

    def tail(self, letter: int, argument: Vector) -> int:
        key = (letter, frozenset(argument.items()))
        if key not in self._numbers:
            self._numbers[key] = len(self.tails)
            length = 1 + min(self.tails[k].length for k in argument)
            self.tails.append(Tail(letter, argument, length))
        return self._numbers[key]

    def argument_of(self, application: Jet) -> Jet:
        """What a block is applied to, given the jet of its output."""
        form = [self.letters[number].argument for number in application.form]
        derivative = [self.tails[number].argument for number in application.derivative]
        return Jet(form[0] if form else _NOTHING, derivative[0] if derivative else _NOTHING)

    def has_paths(self, derivative: Vector) -> bool:
        """Whether a derivative has a word with a coefficient that is not zero.

        Tails of one letter are added up first: a formula may come to one letter in two ways.
        """
        if INPUT in derivative:
            return True
        by_letter: dict[int, Vector] = {}
        for number, factor in derivative.items():
            tail = self.tails[number]
            so_far = by_letter.get(tail.letter, _NOTHING)
            by_letter[tail.letter] = add(so_far, scale(factor, tail.argument))
        return any(self.has_paths(argument) for argument in by_letter.values())


@dataclass(frozen=True)
class Jets:
    """The algebra of jets on a table. Maps and projections of a kind that is kept are letters."""

    table: LetterTable
    kept: Collection[str] = TRANSPARENT

    def input(self) -> Jet:
        return Jet({INPUT: 1})

    def source(self, form: Vector) -> Jet:
        """x[l0], which is `form`."""
        return Jet(form, {INPUT: 1})

    def zero(self) -> Jet:
        return ABSENT

    def call(self, block: str, index: int | None, argument: Jet) -> Jet:
        form = derivative = _NOTHING
        if argument.form or argument.derivative:
            letter = self.table.letter(block, index, argument.form)
            form = {letter: 1} if argument.form else _NOTHING
            if argument.derivative:
                derivative = {self.table.tail(letter, argument.derivative): 1}
        return Jet(form, derivative)

    def map(self, function: str, index: int | None, argument: Jet) -> Jet:
        if not is_letter(kind_of_map(function), self.kept):
            return argument
        return self.call(function, index, argument)

    def scale(self, factor: Exact, argument: Jet) -> Jet:
        if isinstance(factor, Fraction) and factor.denominator == 1:
            # Whole numbers are ints, for speed.
            return argument.times(factor.numerator)
        return argument.times(factor)

    def add(self, left: Jet, right: Jet) -> Jet:
        return left.plus(right)

    def start(self, label: str, argument: Jet) -> Jet:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Jet) -> Jet:
        if "projection" not in self.kept:
            return argument
        return self.call("shortcut" if is_shortcut else "project", border, argument)


def add(left: Vector, right: Vector) -> Vector:
    """The sum; what cancels is gone."""
    if not right:
        return left
    if not left:
        return right
    total = dict(left)
    for number, factor in right.items():
        new = total.get(number, 0) + factor
        if new:
            total[number] = new
        else:
            del total[number]
    return total


def scale(factor: Exact, vector: Vector) -> Vector:
    if factor == 1:
        return vector
    return {number: factor * inner for number, inner in vector.items()} if factor else {}
