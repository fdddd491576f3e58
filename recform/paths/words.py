"""The expansion into words, as the paper prints it: 1 + F'[2] + F'[2]F'[1] + F'[2]F'[1]F'[0].

Each word is a path, its letters written from the output to the input (Liao et al. 2021, eqs. (8)
to (12)). There are up to 2^depth of them and more, so this is for small depths.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from recform.paths.start import sources_of
from recform.tape import Call, Tape, fold
from recform.tape.operations import operation_to_text

# A letter is a call's place on the tape; a word is a sequence of letters, output first.
Word = tuple[int, ...]
Words = dict[Word, Fraction]

MAX_WORDS = 100_000


class TooManyWordsError(Exception):
    """The expansion has more than MAX_WORDS words."""


@dataclass
class _Expansion:
    """The algebra of formal sums of words. Calls are numbered in the order of the tape."""

    calls: list[int]
    _next: int = 0

    def input(self) -> Words:
        return {}

    def zero(self) -> Words:
        return {}

    def call(self, block: str, index: int, argument: Words) -> Words:
        letter = self.calls[self._next]
        self._next += 1
        return {(letter, *word): coefficient for word, coefficient in argument.items()}

    def map(self, function: str, index: int | None, argument: Words) -> Words:
        return argument

    def scale(self, factor: Fraction, argument: Words) -> Words:
        if factor == 0:
            return {}
        return {word: factor * coefficient for word, coefficient in argument.items()}

    def add(self, left: Words, right: Words) -> Words:
        total = dict(left)
        for word, coefficient in right.items():
            total[word] = total.get(word, Fraction(0)) + coefficient
        if len(total) > MAX_WORDS:
            raise TooManyWordsError
        return {word: coefficient for word, coefficient in total.items() if coefficient}

    def start(self, label: str, argument: Words) -> Words:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Words) -> Words:
        return argument


def words(tape: Tape, start: int = 0) -> Words:
    """Every path of d output / d x[start] with its coefficient. Raises TooManyWordsError."""
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return {}
    calls = [v for v, op in enumerate(tape.operations) if isinstance(op, Call) and v not in sources]
    return fold(tape, _Expansion(calls), given={source: {(): Fraction(1)} for source in sources})


def words_to_text(tape: Tape, start: int = 0) -> str:
    """The expansion on one line, shortest words first.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> words_to_text(unroll(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), 3))
    "1 + F'[2] + F'[2]F'[1] + F'[2]F'[1]F'[0]"
    """
    return _join(words(tape, start), _letters(tape, "{block}'[{index}]"))


def words_to_latex(tape: Tape, start: int = 0) -> str:
    r"""The expansion in LaTeX: 1 + F'_{2} + F'_{2}F'_{1}."""
    return _join(words(tape, start), _letters(tape, "{block}'_{{{index}}}"))


def _join(expansion: Words, letters: dict[int, str]) -> str:
    pieces = []
    ordered = sorted(expansion, key=lambda word: (len(word), [-letter for letter in word]))
    for word in ordered:
        coefficient = expansion[word]
        size = str(abs(coefficient)) if abs(coefficient) != 1 or not word else ""
        plus, minus = (" + ", " - ") if pieces else ("", "-")
        sign = minus if coefficient < 0 else plus
        text = "".join(letters[letter] for letter in word)
        pieces.append(f"{sign}{size}{' ' if size and text else ''}{text}")
    return "".join(pieces) or "0"


def _letters(tape: Tape, pattern: str) -> dict[int, str]:
    """How each letter is written: with its argument, where a block is applied more than once."""
    calls = {v: op for v, op in enumerate(tape.operations) if isinstance(op, Call)}
    uses = Counter((call.block, call.index) for call in calls.values())
    names = {value: f"{state}[{depth}]" for (state, depth), value in tape.states.items()}
    letters = {}
    for value, call in calls.items():
        letters[value] = pattern.format(block=call.block, index=call.index)
        if uses[call.block, call.index] > 1:
            argument = names.get(call.argument)
            letters[value] += f"({argument or operation_to_text(tape.operations[call.argument])})"
    return letters
