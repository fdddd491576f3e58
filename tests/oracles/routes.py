"""What the words of an expansion say of each block: read off word by word."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction

from oracles.values import Value

Words = Mapping[tuple[Value, ...], Fraction]
Block = tuple[str, int]


def block_of(call: Value) -> Block:
    return call.operation[1], call.operation[2]


def through(words: Words) -> dict[Block, dict[int, Fraction]]:
    """For each block, the coefficients of the words with it, by length; once for each passage."""
    found: dict[Block, dict[int, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    for word, coefficient in words.items():
        for call in word:
            found[block_of(call)][len(word)] += coefficient
    return found


def by_names(words: Words) -> dict[tuple[tuple[str, int], ...], Fraction]:
    """The coefficients added up over words with as many blocks of each name."""
    found: dict[tuple[tuple[str, int], ...], Fraction] = defaultdict(Fraction)
    for word, coefficient in words.items():
        names = Counter(block_of(call)[0] for call in word)
        found[tuple(sorted(names.items()))] += coefficient
    return {names: coefficient for names, coefficient in found.items() if coefficient}


def widths(words: Words, of_blocks: Sequence[int]) -> dict[int, tuple[Fraction, int]]:
    """Mean and least width of all blocks on the words of each length, each word counted once."""
    found: dict[int, list[int]] = defaultdict(list)
    for word in words:
        found[len(word)] += [of_blocks[block_of(call)[1]] for call in word]
    return {
        length: (Fraction(sum(every), len(every)), min(every))
        for length, every in found.items()
        if every
    }
