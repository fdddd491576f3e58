"""Paths through products and functions of several values, multiplied out: an oracle.

The derivative of a product goes through each factor beside the other one, which stands still and
is a symbol. So the coefficient of a word is a polynomial in symbols, kept here as a table of
monomials: a word is gone if every one of its monomials is. Each argument of a function is a letter
of length 0.

And the same formula with numbers: values and slopes carried forward together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from oracles.values import Network, Value, _factors, bag
from oracles.walk import TooManyWordsError
from recform.formula.formula import Formula

# Symbols with how often they occur, and what the product of them is multiplied by.
Polynomial = Mapping[frozenset, Fraction]
Words = dict[tuple[Hashable, ...], Polynomial]

ONE: Polynomial = {frozenset(): Fraction(1)}
LINEAR_WITH_WEIGHTS = ("linear", "conv1x1", "se")


@dataclass(frozen=True)
class Counts:
    """Paths by number of blocks."""

    net: list[Fraction]
    gross: list[Fraction]
    distinct: list[Fraction]


def count(formula: Formula, depth: int, start: int = 0, most: int = 2_000) -> Counts | None:
    """The paths of d output / d x[start]; None where what follows from the start is unclear."""
    network = Network(formula, depth)
    output = network.output()
    variable = network.make("input") if start == 0 else network.state(formula.main, start)
    signed = _Expansion(variable, lambda constant: constant, most)
    drawn = _Expansion(variable, abs, most)
    words, drawn_words = signed.words(output), drawn.words(output)
    for arguments in network.arguments.values():
        if any(signed.words(a) != signed.words(arguments[0]) for a in arguments):
            return None
    return Counts(
        net=_by_length({word: sum(c.values()) for word, c in words.items()}),
        gross=_by_length({word: sum(c.values()) for word, c in drawn_words.items()}),
        distinct=_by_length(dict.fromkeys(words, Fraction(1))),
    )


@dataclass
class _Expansion:
    variable: Value | None
    constant: Callable[[Fraction], Fraction]
    most: int
    known: dict[Value, Words] = field(default_factory=dict)

    def words(self, value: Value | None) -> Words:
        if value is None:
            return {}
        if value not in self.known:
            words = {(): ONE} if value is self.variable else self.expand(value)
            words = {word: _without_zeros(c) for word, c in words.items()}
            self.known[value] = {word: c for word, c in words.items() if c}
            if sum(map(len, words.values())) > self.most:
                raise TooManyWordsError(len(words))
        return self.known[value]

    def expand(self, value: Value) -> Words:
        match value.operation:
            case ("add", left, right):
                return _sum([self.words(left), self.words(right)])
            case ("scale", constant, operand):
                return _times(self.words(operand), {frozenset(): self.constant(constant)})
            case ("multiply", left, right):
                beside = [(left, right), (right, left)]
                return _sum([_times(self.words(a), self.symbol(b)) for a, b in beside])
            case ("call", _, _, argument):
                return {(value, *word): c for word, c in self.words(argument).items()}
            case ("map", name, _, argument) if name in LINEAR_WITH_WEIGHTS:
                return {(bag(value), *word): c for word, c in self.words(argument).items()}
            case ("map", _, _, argument):
                return self.words(argument)
            case ("combine", _, _, *arguments):
                return _sum(
                    {((bag(value), slot), *word): c for word, c in self.words(argument).items()}
                    for slot, argument in enumerate(arguments)
                )
        return {}

    def symbol(self, frozen: Value) -> Polynomial:
        """The factor that stands still: its constant times a symbol."""
        constant, factors = _factors(frozen)
        symbol = frozenset(Counter(map(bag, factors)).items())
        return {frozenset({(symbol, 1)}): self.constant(constant)}


def _sum(parts: Iterator[Words] | list[Words]) -> Words:
    total: dict[tuple[Hashable, ...], dict[frozenset, Fraction]] = {}
    for words in parts:
        for word, coefficient in words.items():
            so_far = total.setdefault(word, {})
            for monomial, number in coefficient.items():
                so_far[monomial] = so_far.get(monomial, Fraction(0)) + number
    return dict(total)


def _times(words: Words, factor: Polynomial) -> Words:
    ((symbols, constant),) = factor.items()
    return {
        word: {_product(monomial, symbols): number * constant for monomial, number in c.items()}
        for word, c in words.items()
    }


def _product(left: frozenset, right: frozenset) -> frozenset:
    return frozenset((Counter(dict(left)) + Counter(dict(right))).items())


def _without_zeros(coefficient: Polynomial) -> Polynomial:
    return {monomial: number for monomial, number in coefficient.items() if number}


def _by_length(words: Mapping[tuple[Hashable, ...], Fraction]) -> list[Fraction]:
    lengths = {word: sum(isinstance(letter, Value) for letter in word) for word in words}
    totals = [Fraction(0)] * (1 + max(lengths.values(), default=0))
    for word, number in words.items():
        totals[lengths[word]] += number
    while len(totals) > 1 and totals[-1] == 0:
        totals.pop()
    return totals


# --- with numbers ---------------------------------------------------------------------------------


def slope(
    formula: Formula, depth: int, weights: Callable[[str, int], float], at: float
) -> tuple[float, float, float] | None:
    """The network's output and slope at an input, and the size of what was added up for them.

    Blocks multiply by their weights, functions of several values add up, and all other maps are
    identities. None if the output is absent.
    """
    output = Network(formula, depth).output()
    if output is None:
        return None
    known: dict[Value, tuple[float, float, float]] = {}

    def follow(value: Value) -> tuple[float, float, float]:
        if value not in known:
            known[value] = new(value)
        return known[value]

    def new(value: Value) -> tuple[float, float, float]:
        match value.operation:
            case ("input",):
                return at, 1.0, max(abs(at), 1.0)
            case ("zero",):
                return 0.0, 0.0, 0.0
            case ("one",):
                return 1.0, 0.0, 1.0
            case ("param", _, _, start):
                return float(start), 0.0, abs(float(start))
            case ("add", left, right):
                return tuple(map(sum, zip(follow(left), follow(right), strict=True)))  # type: ignore[return-value]
            case ("scale", constant, operand):
                x, dx, size = follow(operand)
                return float(constant) * x, float(constant) * dx, abs(float(constant)) * size
            case ("multiply", left, right):
                (x, dx, first), (y, dy, second) = follow(left), follow(right)
                return x * y, dx * y + x * dy, 2 * first * second
            case ("call", block, index, argument):
                x, dx, size = follow(argument)
                w = weights(block, index)
                return w * x, w * dx, abs(w) * size
            case ("map", _, _, argument):
                return follow(argument)
            case ("stop", argument):
                x, _, size = follow(argument)
                return x, 0.0, size
            case ("combine", _, _, *arguments):
                columns = zip(*(follow(argument) for argument in arguments), strict=True)
                return tuple(map(sum, columns))  # type: ignore[return-value]
        raise AssertionError(value.operation)

    return follow(output)
