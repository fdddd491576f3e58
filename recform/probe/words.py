"""Paths as words that can be counted, numbered and drawn, without writing all of them down.

A letter is a block's application on the tape, a word the letters of one path, output first. The
derivative of a value by the network's input is a sum of words; from a letter, or from the output,
a *link* leads to each letter that wires without a block reach, and to the input. A link's
coefficient is the sum over these wires. So the words are the walks of a graph with one node for
each letter, and each is

    surviving   all its links have coefficients other than 0: it is one of the formula's paths
    cancelled   some link has wires whose coefficients add up to 0: it is drawn, and counts nothing

A network need not cancel where the formula does: an activation, a norm or a projection may stand
on one of two wires and not on the other. Then cancelled words carry gradient too.

The words of each length that begin at a node are counted, exactly. That numbers them: word number
`rank` is found by going down the graph, and a uniform number is a uniform word.

>>> from recform.formula import parse
>>> from recform.tape import unroll
>>> tape = unroll(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), 4)
>>> surviving_words(tape).counts, cancelled_words(tape).counts
((1, 1, 1, 1, 1), (0, 3, 5, 3))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from random import Random
from typing import TypeAlias

from recform.errors import UserError
from recform.paths.derivative import is_linear
from recform.tape import Call, Input, Tape, fold

# Letters and the input are named by their values on the tape.
Word: TypeAlias = tuple[int, ...]
# A letter, or None for the output; and whether a link on the way from the output has cancelled.
Node: TypeAlias = "tuple[int | None, bool]"
# What a value is made of: coefficients of letters and of the input; 0 where wires cancel.
Form: TypeAlias = Mapping[int, Fraction]

OUTPUT: Node = (None, False)


@dataclass(frozen=True)
class Words:
    """A set of words, as walks from the node `OUTPUT`.

    `steps` lead from a node by a letter to the next node; `numbers` counts, for each node, the
    words of each length that begin there.
    """

    steps: Mapping[Node, Mapping[int, Node]]
    numbers: Mapping[Node, tuple[int, ...]]

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of words by length, exact; empty if there are none."""
        return self.numbers[OUTPUT]

    def count(self, length: int) -> int:
        return self._count(OUTPUT, length)

    def word(self, length: int, rank: int) -> Word:
        """Word number `rank`, from 0, of those with this length."""
        assert 0 <= rank < self.count(length), "there is no word of this number"
        node, letters = OUTPUT, []
        for left in reversed(range(length)):
            for letter, follower in self.steps[node].items():
                number = self._count(follower, left)
                if rank < number:
                    node = follower
                    letters.append(letter)
                    break
                rank -= number
        return tuple(letters)

    def sample(self, length: int, most: int, random: Random) -> tuple[Word, ...]:
        """Different words of this length, drawn uniformly; all of them if there are at most `most`.

        Sorted by their numbers.
        """
        number = self.count(length)
        if number <= most:
            ranks = set(range(number))
        else:
            ranks = set()
            while len(ranks) < most:
                ranks.add(random.randrange(number))
        return tuple(self.word(length, rank) for rank in sorted(ranks))

    def __iter__(self) -> Iterator[Word]:
        for length, number in enumerate(self.counts):
            for rank in range(number):
                yield self.word(length, rank)

    def _count(self, node: Node, length: int) -> int:
        numbers = self.numbers[node]
        return numbers[length] if length < len(numbers) else 0


def surviving_words(tape: Tape) -> Words:
    """The words of d output / d input whose coefficient is not 0: what `distinct` counts.

    Raises UserError `bad-argument`, as those below, for a tape that is not linear.
    """
    return _words(tape, lambda has_cancelled: not has_cancelled)


def cancelled_words(tape: Tape) -> Words:
    """The words that wires spell, and whose coefficient is 0."""
    return _words(tape, lambda has_cancelled: has_cancelled)


def drawn_words(tape: Tape) -> Words:
    """All words that wires spell, cancelled or not: their derivatives add up to the gradient."""
    return _words(tape, lambda has_cancelled: True)


def _words(tape: Tape, belongs: Callable[[bool], bool]) -> Words:
    """The words that belong, by whether a link on them has cancelled."""
    source = source_of(tape)
    steps: dict[Node, Mapping[int, Node]] = {}
    numbers: dict[Node, tuple[int, ...]] = {}
    # Links lead to earlier letters, so that what follows a node is counted before it.
    for letter, form in links_of(tape).items():
        for has_cancelled in (False, True) if letter is not None else (False,):
            node: Node = (letter, has_cancelled)
            after = {
                follower: (follower, has_cancelled or not coefficient)
                for follower, coefficient in form.items()
            }
            ends = source is not None and source in after and belongs(after.pop(source)[1])
            steps[node] = after
            numbers[node] = _numbers(ends, [numbers[follower] for follower in after.values()])
    return Words(steps, numbers)


def _numbers(ends: bool, followers: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Words by length: the empty one if the path may end here, and a letter before each other."""
    longer = [sum(column) for column in zip_longest(*followers, fillvalue=0)]
    numbers = (int(ends), *longer)
    return numbers if any(numbers) else ()


def links_of(tape: Tape) -> dict[int | None, Form]:
    """For each letter the form of its argument, in the order of the tape; last, under None, the
    output's. Letters that do not depend on the input are left out.

    Raises UserError `bad-argument` for a tape with products, or functions of several values.
    """
    if not is_linear(tape):
        raise UserError("bad-argument", "gradients are measured path by path where values are "
                        "added and go through blocks, and this formula multiplies them, or makes "
                        "one of several", "count its paths: recform analyze")  # fmt: skip
    source = source_of(tape)
    if tape.output is None or source is None:
        return {None: {}}
    forms = _Forms(iter([v for v, op in enumerate(tape.operations) if isinstance(op, Call)]), {})
    output = fold(tape, forms, given={source: {source: Fraction(1)}})
    return {**forms.links, None: output}


def source_of(tape: Tape) -> int | None:
    """The value that is the input; None if nothing reads it."""
    return tape.operations.index(Input()) if Input() in tape.operations else None


@dataclass(frozen=True)
class _Forms:
    """The algebra of linear forms that keep what cancels, as 0. Calls come in the tape's order."""

    letters: Iterator[int]
    links: dict[int | None, Form]

    def input(self) -> Form:
        return {}

    def zero(self) -> Form:
        return {}

    def call(self, block: str, index: int, argument: Form) -> Form:
        letter = next(self.letters)
        if not argument:
            return {}
        self.links[letter] = argument
        return {letter: Fraction(1)}

    def map(self, function: str, index: int | None, argument: Form) -> Form:
        return argument

    def scale(self, factor: Fraction, argument: Form) -> Form:
        return {letter: factor * link for letter, link in argument.items()} if factor else {}

    def add(self, left: Form, right: Form) -> Form:
        total = dict(left)
        for letter, link in right.items():
            total[letter] = total.get(letter, Fraction(0)) + link
        return total

    def start(self, label: str, argument: Form) -> Form:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Form) -> Form:
        return argument
