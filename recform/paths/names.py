"""Path polynomials with one variable for each name of a block.

Where a formula has blocks of several kinds, as RevNet's F and G or a transformer's Attention and
Mlp, the length of a path does not say what it is made of. So each name is a variable of its own:
the coefficient of F^2*G counts the paths through two blocks F and one block G, in any order. All
variables set to t, these are the path polynomials of `polynomials`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly, fmpq_mpoly_ctx

from recform.paths.derivative import counted, refuse_roots
from recform.paths.polynomials import NET, Coefficients, PathPolynomial, exact, terms_to_text
from recform.paths.start import sources_of
from recform.tape import Call, Tape, fold


@dataclass(frozen=True)
class NamedPolynomial:
    """Counts of paths by how many blocks of each name they go through.

    `counts` has a row of exponents, one for each of `blocks`, for every count that is not zero;
    shorter paths first.
    """

    blocks: tuple[str, ...]
    counts: Mapping[tuple[int, ...], int | Fraction]

    def __str__(self) -> str:
        """1 + F + G + F*G."""
        return terms_to_text((count, self._monomial(row)) for row, count in self.counts.items())

    def by_length(self) -> Coefficients:
        """All names taken for one: counts by the number of blocks of any name."""
        totals: list[int | Fraction] = [0] * (1 + max(map(sum, self.counts), default=0))
        for exponents, count in self.counts.items():
            totals[sum(exponents)] += count
        while len(totals) > 1 and totals[-1] == 0:
            totals.pop()
        return tuple(totals)

    def _monomial(self, exponents: tuple[int, ...]) -> str:
        powers = zip(self.blocks, exponents, strict=True)
        return "*".join(
            name if power == 1 else f"{name}^{power}" for name, power in powers if power
        )


def polynomials_by_block(
    tape: Tape, start: int = 0, algebra: PathPolynomial = NET
) -> NamedPolynomial:
    """Paths of d output / d x[start], NET or GROSS, by how many blocks of each name they have.

    A polynomial in m names has about depth^m / m! terms.

    >>> from recform.formula import parse
    >>> from recform.tape import unroll
    >>> formula = parse("block G\\nx[l+1] = x[l] + F(x[l]) + G(F(x[l]))")
    >>> print(polynomials_by_block(unroll(formula, 1)))
    1 + F + F*G
    """
    blocks = tuple(sorted({op.block for op in tape.operations if isinstance(op, Call)}))
    refuse_roots(tape)
    tape, start = counted(tape, start)
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return NamedPolynomial(blocks, {})
    context = fmpq_mpoly_ctx.get(blocks, Ordering.degrevlex)
    named = _Named(algebra.of_constant, context, dict(zip(blocks, context.gens(), strict=True)))
    return NamedPolynomial(
        blocks, _counts(fold(tape, named, given=dict.fromkeys(sources, context.constant(1))))
    )


@dataclass(frozen=True)
class _Named:
    """The algebra of path polynomials in the blocks' names."""

    of_constant: Callable[[Any], Any]
    context: fmpq_mpoly_ctx
    variables: Mapping[str, fmpq_mpoly]

    def input(self) -> fmpq_mpoly:
        return self.context.constant(0)

    def zero(self) -> fmpq_mpoly:
        return self.context.constant(0)

    def call(self, block: str, index: int, argument: fmpq_mpoly) -> fmpq_mpoly:
        return self.variables[block] * argument

    def map(self, function: str, index: int | None, argument: fmpq_mpoly) -> fmpq_mpoly:
        return argument

    def scale(self, factor: Fraction, argument: fmpq_mpoly) -> fmpq_mpoly:
        constant = self.of_constant(factor)
        return argument * fmpq(constant.numerator, constant.denominator)

    def add(self, left: fmpq_mpoly, right: fmpq_mpoly) -> fmpq_mpoly:
        return left + right

    def start(self, label: str, argument: fmpq_mpoly) -> fmpq_mpoly:
        return argument

    def project(
        self, border: int, label: str, is_shortcut: bool, argument: fmpq_mpoly
    ) -> fmpq_mpoly:
        return argument


def _counts(polynomial: fmpq_mpoly) -> dict[tuple[int, ...], int | Fraction]:
    """Shorter monomials first, of one length those with more of the first name first."""
    terms = {tuple(map(int, row)): count for row, count in polynomial.to_dict().items()}
    ordered = sorted(terms, key=lambda row: (sum(row), [-power for power in row]))
    return {row: exact(Fraction(int(terms[row].p), int(terms[row].q))) for row in ordered}
