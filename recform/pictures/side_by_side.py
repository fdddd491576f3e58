"""Formulas side by side: in each row one figure of every formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from recform.paths import Analysis, warnings_of
from recform.pictures.counts import count_to_text
from recform.pictures.facts import growth_to_text

ROOM = 14


def side_by_side(analyses: Sequence[Analysis]) -> list[list[str]]:
    """Rows of text: what is compared, then a cell for each analysis."""
    return [[name, *(cell(analysis) for analysis in analyses)] for name, cell in ROWS.items()]


def _total(reading: str) -> Callable[[Analysis], str]:
    def cell(analysis: Analysis) -> str:
        counts = getattr(analysis, reading)
        return "?" if counts is None else count_to_text(sum(counts), ROOM)

    return cell


def _lengths(analysis: Analysis) -> str:
    """The lengths of the paths that survive."""
    lengths = [length for length, count in enumerate(analysis.distinct or ()) if count]
    return _from_to(str(lengths[0]), str(lengths[-1])) if lengths else "none"


def _mean(analysis: Analysis) -> str:
    mean = analysis.mean_length["distinct"]
    if mean is None:
        return "?"
    return f"{float(mean):.4g} ± {analysis.std_value['distinct']:.3g}"


def _growth(reading: str) -> Callable[[Analysis], str]:
    def cell(analysis: Analysis) -> str:
        if analysis.closed is None:
            return "?"
        return growth_to_text(getattr(analysis.closed, reading), rounded=True)

    return cell


def _order(analysis: Analysis) -> str:
    """How many rows before it make a row of net counts."""
    return "?" if analysis.closed is None else str(len(analysis.closed.net.recurrence))


def _gradients(analysis: Analysis) -> str:
    """The least and the largest number of paths from a block to the output."""
    if not _tells_blocks(analysis):
        return "?"
    totals = [sum(row) for row in analysis.parameter_gradients.values()]
    if not totals:
        return "none"
    return _from_to(count_to_text(min(totals), 10), count_to_text(max(totals), 10))


def _share(analysis: Analysis) -> str:
    """The least and the largest share of the paths as drawn that go through one block."""
    if not _tells_blocks(analysis) or not analysis.gross or not sum(analysis.gross):
        return "?"
    total = Fraction(sum(analysis.gross))
    shares = [100 * float(sum(row) / total) for row in analysis.through_block.values()]
    return f"{_from_to(f'{min(shares):.0f}', f'{max(shares):.0f}')} %" if shares else "none"


def _tells_blocks(analysis: Analysis) -> bool:
    return analysis.is_shallow and analysis.tells_blocks


def _warnings(analysis: Analysis) -> str:
    return ", ".join(warning.code for warning in warnings_of(analysis)) or "none"


def _from_to(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


ROWS: dict[str, Callable[[Analysis], str]] = {
    "paths, net": _total("net"),
    "paths, gross": _total("gross"),
    "paths, distinct": _total("distinct"),
    "lengths that survive": _lengths,
    "mean length, distinct": _mean,
    "growth, net": _growth("net"),
    "growth, gross": _growth("gross"),
    "order of P[n], net": _order,
    "through a block, gross": _share,
    "block to output, net": _gradients,
    "warnings": _warnings,
}
