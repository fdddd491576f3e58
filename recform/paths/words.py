"""The expansion into words, as the paper prints it: 1 + F'[2] + F'[2]F'[1] + F'[2]F'[1]F'[0].

Each word is a path, its letters written from the output to the input (Liao et al. 2021, eqs. (8)
to (12)). There are up to 2^depth of them and more, so this is for small depths.

The words of d x[L] / d F[j] lead from the output to one application of the block, the last letter;
it is written, as dF[j](x[0]), only where the block is applied more than once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from fractions import Fraction

from recform.paths.adjoint import fold_back
from recform.paths.derivative import spelled
from recform.paths.letters import (
    TRANSPARENT,
    Writer,
    is_letter,
    kind_of_map,
    letter_to_latex,
    letter_to_text,
    letters,
    perturbed_to_latex,
    perturbed_to_text,
    shared_blocks,
    write_letters,
)
from recform.paths.start import sources_of
from recform.tape import Call, Tape, fold

# A letter is its place on the tape; a word is a sequence of letters, output first.
Word = tuple[int, ...]
Words = dict[Word, Fraction]

MAX_WORDS = 100_000


class TooManyWordsError(Exception):
    """The expansion has more than MAX_WORDS words."""


def words(tape: Tape, start: int = 0, kept: Collection[str] = TRANSPARENT) -> Words:
    """Every path of d output / d x[start] with its coefficient.

    `kept` are kinds of `letters`, each of whose applications is a letter of its own. Raises
    TooManyWordsError.
    """
    tape, start = spelled(tape, start)
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return {}
    same = letters(tape, kept)
    coming = (same[value] for value in same if value not in sources)
    expansion = _Expansion(coming, kept, lambda letter, word: (letter, *word))
    return fold(tape, expansion, given={source: {(): Fraction(1)} for source in sources})


def gradient_words(tape: Tape, kept: Collection[str] = TRANSPARENT) -> dict[str, Words]:
    """Every path of d output / d F[j] with its coefficient, for each block that the output needs.

    The last letter is the application of F[j] that is perturbed. Raises TooManyWordsError.
    """
    tape, _ = spelled(tape)
    found: dict[tuple[str, int], Words] = {}

    def keep(value: int, adjoint: Words) -> None:
        operation = tape.operations[value]
        if isinstance(operation, Call):
            of_block = found.setdefault((operation.block, operation.index), {})
            of_block |= {(*word, value): coefficient for word, coefficient in adjoint.items()}

    if tape.output is not None:
        coming = reversed(letters(tape, kept).values())
        expansion = _Expansion(coming, kept, lambda letter, word: (*word, letter))
        fold_back(tape, expansion, {(): Fraction(1)}, keep)
    return {f"{block}[{index}]": found[block, index] for block, index in sorted(found)}


@dataclass
class _Expansion:
    """The algebra of formal sums of words.

    `coming` are the letters in the order in which the tape is read, and `extend` puts one on a
    word: at its front on the way to the output, at its end on the way back.
    """

    coming: Iterator[int]
    kept: Collection[str]
    extend: Callable[[int, Word], Word]

    def input(self) -> Words:
        return {}

    def zero(self) -> Words:
        return {}

    def call(self, block: str, index: int, argument: Words) -> Words:
        return self._letter(argument)

    def map(self, function: str, index: int | None, argument: Words) -> Words:
        is_one = is_letter(kind_of_map(function), self.kept)
        return self._letter(argument) if is_one else argument

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
        return self._letter(argument) if "projection" in self.kept else argument

    def _letter(self, argument: Words) -> Words:
        letter = next(self.coming)
        return {self.extend(letter, word): c for word, c in argument.items()}


# --- written down ------------------------------------------------------------------------------


def words_to_text(tape: Tape, start: int = 0, kept: Collection[str] = TRANSPARENT) -> str:
    """The expansion on one line, shortest words first.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> words_to_text(unroll(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), 3))
    "1 + F'[2] + F'[2]F'[1] + F'[2]F'[1]F'[0]"
    """
    tape, start = spelled(tape, start)
    return _join(tape, words(tape, start, kept), write_letters(tape, kept, letter_to_text))


def words_to_latex(tape: Tape, start: int = 0, kept: Collection[str] = TRANSPARENT) -> str:
    r"""The expansion in LaTeX: 1 + F'_{2} + F'_{2}F'_{1}."""
    tape, start = spelled(tape, start)
    return _join(tape, words(tape, start, kept), write_letters(tape, kept, letter_to_latex))


def gradient_words_to_text(tape: Tape, kept: Collection[str] = TRANSPARENT) -> dict[str, str]:
    """What trains each block, on one line each.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> gradient_words_to_text(unroll(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), 3))
    {'F[0]': "F'[2]F'[1]", 'F[1]': "F'[2]", 'F[2]': '1'}
    >>> gradient_words_to_text(unroll(parse("x[l+1] = x[l] + F[0](x[l])"), 2))
    {'F[0]': "dF[0](x[1]) + dF[0](x[0]) + F'[0](x[1])dF[0](x[0])"}
    """
    return _write_gradients(tape, kept, letter_to_text, perturbed_to_text)


def gradient_words_to_latex(tape: Tape, kept: Collection[str] = TRANSPARENT) -> dict[str, str]:
    r"""What trains each block, in LaTeX: F'_{2}F'_{1}."""
    return _write_gradients(tape, kept, letter_to_latex, perturbed_to_latex)


def _write_gradients(
    tape: Tape, kept: Collection[str], write: Writer, write_perturbed: Writer
) -> dict[str, str]:
    tape, _ = spelled(tape)
    shared = {f"{block}[{index}]" for block, index in shared_blocks(tape)}
    written = write_letters(tape, kept, write)
    perturbed = write_letters(tape, kept, write_perturbed)
    return {
        block: _join(
            tape, found, written, perturbed if block in shared else dict.fromkeys(perturbed, "")
        )
        for block, found in gradient_words(tape, kept).items()
    }


def _join(
    tape: Tape, expansion: Words, written: dict[int, str], last: dict[int, str] | None = None
) -> str:
    """The sum of the words; `last` is how the last letter is written, if not as the others."""

    def length(word: Word) -> int:
        return sum(isinstance(tape.operations[letter], Call) for letter in word)

    def order(word: Word) -> tuple:
        return length(word), len(word), [-letter for letter in word]

    pieces = []
    for word in sorted(expansion, key=order):
        coefficient = expansion[word]
        names = [written[letter] for letter in word]
        if last is not None:
            names[-1] = last[word[-1]]
        text = "".join(names)
        size = str(abs(coefficient)) if abs(coefficient) != 1 or not text else ""
        plus, minus = (" + ", " - ") if pieces else ("", "-")
        sign = minus if coefficient < 0 else plus
        pieces.append(f"{sign}{size}{' ' if size and text else ''}{text}")
    return "".join(pieces) or "0"
