"""Whether two formulas have the same words: an oracle for `equal`.

All paths of both are written out. A letter is a block, its index, and the words of its argument,
each of whose letters is such a letter in turn; so letters of different formulas can be compared.

>>> from recform.formula import parse
>>> resnet_s = parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])")
>>> injection = parse("x[l+1] = x[0] + F(x[l])")
>>> have_the_same_words(resnet_s, injection, depth=3)
True
>>> have_the_same_words(resnet_s, injection, depth=3, start=1)
False
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from fractions import Fraction

from oracles.values import Network, Value
from oracles.walk import Expansion, Letter, Words
from recform.formula.formula import Formula


def have_the_same_words(
    left: Formula, right: Formula, depth: int, start: int = 0, most: int = 20_000
) -> bool:
    """Raises TooManyWordsError beyond `most` words."""
    numbers: dict[Hashable, int] = {}
    return all_words(left, depth, start, numbers, most) == all_words(
        right, depth, start, numbers, most
    )


def all_words(
    formula: Formula, depth: int, start: int, numbers: dict[Hashable, int], most: int = 20_000
) -> dict[tuple[int, ...], Fraction]:
    """The words of dx[depth]/dx[start] with their coefficients, letters numbered in `numbers`."""
    network = Network(formula, depth)
    output = network.output()
    variable = network.make("input") if start == 0 else network.state(formula.main, start)
    whole = Expansion(network, network.make("input"), lambda constant: constant, most)
    cut = Expansion(network, variable, lambda constant: constant, most)
    return _Renamer(whole, numbers).renamed(cut.words(output))


@dataclass
class _Renamer:
    whole: Expansion
    numbers: dict[Hashable, int]
    known: dict[Letter, int] = field(default_factory=dict)

    def renamed(self, words: Words) -> dict[tuple[int, ...], Fraction]:
        total: dict[tuple[int, ...], Fraction] = {}
        for word, coefficient in words.items():
            letters = tuple(self.letter(value) for value in word)
            total[letters] = total.get(letters, Fraction(0)) + coefficient
        return {letters: coefficient for letters, coefficient in total.items() if coefficient}

    def letter(self, call: Letter) -> int:
        assert isinstance(call, Value), "no map is kept"
        if call not in self.known:
            _, block, index, argument = call.operation
            words = self.renamed(self.whole.words(argument))
            key = (block, index, frozenset(words.items()))
            self.known[call] = self.numbers.setdefault(key, len(self.numbers))
        return self.known[call]
