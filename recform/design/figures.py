"""Figures of a small formula, read off its responses: what a search can ask for.

    kept        values kept from step to step
    terms       terms of the formula
    distance    coefficients that differ from the formula searched around
    shortest    blocks on the shortest path from x[L] to x[0]
    longest     blocks on the longest
    distinct    paths that survive cancellation
    cancelled   paths as drawn, less those that survive
    through     the fewest paths through any block
    gradients   1 if what trains each block has paths of every length behind it, else 0
    reversible  1 if `recform analyze` finds it reversible: training may forget its states
    growth(g)   by what the signal grows a step if every block multiplies by g: a number, compared
                exactly with a rational one

A word goes from the output by a link C to a block's output, and from its argument on; a letter
fixes its argument, so words through a block are those down to it times those behind it
(docs/paths.md).

>>> figures_of(Member((1,), (1, -1)), 6).value("distinct")
7
>>> figures_of(Member((1,), (1,)), 6).grows(Fraction(1), "==", Fraction(2))
True
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import fmpq, fmpq_poly

from recform.design.family import Member
from recform.formula import parse
from recform.paths.number_field import Field
from recform.paths.unit_disc import is_simple_von_neumann
from recform.tape import reversibility

NAMES = ("kept", "terms", "distance", "shortest", "longest", "distinct", "cancelled", "through",
         "gradients", "reversible")  # fmt: skip
_RATIONALS = Field.rational(Fraction(0))


@dataclass(frozen=True)
class Figures:
    """The figures of a member at a depth, each computed when it is asked for."""

    member: Member
    depth: int
    origin: Member | None = None

    def value(self, name: str) -> int:
        assert name in NAMES, f"{name} is no figure"
        return int(getattr(self, name))

    @property
    def kept(self) -> int:
        """x[l], ..., as far back as x is read by itself; F(x[l-1]), ...; x[0]."""
        states = max(1, len(self.member.skips))
        return states + max(0, len(self.member.blocks) - 1) + (self.member.again != 0)

    @property
    def terms(self) -> int:
        return self.member.num_terms

    @property
    def distance(self) -> int:
        return 0 if self.origin is None else self.member.distance(self.origin)

    @cached_property
    def _responses(self) -> tuple[list[bool], list[bool]]:
        skip, letter = self.member.responses(self.depth)
        return [bool(c) for c in skip], [bool(c) for c in letter]

    @cached_property
    def _words(self) -> list[fmpq_poly]:
        """The distinct words of x[0], ..., x[depth], by length."""
        skip, letter = self._responses
        return _counted(skip, letter, self.depth)

    @cached_property
    def _down_to(self) -> list[fmpq_poly]:
        """The words from the output to a block m steps before it, m = 1, 2, ...; by the number of
        blocks between."""
        _, letter = self._responses
        found: list[fmpq_poly] = []
        for m in range(self.depth):
            row = fmpq_poly([int(letter[m])])
            for place in range(m):
                if letter[m - place - 1]:
                    row += fmpq_poly([0, 1]) * found[place]
            found.append(row)
        return found

    @property
    def shortest(self) -> int:
        counts = self._words[-1].coeffs()
        return next((k for k, count in enumerate(counts) if count != 0), self.depth + 1)

    @property
    def longest(self) -> int:
        return max(0, self._words[-1].degree())

    @property
    def distinct(self) -> int:
        return int(self._words[-1](1))

    @property
    def cancelled(self) -> int:
        return self._drawn - self.distinct

    @property
    def _drawn(self) -> int:
        """The paths as drawn, every constant counted as one."""
        member = self.member
        totals = [1]
        for n in range(1, self.depth + 1):
            total = int(member.again != 0)
            for d in range(n):
                total += totals[n - 1 - d] * _links(member, d)
            totals.append(total)
        return totals[-1]

    @property
    def through(self) -> int:
        behind = [int(words(1)) for words in self._words]
        return min((int(self._down_to[self.depth - 1 - j](1)) * behind[j]
                    for j in range(self.depth)), default=0)  # fmt: skip

    @property
    def gradients(self) -> bool:
        return all(all(count != 0 for count in row.coeffs()) and row.degree() == m
                   for m, row in enumerate(self._down_to))  # fmt: skip

    @property
    def reversible(self) -> bool:
        """What the tape says, asked only where counting terms does not already say no."""
        skips, blocks = len(self.member.skips), len(self.member.blocks)
        if blocks and (skips < 2 or blocks >= skips):
            return False
        found = reversibility(parse(self.member.to_text()))
        return found is not None and found.is_reversible

    def grows(self, gain: Fraction, sign: str, rate: Fraction) -> bool:
        """Whether the largest root, in modulus, compares so with the rate."""
        compared = _compare_largest_root(self.member.characteristic(gain), rate)
        return {"<": compared < 0, "<=": compared <= 0, "==": compared == 0, "!=": compared != 0,
                ">=": compared >= 0, ">": compared > 0}[sign]  # fmt: skip


def figures_of(member: Member, depth: int, origin: Member | None = None) -> Figures:
    return Figures(member, depth, origin)


def _links(member: Member, delay: int) -> int:
    """How many terms read depth l - delay."""
    return sum(1 for row in (member.skips, member.blocks) if delay < len(row) and row[delay])


def _counted(skip: list[bool], letter: list[bool], depth: int) -> list[fmpq_poly]:
    block = fmpq_poly([0, 1])
    found: list[fmpq_poly] = []
    for n in range(depth + 1):
        row = fmpq_poly([int(skip[n])])
        for i in range(n):
            if letter[n - 1 - i]:
                row += block * found[i]
        found.append(row)
    return found


def _compare_largest_root(polynomial: fmpq_poly, rate: Fraction) -> int:
    """-1, 0 or 1: the largest modulus of a root against a rate > 0, exactly."""
    scaled = polynomial(fmpq_poly([0, fmpq(rate.numerator, rate.denominator)]))
    common = scaled.gcd(scaled.derivative())
    free = scaled / common
    if free.degree() < 1:
        return -1
    rows = [fmpq_poly([c]) for c in free.coeffs()]
    if not is_simple_von_neumann(rows, _RATIONALS):
        return 1
    # All roots lie in the closed disc; those on the circle are roots of the mirrored one, too.
    mirrored = fmpq_poly(free.coeffs()[::-1])
    return 0 if free.gcd(mirrored).degree() > 0 else -1
