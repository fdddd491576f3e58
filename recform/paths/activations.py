"""Activations, norms and projections: what the counts would be if they were not transparent.

The paper's algebra passes activations by, and so a path may cancel another that goes through a
ReLU. In a network with that ReLU nothing cancels exactly there. Here every application can be kept
as a letter of length 0, which only what goes through it as well can cancel; and the question is
answered whether any cancellation needs it to be passed by.
"""

from __future__ import annotations

from collections.abc import Collection

from flint import fmpq, fmpz_poly

from recform.paths.chains import Chains, add_up, chains
from recform.paths.letters import ACTIVATIONS, KINDS, TRANSPARENT, kind_of
from recform.paths.polynomials import Coefficients
from recform.tape import Scale, Tape

_ONE = fmpz_poly([1])
_BLOCK = fmpz_poly([0, 1])


def distinct_keeping(
    tape: Tape, start: int = 0, kept: Collection[str] = ACTIVATIONS
) -> Coefficients:
    """How many words are left after cancellation, by number of blocks, where kinds are kept.

    Kinds are "act" (every activation), "norm" and "projection" (on a tape with `place`). Raises
    TooManyLinksError where counting would take minutes.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> distinct_keeping(unroll(parse("x[l+1] = relu(x[l] + F(x[l])) - F(x[l-1])"), 2))
    (1, 3, 1)
    """
    chained = chains(tape, start, kept)

    def extend(place: int, words: fmpz_poly) -> fmpz_poly:
        return words * _BLOCK if chained.letters[place].block else words

    return tuple(int(count) for count in add_up(chained, _ONE, extend).of_output.coeffs()) or (0,)


def cancels_across(tape: Tape, start: int = 0) -> tuple[str, ...]:
    """Which of "act", "norm" and "projection" must be transparent for all that cancels to do so.

    A kind is named if two terms of opposite sign, that are one word only when this kind is passed
    by, are added up: then net and distinct hold without it, and in a network with it only nearly.
    Of projections, give a tape with `place`.

    Decided exactly, by the sum of the absolute values of all words' coefficients: words that become
    one add up, and their absolute values add up to more if and only if their signs differ. A word's
    coefficient is the product of its links, so the sum is taken letter by letter. Cost: for each
    kind as many steps as there are links, quadratic in the depth at most.

    >>> from recform.formula import resolve
    >>> from recform.tape import unroll
    >>> cancels_across(unroll(resolve("resnet_s_net"), 8))
    ('act',)
    """
    present = {kind for op in tape.operations if (kind := kind_of(op)) in KINDS}
    if not present or not any(isinstance(op, Scale) and op.factor < 0 for op in tape.operations):
        return ()
    least = _size(chains(tape, start, TRANSPARENT))
    if _size(chains(tape, start, present)) == least:
        return ()
    crossed = [kind for kind in KINDS if kind in present]
    alone = tuple(kind for kind in crossed if _size(chains(tape, start, {kind})) != least)
    # Signs may differ only among words that no single kind tells apart.
    return alone or tuple(crossed)


def _size(chained: Chains) -> fmpq:
    """The sum of the absolute values of the coefficients of all words."""
    sizes = [fmpq(1)]
    for form in [*(letter.argument for letter in chained.letters), chained.output]:
        pairs = zip(form.coeffs(), sizes, strict=False)
        sizes.append(sum((abs(link) * size for link, size in pairs if link), fmpq(0)))
    return sizes[-1]
