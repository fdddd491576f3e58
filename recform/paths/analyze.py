"""The door to the analyzer: a formula, a depth, and what is to be counted."""

from __future__ import annotations

from collections.abc import Sequence

from recform.errors import UserError
from recform.formula import Formula, resolve
from recform.paths.affine import NotSteadyError
from recform.paths.analysis import SHALLOW, Analysis
from recform.paths.at_init import at_init
from recform.paths.closed import ClosedForms, closed_forms
from recform.paths.start import refuse_zero
from recform.tape import Stages

MAX_DEPTH = 10**9
ACTIVATION_RULES = ("transparent", "keep")


def analyze(
    formula: Formula | str,
    depth: int | None = None,
    start: int = 0,
    stages: Sequence[int] | Stages | None = None,
    *,
    activations: str = "transparent",
    at: str | None = None,
    widths: Sequence[int] | None = None,
) -> Analysis:
    """Count the paths of a formula, its text, or an example by its name.

    `depth` is 16 if nothing says otherwise; `stages` gives the number of blocks in each stage, and
    then the depth as their sum. `activations` are "transparent", as in the paper, or "keep": then
    each is a letter, which stops cancellation. `at="init"` puts learned coefficients at their start
    values; else they count as 1. `widths` has the width of each block.

    Quantities are computed when they are asked for. Net and gross of a formula with a recurrence
    take the time of a few multiplications of the answer; others are unrolled, with a cost that
    grows with the square of the depth.

    Raises FormulaError for what goes wrong at this depth, UserError `bad-argument`.

    >>> analyze("resnet_s", depth=4).net
    (1, 1, 1, 1, 1)
    >>> analyze("x[l+1] = x[l] + F(x[l])", depth=4).gross
    (1, 4, 6, 4, 1)
    """
    formula = resolve(formula)
    if at not in (None, "init"):
        raise UserError("bad-argument", f"coefficients cannot be put at `{at}`",
                        "choose init, or leave it out")  # fmt: skip
    if at == "init":
        formula = at_init(formula)
    _check_whole("depth", [] if depth is None else [depth])
    _check_whole("start", [start])
    _check_positive("stages", [] if stages is None or isinstance(stages, Stages) else stages,
                    "give each stage one block or more: [3, 4, 6, 3]")  # fmt: skip
    _check_positive("widths", widths or [], "give each block its number of channels")
    division = _stages(stages, depth)
    depth = sum(division.lengths) if division else 16 if depth is None else depth
    _check(depth, start, activations)
    closed, reason = _closed(formula, start, division)
    analysis = Analysis(formula, depth, start, division, activations == "keep",
                        None if widths is None else tuple(widths), closed, reason)  # fmt: skip
    if closed is None or depth <= SHALLOW:
        # What is wrong at this depth is told at once.
        refuse_zero(analysis.tape, start)
    if widths is not None:
        _ = analysis.widths
    return analysis


def _closed(
    formula: Formula, start: int, stages: Stages | None
) -> tuple[ClosedForms | None, str | None]:
    if stages is not None:
        return None, "closed forms are for networks of one stage"
    try:
        return closed_forms(formula, start), None
    except NotSteadyError as error:
        return None, error.reason


def _stages(stages: Sequence[int] | Stages | None, depth: int | None) -> Stages | None:
    if stages is None:
        return None
    lengths = stages.lengths if isinstance(stages, Stages) else tuple(stages)
    if not lengths:
        raise UserError("bad-argument", "there are no stages",
                        "give each stage one block or more: [3, 4, 6, 3]")  # fmt: skip
    if depth is not None and depth != sum(lengths):
        raise UserError("bad-argument", f"the stages have {sum(lengths)} blocks, the depth is "
                        f"{depth}", "give the stages or the depth")  # fmt: skip
    return stages if isinstance(stages, Stages) else Stages(lengths)


def _check_whole(name: str, numbers: Sequence[object]) -> None:
    for number in numbers:
        if not isinstance(number, int) or isinstance(number, bool):
            raise UserError("bad-argument", f"{name}: {number!r} is no whole number",
                            "give whole numbers")  # fmt: skip


def _check_positive(name: str, numbers: Sequence[int], hint: str) -> None:
    _check_whole(name, numbers)
    for number in numbers:
        if number < 1:
            raise UserError("bad-argument", f"{name}: {number} is less than 1", hint)


def _check(depth: int, start: int, activations: str) -> None:
    if activations not in ACTIVATION_RULES:
        raise UserError("bad-argument", f"there is no way `{activations}` to count activations",
                        "choose transparent or keep")  # fmt: skip
    if not 0 <= depth <= MAX_DEPTH:
        raise UserError("bad-argument" if depth < 0 else "too-deep",
                        f"the depth {depth} is not between 0 and {MAX_DEPTH:,}",
                        "--depth 16, or depth=16")  # fmt: skip
    if not 0 <= start <= depth:
        raise UserError("bad-argument", f"the start {start} is not between 0 and the depth, "
                        f"{depth}", "--start 0, or start=0")  # fmt: skip
