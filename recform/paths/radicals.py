"""Counting where constants have roots in them: `x[l] + F(x[l])/sqrt(L)`.

Coefficients are sums of rationals times radicals, which are linearly independent
(`recform.tape.radicals`). So a path polynomial is one rational polynomial for each radical, and a
link is zero only if each of its rationals is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from flint import fmpq, fmpq_poly, fmpz_poly

from recform.paths.distinct import TooManyLinksError
from recform.paths.letters import kind_of_map
from recform.paths.polynomials import ONE, Coefficients, PathPolynomial, coefficients
from recform.paths.start import sources_of
from recform.tape import Exact, Irrational, Scale, Tape, fold
from recform.tape.radicals import Radical, TooManyRadicals, number_of, terms_of, times

# Radicals of one polynomial past which nobody reads its coefficients.
MAX_RADICALS = 256
# Links added up one by one, past which counting would take minutes.
MAX_LINKS = 2_000_000

Parts: TypeAlias = Mapping[Radical, fmpq_poly]
Form: TypeAlias = Mapping[int, Exact]


class TooManyRootsError(Exception):
    """The coefficients are sums of more than MAX_RADICALS radicals."""


def has_roots(tape: Tape) -> bool:
    """Whether a constant of the tape is no rational number."""
    return any(
        isinstance(op, Scale) and isinstance(op.factor, Irrational) for op in tape.operations
    )


def count_paths(tape: Tape, start: int, algebra: PathPolynomial) -> Coefficients:
    """The counts of a linear tape by length: ints, Fractions, or Irrationals.

    Raises TooManyRootsError.
    """
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return (0,)
    if not has_roots(tape):
        return coefficients(fold(tape, algebra, given=dict.fromkeys(sources, ONE)))
    with_roots = _RootPolynomial(algebra.of_constant)
    parts = fold(tape, with_roots, given={source: {(): ONE} for source in sources})
    length = max((part.degree() for part in parts.values()), default=0)
    row = [number_of({radical: _rational(part[power]) for radical, part in parts.items()})
           for power in range(length + 1)]  # fmt: skip
    return tuple(row) or (0,)  # type: ignore[return-value]


@dataclass(frozen=True)
class _RootPolynomial:
    """The algebra of path polynomials with a rational part for each radical."""

    of_constant: Callable[[Exact], Exact]

    def input(self) -> Parts:
        return {}

    def zero(self) -> Parts:
        return {}

    def call(self, block: str, index: int, argument: Parts) -> Parts:
        return {radical: part.left_shift(1) for radical, part in argument.items()}

    def map(self, function: str, index: int | None, argument: Parts) -> Parts:
        return argument

    def scale(self, factor: Exact, argument: Parts) -> Parts:
        total: dict[Radical, fmpq_poly] = {}
        for outer, coefficient in terms_of(self.of_constant(factor)).items():
            for inner, part in argument.items():
                radical, outside = times(outer, inner)
                constant = coefficient * outside
                scaled = part * fmpq(constant.numerator, constant.denominator)
                total[radical] = total[radical] + scaled if radical in total else scaled
        if len(total) > MAX_RADICALS:
            raise TooManyRootsError
        return {radical: part for radical, part in total.items() if part}

    def add(self, left: Parts, right: Parts) -> Parts:
        total = dict(left)
        for radical, part in right.items():
            total[radical] = total[radical] + part if radical in total else part
        if len(total) > MAX_RADICALS:
            raise TooManyRootsError
        return {radical: part for radical, part in total.items() if part}

    def start(self, label: str, argument: Parts) -> Parts:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Parts) -> Parts:
        return argument


def _rational(number: fmpq) -> Fraction:
    return Fraction(int(number.p), int(number.q))


def count_distinct_with_roots(tape: Tape, sources: Collection[int]) -> Coefficients:
    """What `distinct` counts, from exact links. Raises TooManyLinksError, TooManyRootsError."""
    forms = _Forms()
    try:
        output = fold(tape, forms, given={source: {0: 1} for source in sources})
    except TooManyRadicals:
        raise TooManyRootsError from None
    return tuple(int(count) for count in forms.count(output).coeffs()) or (0,)


@dataclass
class _Forms:
    """The algebra of linear forms over letters; `counts` has the words of each letter."""

    counts: list[fmpz_poly] = field(default_factory=lambda: [fmpz_poly([1])])
    num_links: int = 0

    def input(self) -> Form:
        return {}

    def zero(self) -> Form:
        return {}

    def call(self, block: str, index: int, argument: Form) -> Form:
        return self._letter(argument, 1)

    def map(self, function: str, index: int | None, argument: Form) -> Form:
        return self._letter(argument, 0) if kind_of_map(function) == "slot" else argument

    def scale(self, factor: Exact, argument: Form) -> Form:
        self._spend(argument)
        return {letter: factor * link for letter, link in argument.items()} if factor else {}

    def add(self, left: Form, right: Form) -> Form:
        self._spend(right)
        total = dict(left)
        for letter, link in right.items():
            total[letter] = total.get(letter, 0) + link
        return {letter: link for letter, link in total.items() if link != 0}

    def start(self, label: str, argument: Form) -> Form:
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument: Form) -> Form:
        return argument

    def count(self, form: Form) -> fmpz_poly:
        self._spend(form)
        return sum((self.counts[letter] for letter in form), fmpz_poly([]))

    def _letter(self, argument: Form, length: int) -> Form:
        if not argument:
            return {}
        self.counts.append(self.count(argument).left_shift(length))
        return {len(self.counts) - 1: 1}

    def _spend(self, form: Form) -> None:
        self.num_links += len(form)
        if self.num_links > MAX_LINKS:
            raise TooManyLinksError
