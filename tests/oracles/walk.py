"""Every path walked one by one: an oracle for net, gross and distinct.

The output is multiplied out into words: sequences of letters, output first, with their
coefficients. A letter is one block call; two calls are one letter if block, index and argument
agree, whatever the order of the terms added. Slow (exponential in depth) and obvious.

>>> from recform.formula import parse
>>> walk(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), depth=2).gross
[Fraction(1, 1), Fraction(3, 1), Fraction(1, 1)]
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import zip_longest

from oracles.values import Network, Value, bag
from recform.formula.formula import Formula

# A letter is the value of a call, or the bag of a map whose kind is kept.
Letter = Hashable
Words = dict[tuple[Letter, ...], Fraction]


@dataclass(frozen=True)
class Walk:
    """What was found: coefficients by number of blocks, and every word that does not cancel.

    `gross_words` have every constant replaced by its absolute value.
    `letters` are the blocks that the output needs, with their indices, on a path or not.
    `unclear` says that one call was made of the same terms in two orders, of which only one
    follows from the start: then what follows depends on which was computed first.
    """

    depth: int
    has_output: bool
    letters: frozenset[tuple[str, int]]
    net: list[Fraction]
    gross: list[Fraction]
    distinct: list[Fraction]
    words: Mapping[tuple[Value, ...], Fraction]
    gross_words: Mapping[tuple[Value, ...], Fraction]
    unclear: bool


class TooManyWordsError(Exception):
    """The expansion has grown beyond what this oracle multiplies out."""


def walk(formula: Formula, depth: int, start: int = 0, most: int = 20_000) -> Walk:
    """All paths of dx[L]/dx[start] at L = `depth`. Raises TooManyWordsError beyond `most` words."""
    network = Network(formula, depth)
    output = network.output()
    variable = network.make("input") if start == 0 else network.state(formula.main, start)
    signed = Expansion(network, variable, lambda constant: constant, most)
    unsigned = Expansion(network, variable, abs, most)
    words, gross_words = signed.words(output), unsigned.words(output)
    return Walk(
        depth=depth,
        has_output=output is not None,
        letters=frozenset(_calls_within(output)),
        net=_by_length(words),
        gross=_by_length(gross_words),
        distinct=_by_length(dict.fromkeys(words, Fraction(1))),
        words=words,
        gross_words=gross_words,
        unclear=any(signed.is_unclear(call) for call in network.arguments),
    )


def walk_with_maps(
    formula: Formula, depth: int, start: int, kept: frozenset[str], most: int = 20_000
) -> Words:
    """The words that do not cancel when each application of a map named in `kept` is a letter.

    Such a letter is a tuple, a block's is a value. Raises TooManyWordsError beyond `most` words.
    """
    network = Network(formula, depth)
    output = network.output()
    variable = network.make("input") if start == 0 else network.state(formula.main, start)
    return Expansion(network, variable, lambda constant: constant, most, kept).words(output)


@dataclass(frozen=True)
class Gradient:
    """Paths from a block's output to the network's, by the number of blocks after it.

    The last letter of each of the `words` is the call of the block that they lead to.
    """

    words: Words
    net: list[Fraction]
    gross: list[Fraction]


def walk_from_blocks(
    formula: Formula, depth: int, most: int = 20_000
) -> dict[tuple[str, int], Gradient]:
    """What is found from each block: each of its calls in turn is what the paths lead back to."""
    network = Network(formula, depth)
    output = network.output()
    found: dict[tuple[str, int], list[tuple[Value, Words, Words]]] = {}
    for call in _values_within(output):
        if call.operation[0] == "call":
            signed = Expansion(network, call, lambda constant: constant, most).words(output)
            unsigned = Expansion(network, call, abs, most).words(output)
            found.setdefault(call.operation[1:3], []).append((call, signed, unsigned))
    return {
        block: Gradient(
            words={(*word, call): c for call, signed, _ in calls for word, c in signed.items()},
            net=_total(_by_length(signed) for _, signed, _ in calls),
            gross=_total(_by_length(unsigned) for _, _, unsigned in calls),
        )
        for block, calls in found.items()
    }


@dataclass
class Expansion:
    """Values multiplied out into words; what does not follow from `variable` is constant."""

    network: Network
    variable: Value | None
    constant: Callable[[Fraction], Fraction]
    most: int
    kept: frozenset[str] = frozenset()
    known: dict[Value, Words] = field(default_factory=dict)

    def words(self, value: Value | None) -> Words:
        if value is None:
            return {}
        if value not in self.known:
            words = self.expand(value)
            if len(words) > self.most:
                raise TooManyWordsError(len(words))
            self.known[value] = {word: c for word, c in words.items() if c != 0}
        return self.known[value]

    def expand(self, value: Value) -> Words:
        if value is self.variable:
            return {(): Fraction(1)}
        match value.operation:
            case ("input",) | ("zero",):
                return {}
            case ("add", left, right):
                total = dict(self.words(left))
                for word, coefficient in self.words(right).items():
                    total[word] = total.get(word, Fraction(0)) + coefficient
                return total
            case ("scale", constant, operand):
                factor = self.constant(constant)
                return {word: factor * c for word, c in self.words(operand).items()}
            case ("map", name, _, operand) if name in self.kept:
                return {(bag(value), *word): c for word, c in self.words(operand).items()}
            case ("map", _, _, operand):
                return self.words(operand)
            case ("call", _, _, argument):
                return {(value, *word): c for word, c in self.words(argument).items()}
        raise AssertionError(value.operation)

    def is_unclear(self, call: Value) -> bool:
        arguments = self.network.arguments[call]
        return len(arguments) > 1 and any(
            self.words(argument) != self.words(arguments[0]) for argument in arguments
        )


def _calls_within(output: Value | None) -> Iterator[tuple[str, int]]:
    """Block and index of every call that the output is made of."""
    for value in _values_within(output):
        if value.operation[0] == "call":
            yield value.operation[1:3]


def _values_within(output: Value | None) -> Iterator[Value]:
    """Every value that the output is made of, once."""
    waiting = [] if output is None else [output]
    seen: set[Value] = set()
    while waiting:
        value = waiting.pop()
        if value in seen:
            continue
        seen.add(value)
        yield value
        waiting += [part for part in value.operation if isinstance(part, Value)]


def _by_length(words: Mapping[tuple[Letter, ...], Fraction]) -> list[Fraction]:
    """The coefficients added up by number of blocks, without zeros at the end."""
    totals = [Fraction(0)] * (1 + max(map(len, words), default=0))
    for word, coefficient in words.items():
        totals[len(word)] += coefficient
    return _without_zeros(totals)


def _total(rows: Iterable[list[Fraction]]) -> list[Fraction]:
    return _without_zeros([sum(column) for column in zip_longest(*rows, fillvalue=Fraction(0))])


def _without_zeros(row: list[Fraction]) -> list[Fraction]:
    while len(row) > 1 and row[-1] == 0:
        row.pop()
    return row
