"""What trains each block: the paths from a block's output to the network's, by length.

The gradient of block j's parameters comes to it along these paths: d x[L] / d F[j], each
application of the block perturbed once. "One path of each length" of d x[L] / d x[0] says nothing
of it: in ResNet-s (Liao et al. 2021, eq. (20)) one path alone reaches each block, the longest there
is, through all blocks behind it.
"""

from __future__ import annotations

from recform.paths.adjoint import adjoints_of_calls, by_block
from recform.paths.chains import chains, members
from recform.paths.derivative import counted, refuse_roots
from recform.paths.polynomials import NET, Coefficients
from recform.tape import Tape


def parameter_gradients(tape: Tape) -> dict[str, Coefficients]:
    """Paths of d output / d F[j] with sign, for each block that the output needs.

    Indexed by the number of blocks *after* F[j]; added up over all applications of the block. The
    whole network is meant: they do not depend on a start.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> parameter_gradients(unroll(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"), 3))
    {'F[0]': (0, 0, 1), 'F[1]': (0, 1), 'F[2]': (1,)}
    """
    refuse_roots(tape)
    tape, _ = counted(tape)
    return by_block(tape, adjoints_of_calls(tape, NET))


def num_gradient_words(tape: Tape) -> dict[str, int]:
    """How many words of d output / d F[j] keep a coefficient that is not zero, for each block that
    follows from the input.

    Counted back from the output, letter by letter: the words to a letter are those to the letters
    whose arguments it is linked to, and one more if the output is. Raises TooManyLinksError.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> num_gradient_words(unroll(parse("x[l+1] = x[l] + F(x[l])"), 3))
    {'F[0]': 4, 'F[1]': 2, 'F[2]': 1}
    """
    chained = chains(tape)
    words = [0] * (len(chained.letters) + 1)
    readers = [*((letter.support, place) for place, letter in enumerate(chained.letters, 1)),
               (chained.support, None)]  # fmt: skip
    totals: dict[str, int] = {}
    for support, place in reversed(readers):
        added = 1 if place is None else words[place]
        for linked in members(support):
            words[linked] += added
    for place, letter in enumerate(chained.letters, 1):
        if letter.block is not None:
            name = f"{letter.block.block}[{letter.block.index}]"
            totals[name] = totals.get(name, 0) + words[place]
    return dict(sorted(totals.items()))
