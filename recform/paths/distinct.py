"""Distinct paths: how many words keep a coefficient that is not zero, without expanding any.

A *letter* is one application of a block; a *word* is a sequence of letters from the output to
x[l0]: one path. Every value is a linear form over letters and the input; the coefficients of the
form are its *links*. A letter fixes its argument, so a word's coefficient is the product of its
links, and a product of numbers is zero only if a factor is. Hence

    distinct(value) = [link to the input is not 0] + t * sum of distinct(argument of a letter)
                                                       over the letters with a link that is not 0

and the sum is kept up to date by the difference of successive supports: usually a letter or two.
"""

from __future__ import annotations

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


class TooManyLinks(Exception):
    """The supports change so much from value to value that counting would take too long."""


@dataclass
class LinearForms:
    """The algebra of linear forms, which counts the words of each letter's argument on the way.

    One instance reads one tape: it numbers the letters as they come.
    """

    _words: list[fmpz_poly] = field(default_factory=lambda: [fmpz_poly([1])])
    _support: frozenset[int] = frozenset()
    _sum: fmpz_poly = field(default_factory=lambda: fmpz_poly([]))
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

    def count(self, form: Form) -> fmpz_poly:
        """The words of a value, by length. Raises TooManyLinks past MAX_COST."""
        support = frozenset(k for k, link in enumerate(form.numer().coeffs()) if link)
        if len(support) < len(support ^ self._support):
            self._support, self._sum = frozenset(), fmpz_poly([])
        changes = support ^ self._support
        self._cost += len(changes) * len(self._words)
        if self._cost > MAX_COST:
            raise TooManyLinks
        for letter in changes:
            if letter in support:
                self._sum += self._words[letter]
            else:
                self._sum -= self._words[letter]
        self._support = support
        return self._sum
