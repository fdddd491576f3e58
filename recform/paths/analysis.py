"""What is known of one formula at one depth: each quantity is computed when it is first asked for.

Net and gross come from the generating function, where the formula has one, and else from the tape;
at small depth always from the tape. The rest is read off the tape.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any

from recform.errors import UserError
from recform.formula import Formula
from recform.paths.activations import distinct_keeping
from recform.paths.closed import ClosedForm, ClosedForms
from recform.paths.conjecture import Conjecture, distinct_conjecture
from recform.paths.derivative import counted, told_apart
from recform.paths.distinct import INPUT_FORM, LinearForms, TooManyLinksError
from recform.paths.gain import bounded_gains
from recform.paths.gradients import parameter_gradients
from recform.paths.letters import ACTIVATIONS, TRANSPARENT
from recform.paths.moments import mean_length, std_length, variance_of_length
from recform.paths.names import NamedPolynomial, polynomials_by_block
from recform.paths.notebook import analysis_to_html, analysis_to_text
from recform.paths.polynomials import GROSS, NET, Coefficients, PathPolynomial
from recform.paths.radicals import (
    TooManyRootsError,
    count_distinct_with_roots,
    count_paths,
    has_roots,
)
from recform.paths.start import sources_of
from recform.paths.telescope import Telescoped, telescope
from recform.paths.through import through_block
from recform.paths.widths import Widths, widths_by_length
from recform.paths.words import TooManyWordsError, words_to_latex, words_to_text
from recform.tape import Reversibility, Scale, Stages, Tape, fold, reversibility, unroll

# Up to this depth the tape is short enough to be read in many ways.
SHALLOW = 64
# Together the numbers of a table have at most this many digits.
MAX_DIGITS = 50_000_000
MAX_LENGTHS = 2_000_000
# Depths behind the start at which the expansion is written down, and how many words are worth
# writing at the depth asked for.
NUM_EXPANDED = 4
MAX_WORDS = 100
# Values kept in a period up to which the gains that stay bounded are computed: the work grows
# steeply.
MAX_ORDER = 20


@dataclass(frozen=True)
class Analysis:
    """Paths of d output / d x[start], counted by the number of blocks that they go through.

    `net` counts with sign, `gross` as drawn, `distinct` what survives cancellation; each is
    indexed by path length and exact. What would take too long, or be too large, is None, with the
    reason beside it.

    `closed` has what holds at every depth, or is None for `closed_reason`. With `keeps_activations`
    activations and norms are letters of their own in `distinct` and in the expansions.
    """

    formula: Formula
    depth: int
    start: int = 0
    stages: Stages | None = None
    keeps_activations: bool = False
    block_widths: tuple[int, ...] | None = None
    closed: ClosedForms | None = field(default=None, repr=False)
    closed_reason: str | None = None

    @cached_property
    def tape(self) -> Tape:
        """The formula unrolled. Raises UserError `too-deep` past the depth that can be."""
        return unroll(self.formula, self.depth, self.stages)

    @cached_property
    def reversibility(self) -> Reversibility | None:
        """Whether a training step may forget the states, within a stage."""
        return reversibility(self.formula, self.depth)

    def _repr_html_(self) -> str:
        return analysis_to_html(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """What IPython shows in a terminal."""
        printer.text(analysis_to_text(self))

    def derivative(self, depth: int | None = None) -> str:
        """What is expanded, in words: `d x[4] / d x[0]`, at this depth or another."""
        main = self.formula.main
        output = main if self.formula.output is None else "output"
        return f"d {output}[{self.depth if depth is None else depth}] / d {main}[{self.start}]"

    @property
    def is_shallow(self) -> bool:
        return self.depth <= SHALLOW

    @cached_property
    def tells_blocks(self) -> bool:
        """Whether counts are told block by block: not where constants have roots in them."""
        return not has_roots(self.tape)

    @cached_property
    def net(self) -> Coefficients | None:
        return self._count(NET, None if self.closed is None else self.closed.net)

    @cached_property
    def gross(self) -> Coefficients | None:
        if self.is_shallow and not _has_minus(self.tape):
            return self.net
        return self._count(GROSS, None if self.closed is None else self.closed.gross)

    @cached_property
    def counts_reason(self) -> str | None:
        """Why net or gross is None."""
        if self.closed is None and (self.net is None or self.gross is None):
            return "sums of too many roots to be written down"
        if self.closed is None or self.is_shallow:
            return None
        sizes = {
            "net": self.closed.net.size(self.depth),
            "gross": self.closed.gross.size(self.depth),
        }
        left_out = [
            f"{name} has {lengths:,} numbers with about {digits:.1g} digits together"
            for name, (lengths, digits) in sizes.items()
            if _is_too_large((lengths, digits))
        ]
        return f"too large to be written down: {', '.join(left_out)}" if left_out else None

    def _count(self, algebra: PathPolynomial, closed: ClosedForm | None) -> Coefficients | None:
        if closed is not None and not self.is_shallow:
            return None if _is_too_large(closed.size(self.depth)) else closed.row(self.depth)
        try:
            return count_paths(*counted(self.tape, self.start), algebra)
        except TooManyRootsError:
            return None

    @cached_property
    def distinct(self) -> Coefficients | None:
        return self._distinct[0]

    @cached_property
    def distinct_reason(self) -> str | None:
        return self._distinct[1]

    @cached_property
    def _distinct(self) -> tuple[Coefficients | None, str | None]:
        try:
            if self.keeps_activations:
                return distinct_keeping(self.tape, self.start, ACTIVATIONS), None
            return _count_distinct(self.tape, self.start), None
        except TooManyLinksError:
            return None, "to count them at this depth would take minutes"
        except TooManyRootsError:
            return None, "coefficients are sums of too many roots"
        except UserError as error:
            if self.closed is None:
                raise
            return None, error.diagnostics[0].message

    @cached_property
    def expansions(self) -> dict[int, str]:
        """The words of d output / d x[start], by depth: at the first four behind the start, and at
        this one if they are few."""
        return self._expanded(words_to_text)

    @cached_property
    def expansions_in_latex(self) -> dict[int, str]:
        """The same in LaTeX."""
        return self._expanded(words_to_latex)

    def _expanded(self, write: Callable[[Tape, int, Collection[str]], str]) -> dict[int, str]:
        first = range(self.start + 1, min(self.start + NUM_EXPANDED, self.depth, SHALLOW) + 1)
        written = {depth: self._expand(depth, write) for depth in first}
        # How many words there are is known without writing them.
        if self.is_shallow and self.distinct is not None and sum(self.distinct) <= MAX_WORDS:
            written[self.depth] = self._expand(self.depth, write)
        return {depth: text for depth, text in written.items() if text is not None}

    def _expand(self, depth: int, write: Callable[[Tape, int, Collection[str]], str]) -> str | None:
        borders = self.tape.borders if self.stages else ()
        stages = Stages.between([border for border in borders if border < depth], depth)
        kept = ACTIVATIONS if self.keeps_activations else TRANSPARENT
        try:
            return write(unroll(self.formula, depth, stages), self.start, kept)
        except (TooManyWordsError, UserError):
            # Some formulas exist only from some depth on, such as `output x[3]`.
            return None

    @cached_property
    def through_block(self) -> dict[str, Coefficients]:
        """Paths as drawn through each block, "F[3]", by length; none where constants have roots."""
        return through_block(self.tape, self.start) if self.tells_blocks else {}

    @cached_property
    def parameter_gradients(self) -> dict[str, Coefficients]:
        """Paths of d output / d F[j] with sign, for each block "F[j]", by blocks behind it; none
        where constants have roots."""
        return parameter_gradients(self.tape) if self.tells_blocks else {}

    @cached_property
    def mean_length(self) -> dict[str, Fraction | None]:
        """Mean number of blocks on a path, of the distinct paths and of those as drawn."""
        counts = {"distinct": self.distinct, "gross": self.gross}
        return {name: mean_length(row) if row else None for name, row in counts.items()}

    @cached_property
    def std_length(self) -> dict[str, str | None]:
        """Its standard deviation, in sympy's syntax."""
        counts = {"distinct": self.distinct, "gross": self.gross}
        return {name: std_length(row) if row else None for name, row in counts.items()}

    @cached_property
    def std_value(self) -> dict[str, float]:
        """The standard deviation, rounded to a float."""
        counts = {"distinct": self.distinct, "gross": self.gross}
        variances = {name: variance_of_length(row) for name, row in counts.items() if row}
        return {name: float(v) ** 0.5 for name, v in variances.items() if v is not None}

    @cached_property
    def widths(self) -> Widths | None:
        """Mean and least width of the blocks on the distinct paths, by length."""
        if self.block_widths is None:
            return None
        return widths_by_length(self.tape, self.block_widths, self.start)

    @cached_property
    def bounded_gains(self) -> tuple[str, ...] | None:
        """The gains of a block at which signal and gradient stay bounded at every depth.

        As `-2 <= g <= 0`; None without a closed form, or where that would take long.
        """
        if self.closed is None:
            return None
        recurrence = self.closed.recurrence
        if recurrence.order * recurrence.period > MAX_ORDER:
            return None
        try:
            return tuple(map(str, bounded_gains(self.formula)))
        except UserError:
            return None

    @cached_property
    def by_block_name(self) -> dict[str, NamedPolynomial] | None:
        """Net and gross with one variable a name, where blocks have several names."""
        if not self.formula.blocks or not self.tells_blocks:
            return None
        return {
            "net": polynomials_by_block(self.tape, self.start, NET),
            "gross": polynomials_by_block(self.tape, self.start, GROSS),
        }

    @cached_property
    def distinct_conjecture(self) -> Conjecture | None:
        """A recurrence of the distinct counts that fits all rows looked at; not proved."""
        if self.start or self.stages is not None or self.keeps_activations:
            return None
        return distinct_conjecture(self.formula)

    @cached_property
    def telescoped(self) -> Telescoped | None:
        """A simpler formula with the same paths from x[0], if one is found."""
        return telescope(self.formula)

    @property
    def telescopes_to(self) -> Formula | None:
        return None if self.telescoped is None else self.telescoped.formula

    @property
    def plain_borders(self) -> tuple[int, ...]:
        """The border blocks that run the backbone's own formula."""
        return self.tape.plain_borders if self.stages else ()


def _has_minus(tape: Tape) -> bool:
    """Whether net and gross can differ: only a negative constant makes paths cancel."""
    return any(isinstance(op, Scale) and op.factor < 0 for op in tape.operations)


def _count_distinct(tape: Tape, start: int) -> Coefficients:
    tape, start = told_apart(tape, start)
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return (0,)
    if has_roots(tape):
        return count_distinct_with_roots(tape, sources)
    algebra = LinearForms()
    form = fold(tape, algebra, given=dict.fromkeys(sources, INPUT_FORM))
    return tuple(int(count) for count in algebra.count(form).coeffs()) or (0,)


def _is_too_large(size: tuple[int, float]) -> bool:
    num_lengths, num_digits = size
    return num_lengths > MAX_LENGTHS or num_digits > MAX_DIGITS
