"""Distinct paths: how many words keep a coefficient that is not zero, without expanding any.

A *letter* is one application of a block; a *word* is a sequence of letters from the output to
x[l0]: one path. Every value is a linear form over letters and the input; the coefficients of the
form are its *links*. A letter fixes its argument, so a word's coefficient is the product of its
links, and a product of numbers is zero only if a factor is. Hence

    distinct(value) = [link to the input is not 0] + t * sum of distinct(argument of a letter)
                                                       over the letters with a link that is not 0

and the sum is kept up to date by the difference from an earlier support: usually a letter or two.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from fractions import Fraction

from flint import fmpq, fmpq_poly, fmpz_poly

# A linear form is a polynomial in a dummy u: u^0 is the input, u^k the k-th letter. FLINT adds and
# cancels them at machine speed.
Form = fmpq_poly

INPUT_FORM = fmpq_poly([1])
EMPTY_FORM = fmpq_poly([])

# Additions of path polynomials, weighed by depth, past which counting would take minutes.
MAX_COST = 300_000_000


NUM_RECENT = 8


class TooManyLinksError(Exception):
    """The supports change so much from value to value that counting would take too long."""


@dataclass
class LinearForms:
    """The algebra of linear forms, which counts the words of each letter's argument on the way.

    One instance reads one tape: it numbers the letters as they come.
    """

    _words: list[fmpz_poly] = field(default_factory=lambda: [fmpz_poly([1])])
    # Sums of the last few supports. States take turns (RevNet), and supports can be periodic
    # (the code of Liao et al. has period 6), so the nearest is not always the last.
    _recent: deque[tuple[int, fmpz_poly]] = field(default_factory=lambda: deque(maxlen=NUM_RECENT))
    _cost: int = 0

    def input(self) -> Form:
        return EMPTY_FORM

    def zero(self) -> Form:
        return EMPTY_FORM

    def call(self, block: str, index: int, argument: Form) -> Form:
        words = self.count(argument)
        if not words:
            return EMPTY_FORM
        self._words.append(fmpz_poly([0, 1]) * words)
        return fmpq_poly([0] * (len(self._words) - 1) + [1])

    def map(self, function: str, index: int | None, argument: Form) -> Form:
        return argument

    def scale(self, factor: Fraction, argument: Form) -> Form:
        return argument * fmpq(factor.numerator, factor.denominator)

    def add(self, left: Form, right: Form) -> Form:
        return left + right

    def start(self, label: str, argument: Form) -> Form:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Form) -> Form:
        return argument

    def count(self, form: Form) -> fmpz_poly:
        """The words of a value, by length. Raises TooManyLinksError past MAX_COST."""
        support = _support_of(form)
        near, total = min(
            [*self._recent, (0, fmpz_poly([]))], key=lambda known: (known[0] ^ support).bit_count()
        )
        changes = near ^ support
        self._cost += changes.bit_count() * len(self._words)
        if self._cost > MAX_COST:
            raise TooManyLinksError
        while changes:
            lowest = changes & -changes
            words = self._words[lowest.bit_length() // 8]
            total = total + words if lowest & support else total - words
            changes ^= lowest
        self._recent.append((support, total))
        return total


def _support_of(form: Form) -> int:
    """The letters with a link that is not zero, as a set of bits: 8*k for the k-th."""
    return int.from_bytes(bytes(map(bool, form.numer().coeffs())), "little")
