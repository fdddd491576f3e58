"""Small formulas of one state, and their figures by algebra, without unrolling any.

    x[l+1] = sum of a_d x[l-d] + sum of b_d F(x[l-d]) + e x[0]

x[n] is S_n x[0] plus the sum of C_(n-1-i) F(x[i]): skip and letter response, by one recurrence
each. All else follows (`figures`).

>>> eq_20 = Member((1,), (1, -1))
>>> eq_20.to_text(), eq_20.responses(4)
('x[l+1] = x[l] + F(x[l]) - F(x[l-1])', ([1, 1, 1, 1, 1], [1, 0, 0, 0]))
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from flint import fmpq, fmpq_poly

from recform.design.writing import Term, at, call, step
from recform.formula import Formula
from recform.formula.ast import Apply, Binary, Expression, Name, Negate, Read, Sum
from recform.formula.ast import Number as Number_

Number = Fraction | int


@dataclass(frozen=True)
class Member:
    """Coefficients of x[l], x[l-1], ... and F(x[l]), F(x[l-1]), ... and x[0]; no zeros at ends."""

    skips: tuple[Number, ...]
    blocks: tuple[Number, ...]
    again: Number = 0

    @property
    def num_terms(self) -> int:
        return sum(1 for c in (*self.skips, *self.blocks, self.again) if c)

    def to_text(self) -> str:
        skips = [(Fraction(c), at("x", d)) for d, c in enumerate(self.skips) if c]
        blocks = [(Fraction(c), call(at("x", d))) for d, c in enumerate(self.blocks) if c]
        first: list[Term] = [(Fraction(self.again), "x[0]")] if self.again else []
        return step("x", [*first, *skips[:1], *blocks[:1], *skips[1:], *blocks[1:]])

    def distance(self, other: Member) -> int:
        """How many coefficients differ."""
        pairs = [(self.skips, other.skips), (self.blocks, other.blocks)]
        found = int(self.again != other.again)
        for mine, theirs in pairs:
            size = max(len(mine), len(theirs))
            padded = [(*c, *(0,) * (size - len(c))) for c in (mine, theirs)]
            found += sum(a != b for a, b in zip(*padded, strict=True))
        return found

    def responses(self, depth: int) -> tuple[list[Number], list[Number]]:
        """S_0, ..., S_depth and C_0, ..., C_(depth-1)."""
        skip: list[Number] = [1]
        letter: list[Number] = []
        for n in range(1, depth + 1):
            past = [(d, c) for d, c in enumerate(self.skips) if c]
            skip.append(self.again + sum(c * skip[n - 1 - d] for d, c in past if d < n))
            new = self.blocks[n - 1] if n <= len(self.blocks) else 0
            letter.append(new + sum(c * letter[n - 2 - d] for d, c in past if d < n - 1))
        return skip, letter

    def characteristic(self, gain: Fraction) -> fmpq_poly:
        """The polynomial whose roots the signal grows by, blocks multiplying by `gain`."""
        size = max(len(self.skips), len(self.blocks))
        found = [fmpq(0)] * size + [fmpq(1)]
        for d, c in enumerate(self.skips):
            found[size - 1 - d] -= _rational(c)
        for d, c in enumerate(self.blocks):
            found[size - 1 - d] -= _rational(c * gain)
        polynomial = fmpq_poly(found)
        return polynomial * fmpq_poly([-1, 1]) if self.again else polynomial

    @cached_property
    def key(self) -> tuple[object, ...]:
        """Equal for formulas with the same paths from x[0]: S and C as fractions.

        Both belong to one denominator; where it has the factor 1 - z, e x[0] can stand for it.
        """
        below = fmpq_poly([1, *(-_rational(c) for c in self.skips)])
        above, blocks = fmpq_poly([1]), fmpq_poly([_rational(c) for c in self.blocks])
        if self.again:
            grown = fmpq_poly([1, -1])
            above = grown + _rational(self.again) * fmpq_poly([0, 1])
            below, blocks = below * grown, blocks * grown
        common = above.gcd(below).gcd(blocks)
        unit = (below / common)[0]
        return tuple(str(part / common / unit) for part in (above, blocks, below))


def member_of(formula: Formula) -> Member | None:
    """The coefficients of a formula, or None if it is none of the family."""
    if len(formula.equations) > 1 or formula.inits or formula.output is not None:
        return None
    state = formula.main
    skips: dict[int, Fraction] = {}
    blocks: dict[int, Fraction] = {}
    again = Fraction(0)
    for factor, value in _terms(next(iter(formula.equations)).right):
        match value:
            case Read(index=Number_(value=depth)) if depth == 0:
                again += factor
            case Read(index=index) if (delay := _delay(index)) is not None:
                skips[delay] = skips.get(delay, Fraction(0)) + factor
            case Apply(block="F", index=None, argument=Read(state=read, index=index)) if (
                read == state and (delay := _delay(index)) is not None
            ):
                blocks[delay] = blocks.get(delay, Fraction(0)) + factor
            case _:
                return None
    return Member(_row(skips), _row(blocks), _plain(again))


def _terms(
    expression: Expression, factor: Fraction = Fraction(1)
) -> list[tuple[Fraction, Expression]]:
    """The terms of a sum with their coefficients."""
    match expression:
        case Sum(terms=terms):
            return [pair for sign, value in terms for pair in _terms(value, factor * sign)]
        case Negate(operand=operand):
            return _terms(operand, -factor)
        case Binary(operator="*", left=Number_(value=c), right=value):
            return _terms(value, factor * c)
        case Binary(operator="*", left=value, right=Number_(value=c)):
            return _terms(value, factor * c)
        case Binary(operator="/", left=value, right=Number_(value=c)) if c:
            return _terms(value, factor / c)
    return [(factor, expression)]


def _delay(index: Expression) -> int | None:
    """d of a depth l - d."""
    match index:
        case Name(name="l"):
            return 0
        case Sum(terms=((1, Name(name="l")), (-1, Number_(value=d)))) if (
            d.denominator == 1 and d > 0
        ):
            return int(d)
    return None


def _row(by_delay: dict[int, Fraction]) -> tuple[Number, ...]:
    return trimmed([by_delay.get(d, Fraction(0)) for d in range(max(by_delay, default=-1) + 1)])


def trimmed(row: Sequence[Number]) -> tuple[Number, ...]:
    size = max((d + 1 for d, c in enumerate(row) if c), default=0)
    return tuple(_plain(Fraction(c)) for c in row[:size])


def _plain(value: Fraction) -> Number:
    return value.numerator if value.denominator == 1 else value


def _rational(value: Number) -> fmpq:
    return fmpq(value.numerator, value.denominator)
