"""Chains of letters: each value as a linear form over letters and the input.

A letter fixes its argument, so a path is a chain of letters, each linked to the next by a
coefficient of its argument's form, and the path's coefficient is the product of its links. What is
asked of all paths that do not cancel can therefore be added up letter by letter, without writing
any of them down: how many there are, how large their coefficients, how wide their blocks.

    x[l+1] = x[l] + F(x[l]) - F(x[l-1])      F[2]'s argument is x[0] + F[1](x[1]): F[0] is gone
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from flint import fmpq, fmpq_poly, fmpz_poly

from recform.paths.derivative import refuse_roots, told_apart
from recform.paths.distinct import MAX_COST, TooManyLinksError
from recform.paths.letters import TRANSPARENT, is_letter, kind_of_map, letters
from recform.paths.start import sources_of
from recform.tape import Call, Tape, fold

# A linear form is a polynomial in a dummy u: u^0 is the input, u^k the k-th letter.
Form = fmpq_poly

INPUT_FORM = fmpq_poly([1])
EMPTY_FORM = fmpq_poly([])

NUM_RECENT = 8


@dataclass(frozen=True)
class Letter:
    """One letter, by its place on the tape; `block` is None if it is none.

    Its argument's links, as a form and as the set of places where they are not zero: bit 0 the
    input, bit k the k-th letter.
    """

    value: int
    block: Call | None
    argument: Form
    support: int


@dataclass(frozen=True)
class Chains:
    """The letters that follow from the start, in the order of the tape, and the output's links."""

    letters: tuple[Letter, ...]
    output: Form
    support: int


def chains(tape: Tape, start: int = 0, kept: Collection[str] = TRANSPARENT) -> Chains:
    """The links of d output / d x[start]; each activation, norm or projection kept is a letter."""
    refuse_roots(tape)
    tape, start = told_apart(tape, start)
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return Chains((), EMPTY_FORM, 0)
    same = {value: first for value, first in letters(tape, kept).items() if value not in sources}
    algebra = _Forms(tape, kept, iter(same.items()))
    output = fold(tape, algebra, given=dict.fromkeys(sources, INPUT_FORM))
    return Chains(tuple(algebra.found), output, _support_of(output))


@dataclass
class _Forms:
    """The algebra of linear forms. Letters are numbered as they come, in the order of the tape."""

    tape: Tape
    kept: Collection[str]
    coming: Iterator[tuple[int, int]]
    found: list[Letter] = field(default_factory=list)
    known: dict[int, Form] = field(default_factory=dict)

    def input(self) -> Form:
        return EMPTY_FORM

    def zero(self) -> Form:
        return EMPTY_FORM

    def call(self, block: str, index: int, argument: Form) -> Form:
        return self._letter(argument)

    def map(self, function: str, index: int | None, argument: Form) -> Form:
        is_one = is_letter(kind_of_map(function), self.kept)
        return self._letter(argument) if is_one else argument

    def scale(self, factor: Fraction, argument: Form) -> Form:
        return argument * fmpq(factor.numerator, factor.denominator)

    def add(self, left: Form, right: Form) -> Form:
        return left + right

    def start(self, label: str, argument: Form) -> Form:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Form) -> Form:
        return self._letter(argument) if "projection" in self.kept else argument

    def _letter(self, argument: Form) -> Form:
        value, first = next(self.coming)
        if not argument:
            return EMPTY_FORM
        if first not in self.known:
            operation = self.tape.operations[value]
            block = operation if isinstance(operation, Call) else None
            self.found.append(Letter(first, block, argument, _support_of(argument)))
            self.known[first] = fmpq_poly([0] * len(self.found) + [1])
        return self.known[first]


@dataclass(frozen=True)
class Sums:
    """What was added up along the paths from each letter, the letter included, and the output."""

    of_letters: tuple[fmpz_poly, ...]
    of_output: fmpz_poly


def add_up(
    chained: Chains, at_input: fmpz_poly, extend: Callable[[int, fmpz_poly], fmpz_poly]
) -> Sums:
    """Sums over the paths that do not cancel, each counted once, whatever its coefficient.

    `extend(k, total)` makes the sum of `chained.letters[k]` of the total over its argument's links.
    Raises TooManyLinksError where that would take minutes.
    """
    totals = _Totals([at_input])
    for place, letter in enumerate(chained.letters):
        totals.terms.append(extend(place, totals.over(letter.support)))
    return Sums(tuple(totals.terms[1:]), totals.over(chained.support))


@dataclass
class _Totals:
    """Sums of terms over supports, each by its difference from a recent one: a letter or two."""

    terms: list[fmpz_poly]
    recent: deque[tuple[int, fmpz_poly]] = field(default_factory=lambda: deque(maxlen=NUM_RECENT))
    cost: int = 0

    def over(self, support: int) -> fmpz_poly:
        near, total = min(
            [*self.recent, (0, fmpz_poly([]))], key=lambda known: (known[0] ^ support).bit_count()
        )
        self.cost += (near ^ support).bit_count() * len(self.terms)
        if self.cost > MAX_COST:
            raise TooManyLinksError
        for place in members(near ^ support):
            total = total + self.terms[place] if support >> place & 1 else total - self.terms[place]
        self.recent.append((support, total))
        return total


def members(support: int) -> Iterator[int]:
    """The places in a set of bits."""
    while support:
        lowest = support & -support
        yield lowest.bit_length() - 1
        support ^= lowest


def _support_of(form: Form) -> int:
    return int("".join("01"[bool(link)] for link in reversed(form.numer().coeffs())) or "0", 2)
