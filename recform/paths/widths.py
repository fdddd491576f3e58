"""How wide the blocks on the paths are, by length of path.

The paper builds its networks so that paths lead through the widest blocks (Liao et al. 2021,
sections 5.1 and 5.3.4): ResNet-s keeps of each length the path through the last blocks, where a
backbone is widest. Counted are the distinct paths, those that do not cancel, each once whatever its
coefficient: of a path that is gone nothing is learned.

- The *mean* width at length k is over the blocks on all paths of this length, a block as often as
  it is on them: for each path the mean over its k blocks, and of these the mean.
- The *least* width at length k is that of the narrowest block on any of them.

Paths through no block, and lengths without a path, have no width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpz_poly

from recform.errors import UserError
from recform.paths.chains import Chains, Sums, add_up, chains, members
from recform.paths.polynomials import exact
from recform.tape import Tape

_BLOCK = fmpz_poly([0, 1])


@dataclass(frozen=True)
class Widths:
    """Mean and least width of the blocks on the paths of each length; None where there is none."""

    mean: tuple[int | Fraction | None, ...]
    least: tuple[int | Fraction | None, ...]


def widths_by_length(tape: Tape, widths: Sequence[int | Fraction], start: int = 0) -> Widths:
    """Widths of the blocks on the distinct paths of d output / d x[start], by length.

    `widths` has one entry for each block index; blocks of several names with one index share it.
    Raises UserError `bad-argument` if there are not as many as blocks, TooManyLinksError where the
    paths cannot be counted.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> found = widths_by_length(unroll(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), 3), [1, 2, 4])
    >>> found.least
    (None, 4, 2, 1)
    >>> [str(mean) for mean in found.mean]
    ['None', '4', '3', '7/3']
    """
    if len(widths) != tape.depth:
        raise UserError("bad-argument", f"there are {len(widths)} widths for {tape.depth} blocks",
                        "give one width a block: 64,64,128,128")  # fmt: skip
    chained = chains(tape, start)
    counts = add_up(
        chained,
        fmpz_poly([1]),
        lambda place, words: _BLOCK * words if chained.letters[place].block else words,
    )
    return Widths(_means(chained, counts, widths), _least(chained, counts, widths))


def _means(
    chained: Chains, counts: Sums, widths: Sequence[int | Fraction]
) -> tuple[int | Fraction | None, ...]:
    """The widths added up along all paths, by length, over the number of blocks on them."""
    # Whole multiples of a common part keep the sums whole.
    part = Fraction(1)
    for width in widths:
        part /= (Fraction(width) / part).denominator

    def extend(place: int, total: fmpz_poly) -> fmpz_poly:
        block = chained.letters[place].block
        if block is None:
            return total
        width = Fraction(widths[block.index]) / part
        return _BLOCK * total + counts.of_letters[place] * int(width)

    totals = add_up(chained, fmpz_poly([]), extend).of_output
    return tuple(
        exact(part * Fraction(int(totals[length]), int(count) * length))
        if length and count
        else None
        for length, count in enumerate(counts.of_output.coeffs())
    )


def _least(
    chained: Chains, counts: Sums, widths: Sequence[int | Fraction]
) -> tuple[int | Fraction | None, ...]:
    least: list[int | Fraction | None] = [None] * len(counts.of_output.coeffs())
    linked = [list(members(letter.support)) for letter in chained.letters]
    for width in sorted(set(widths), reverse=True):
        for length in members(_lengths_with(chained, linked, width, widths)):
            least[length] = width
    return tuple(least)


def _lengths_with(
    chained: Chains,
    linked: list[list[int]],
    width: int | Fraction,
    widths: Sequence[int | Fraction],
) -> int:
    """The lengths of paths with a block of this width on them, as a set of bits."""
    # from each letter, of all paths, and of those with such a block
    every, found = [1], [0]
    for place, places in enumerate(linked):
        block = chained.letters[place].block
        every.append(_union(every, places) << (block is not None))
        is_such = block is not None and widths[block.index] == width
        found.append(every[-1] if is_such else _union(found, places) << (block is not None))
    return _union(found, members(chained.support))


def _union(sets: Sequence[int], places: Iterable[int]) -> int:
    union = 0
    for place in places:
        union |= sets[place]
    return union
