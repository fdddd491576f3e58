"""All counts of a formula's paths, together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from flint import fmpz

from recform.errors import UserError
from recform.formula import Formula, resolve
from recform.paths.distinct import INPUT_FORM, LinearForms, TooManyLinksError
from recform.paths.polynomials import GROSS, NET, ONE, Coefficients, PathPolynomial, coefficients
from recform.paths.start import sources_of
from recform.paths.words import TooManyWordsError, words_to_text
from recform.tape import Scale, Stages, Tape, fold, unroll

# Python refuses to print longer integers; JSON has them as strings of digits.
MAX_JSON_DIGITS = 4_300


@dataclass(frozen=True)
class Analysis:
    """Paths of d output / d x[start], counted by the number of blocks that they go through.

    `net` counts with sign, `gross` as drawn, `distinct` what survives cancellation; each is
    indexed by path length and exact. `distinct` is None where it would take too long, with the
    reason beside it. `expansions` are the sums of words by depth, up to 4.
    """

    formula: Formula
    depth: int
    start: int
    net: Coefficients
    gross: Coefficients
    distinct: Coefficients | None
    distinct_reason: str | None
    expansions: dict[int, str]
    plain_borders: tuple[int, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """The object that `recform analyze --json` prints."""
        return {
            "formula": str(self.formula),
            "depth": self.depth,
            "start": self.start,
            "net": [_json_number(count) for count in self.net],
            "gross": [_json_number(count) for count in self.gross],
            "distinct": None if self.distinct is None else
            [_json_number(count) for count in self.distinct],
            "distinct_reason": self.distinct_reason,
            "words": {str(depth): text for depth, text in self.expansions.items()},
            "plain_borders": list(self.plain_borders),
            "notes": list(self.notes),
        }  # fmt: skip


def analyze(
    formula: Formula | str, depth: int = 16, start: int = 0, stages: Sequence[int] | None = None
) -> Analysis:
    """Count the paths of a formula, its text, or an example by its name.

    `stages` gives the number of blocks in each stage, and then the depth as their sum. Time grows
    with the square of the depth: a second at 1,000 for the usual formulas.

    >>> analyze("resnet_s", depth=4).net
    (1, 1, 1, 1, 1)
    >>> analyze("x[l+1] = x[l] + F(x[l])", depth=4).gross
    (1, 4, 6, 4, 1)
    """
    formula = resolve(formula)
    if stages is not None and (not stages or min(stages) < 1):
        raise UserError("bad-argument", f"{list(stages)} are no stage lengths",
                        "give each stage one block or more: [3, 4, 6, 3]")  # fmt: skip
    division = Stages(tuple(stages)) if stages else None
    tape = unroll(formula, sum(stages) if stages else depth, division)
    distinct, reason = _count_distinct(tape, start)
    net = _count(tape, start, NET)
    return Analysis(
        formula=formula,
        depth=tape.depth,
        start=start,
        net=net,
        gross=_count(tape, start, GROSS) if _has_minus(tape) else net,
        distinct=distinct,
        distinct_reason=reason,
        expansions=_expand(formula, tape.depth, tape.borders),
        plain_borders=tape.plain_borders,
        notes=tuple(_notes(tape, start)),
    )


def _count(tape: Tape, start: int, algebra: PathPolynomial) -> Coefficients:
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return (0,)
    return coefficients(fold(tape, algebra, given=dict.fromkeys(sources, ONE)))


def _count_distinct(tape: Tape, start: int) -> tuple[Coefficients | None, str | None]:
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return (0,), None
    algebra = LinearForms()
    try:
        form = fold(tape, algebra, given=dict.fromkeys(sources, INPUT_FORM))
        return tuple(int(count) for count in algebra.count(form).coeffs()) or (0,), None
    except TooManyLinksError:
        return None, "the links change too much from value to value to be counted at this depth"


def _has_minus(tape: Tape) -> bool:
    """Whether net and gross can differ: only a negative constant makes paths cancel."""
    return any(isinstance(op, Scale) and op.factor < 0 for op in tape.operations)


def _expand(
    formula: Formula, depth: int, borders: Sequence[int], largest: int = 4
) -> dict[int, str]:
    """The words at depths 1 to 4, where the formula exists and they can be written down."""
    expansions = {}
    for shown in range(1, min(depth, largest) + 1):
        try:
            stages = Stages.between([border for border in borders if border < shown], shown)
            expansions[shown] = words_to_text(unroll(formula, shown, stages))
        except (TooManyWordsError, UserError):
            # Some formulas exist only from some depth on, such as `output x[3]`.
            continue
    return expansions


def _notes(tape: Tape, start: int) -> list[str]:
    notes = []
    if tape.output is None:
        notes.append("the output is absent: no path reaches it")
    elif not sources_of(tape, start):
        notes.append(f"the output does not depend on {tape.main}[{start}]")
    if tape.plain_borders:
        blocks = ", ".join(str(border) for border in tape.plain_borders)
        notes.append(f"block {blocks}: the formula cannot cross the stage border there, so the "
                     "backbone's own formula runs")  # fmt: skip
    return notes


def _json_number(count: int | Fraction) -> int | str:
    if isinstance(count, Fraction):
        return f"{_digits(count.numerator)}/{_digits(count.denominator)}"
    return count if abs(count) < 10**MAX_JSON_DIGITS else _digits(count)


def _digits(number: int) -> str:
    """Decimal digits of any integer: FLINT has no limit, and converts in quasi-linear time."""
    return str(fmpz(number)) if abs(number) >= 10**MAX_JSON_DIGITS else str(number)
