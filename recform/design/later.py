"""Whether a formula has the wanted paths from later states, too: d x[L]/d x[l0] for l0 > 0.

Liao et al. (2021) derive d x[L]/d x[l] for every l. Their eqs. (20) and (21) have one path of each
length from x[0]; from x[1] the first still has, the second has lost the path past all blocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq_poly

from recform.formula import Formula
from recform.paths.polynomials import NET, ONE
from recform.paths.start import sources_of
from recform.paths.words import words
from recform.tape import Call, Tape, fold, unroll

STARTS = (1, 2, 3)
NUM_DEPTHS = 6


def has_rows(formula: Formula, rows: Sequence[fmpq_poly]) -> bool:
    """Whether the counts from x[1], x[2], x[3] are the wanted rows, as far as they are given."""
    return all(
        _count(formula, start, depth) == row
        for start in STARTS
        for depth, row in enumerate(rows[:NUM_DEPTHS])
    )


def _count(formula: Formula, start: int, depth: int) -> fmpq_poly:
    tape = unroll(formula, start + depth)
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return fmpq_poly([])
    return fold(tape, NET, given=dict.fromkeys(sources, ONE))


def words_by_depth(formula: Formula, depth: int, start: int = 0) -> dict[str, Fraction]:
    """The words of d output/d x[start] with arguments forgotten: F or s for each of `depth` blocks
    behind the start, the last one first. A word with a block twice has FF there, and a word through
    a block before the start is longer."""
    tape = unroll(formula, start + depth)
    found: dict[str, Fraction] = {}
    for word, c in words(tape, start).items():
        text = _written(tape, word, depth, start)
        found[text] = found.get(text, Fraction(0)) + c
    return {word: c for word, c in found.items() if c}


def _written(tape: Tape, word: Sequence[int], depth: int, start: int) -> str:
    letters = ["s"] * depth
    for place in word:
        operation = tape.operations[place]
        assert isinstance(operation, Call), "designed formulas have no other letters"
        at = depth - 1 - (operation.index - start)
        if at >= depth:
            # x[start] is the input itself, and a path goes through a block before the start.
            letters.append("F")
        else:
            letters[at] = "F" if letters[at] == "s" else letters[at] + "F"
    return "".join(letters)
