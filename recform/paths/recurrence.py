"""A formula as a linear recurrence with constant coefficients, where it is one.

Far enough from the start every value of the formula is the same combination of earlier ones at
every depth, or at every depth of one residue modulo a period. Its *unknowns* are the sequences
that occur: states, calls of blocks, running sums, and values held for ever (`x[0]`). Each has a
*form*, its links to unknowns some depths earlier:

    x[l+1] = x[l] + F(x[l]) - F(x[l-1])

    x[n] = x[n-1] + u[n-1] - u[n-2]
    u[n] = F[n](x[n])

Cases and filters by `%` give a period, ranges that grow with l running sums. What has no such form
(reads at l - 2^k, coefficients that change with l) raises NotSteadyError with the reason: nothing
is guessed. The values before `settled`, where terms are absent, are taken from a tape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from recform.formula.ast import Expression
from recform.formula.formula import Formula


@dataclass(frozen=True)
class Weight:
    """The constant on a link: with its sign, and as drawn (absolute values added up)."""

    net: Fraction
    gross: Fraction

    def __add__(self, other: Weight) -> Weight:
        return Weight(self.net + other.net, self.gross + other.gross)

    def times(self, factor: Fraction) -> Weight:
        return Weight(self.net * factor, self.gross * abs(factor))


# (unknown, delay) -> what the unknown of so many depths earlier is multiplied by
Form = Mapping[tuple[int, int], Weight]

Kind = Literal["state", "call", "sum", "held"]


@dataclass(frozen=True)
class Unknown:
    """A sequence u[n]. A call has its block."""

    kind: Kind
    block: str | None = None


@dataclass(frozen=True)
class Recurrence:
    """u[n] for all unknowns u, from the values before.

    `forms[u, n % period]` holds for every n >= `settled`, and so does `output[n % period]` for the
    output at depth L = n. Calls multiply their form by the letter of their block. What u[n] is in
    the formula, at every n, is `expressions[u, n % period]` at l = n. The unknowns in `averaged`
    stand in a mean: the forms hold if none of them is absent.
    """

    formula: Formula
    unknowns: tuple[Unknown, ...]
    expressions: Mapping[tuple[int, int], Expression]
    forms: Mapping[tuple[int, int], Form]
    output: tuple[Form, ...]
    period: int
    settled: int
    averaged: frozenset[int]

    @property
    def lag(self) -> int:
        """The largest delay of a link."""
        delays = [delay for form in (*self.forms.values(), *self.output) for _, delay in form]
        return max(delays, default=0)

    @property
    def order(self) -> int:
        """How many values determine all later ones: the past of every unknown that is read."""
        longest = dict.fromkeys(range(len(self.unknowns)), 0)
        for form in (*self.forms.values(), *self.output):
            for unknown, delay in form:
                longest[unknown] = max(longest[unknown], delay)
        return sum(longest.values())
