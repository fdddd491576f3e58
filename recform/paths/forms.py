"""Linear forms over letters: which letters a value holds, and with what coefficient.

A *letter* is one application of a block; letter 0 stands for the input. The letters with a link
(a coefficient) above zero and those with one below are two sets of bits. Where the signs of two
terms agree nothing can cancel, so adding forms is nearly always a union of sets. Only a letter
with links of both signs is looked up in the exact coefficients, which are not worked out before.

>>> first, second = letter(1, longest=1), letter(2, longest=1)
>>> bin(add(add(first, second), scale(Fraction(-1), first)).support)
'0b100'
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpq, fmpq_poly, fmpz

ZERO = fmpz(0)
BITS_TO_DIGITS = bytes.maketrans(b"\0\1", b"01")


@dataclass(eq=False)
class Links:
    """Exact coefficients: a polynomial in a dummy u, with u^k for the k-th letter.

    FLINT adds and cancels at machine speed. Until it is asked for, the polynomial is a sum of
    `parts`, each a factor times other links or times one letter.
    """

    parts: tuple[tuple[Fraction | int, Links | int], ...]
    known: fmpq_poly | None = None

    def polynomial(self) -> fmpq_poly:
        """Worked out once; parts before what is made of them, without recursion."""
        waiting = [self]
        while waiting:
            top = waiting[-1]
            inner = [part for _, part in top.parts if isinstance(part, Links)]
            unknown = [part for part in inner if part.known is None]
            if unknown:
                waiting += unknown
                continue
            if top.known is None:
                top.known = sum((_times(*part) for part in top.parts), fmpq_poly([]))
                top.parts = ()
            waiting.pop()
        assert self.known is not None, "it waited longest"
        return self.known


def _times(factor: Fraction | int, part: Links | int) -> fmpq_poly:
    known = fmpq_poly([1]).left_shift(part) if isinstance(part, int) else part.known
    assert known is not None, "parts are worked out first"
    return known if factor == 1 else known * fmpq(factor.numerator, factor.denominator)


@dataclass(frozen=True, eq=False)
class Form:
    """A value as a sum of letters: those with a positive link, those with a negative one, as sets
    of bits. `longest` bounds the blocks on a path from here."""

    positive: int
    negative: int
    longest: int
    links: Links

    @property
    def support(self) -> int:
        """The letters with a link that is not zero: bit k for the k-th."""
        return self.positive | self.negative


EMPTY_FORM = Form(0, 0, 0, Links((), fmpq_poly([])))


def letter(number: int, longest: int) -> Form:
    """The letter itself."""
    return Form(1 << number, 0, longest, Links(((1, number),)))


def scale(factor: Fraction, form: Form) -> Form:
    """A constant times a form."""
    if not factor:
        return EMPTY_FORM
    up, down = form.positive, form.negative
    if factor.numerator < 0:
        up, down = down, up
    return Form(up, down, form.longest, Links(((factor, form.links),)))


def add(left: Form, right: Form) -> Form:
    """The sum of two forms; what cancels is gone."""
    if not right.support:
        return left
    if not left.support:
        return right
    links = Links(((1, left.links), (1, right.links)))
    up, down = left.positive | right.positive, left.negative | right.negative
    longest = max(left.longest, right.longest)
    doubtful = up & down
    if not doubtful:
        return Form(up, down, longest, links)
    above, below = _signs(links.polynomial(), doubtful)
    return Form(up & ~doubtful | above, down & ~doubtful | below, longest, links)


def members(letters: int) -> Iterator[int]:
    """The numbers of the letters in a set, in order. Linear in the largest."""
    digits = f"{letters:b}"[::-1]
    number = digits.find("1")
    while number >= 0:
        yield number
        number = digits.find("1", number + 1)


def _signs(links: fmpq_poly, letters: int) -> tuple[int, int]:
    """Those of the letters with a link above zero, and those with one below."""
    lowest = (letters & -letters).bit_length() - 1
    numerators = links.numer().right_shift(lowest).coeffs()
    above = _set_of(map(ZERO.__lt__, numerators)) << lowest
    below = _set_of(map(ZERO.__gt__, numerators)) << lowest
    return above & letters, below & letters


def _set_of(flags: Iterable[bool]) -> int:
    """The places where a flag is up, as a set of bits. Linear, as setting them singly is not."""
    digits = bytes(flags).translate(BITS_TO_DIGITS)
    return int(b"0" + digits[::-1], 2)
