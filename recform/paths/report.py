"""An analysis as JSON: what `recform analyze --json` prints, and what scripts may rely on.

Whole numbers are JSON integers up to 4,300 digits, and strings of digits past that; other
rationals are strings "p/q". What is irrational or a polynomial is a string in sympy's syntax, in
z and t.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from fractions import Fraction
from typing import Any

from flint import fmpz

from recform.paths.analysis import Analysis
from recform.paths.closed import ClosedForm
from recform.paths.conjecture import Conjecture
from recform.paths.insight import warnings_of
from recform.paths.widths import Widths
from recform.tape import Exact, Irrational

# Python refuses to print longer integers.
MAX_JSON_DIGITS = 4_300


def to_json(analysis: Analysis, full: bool = False) -> dict[str, Any]:
    """One object for an analysis. `full` writes the tables by block at any depth."""
    closed = analysis.closed
    forms = {"net": closed and closed.net, "gross": closed and closed.gross}
    telescoped = analysis.telescopes_to
    return {
        "formula": str(replace(analysis.formula, title="")),
        "title": analysis.formula.title or None,
        "depth": analysis.depth,
        "start": analysis.start,
        "net": _row(analysis.net),
        "gross": _row(analysis.gross),
        "counts_reason": analysis.counts_reason,
        "distinct": _row(analysis.distinct),
        "distinct_reason": analysis.distinct_reason,
        "generating_function": {k: form and form.function.to_text() for k, form in forms.items()},
        "recurrence": {k: form and _recurrence(form) for k, form in forms.items()},
        "entry": {k: form and form.entry for k, form in forms.items()},
        "triangle": {k: form and _triangle(form) for k, form in forms.items()},
        "growth": {k: form and _growth(form) for k, form in forms.items()},
        "closed_form_reason": analysis.closed_reason,
        "distinct_conjecture": _conjecture(analysis.distinct_conjecture),
        "mean_length": {k: None if v is None else _number(v)
                        for k, v in analysis.mean_length.items()},
        "std_length": analysis.std_length,
        "length_law": _length_law(analysis),
        "bounded_gains": None if analysis.bounded_gains is None else list(analysis.bounded_gains),
        **_by_block(analysis, full),
        "widths": _widths(analysis.widths),
        "plain_borders": list(analysis.plain_borders),
        "reversible": analysis.reversibility and asdict(analysis.reversibility),
        "warnings": [{"code": w.code, "text": w.text} for w in warnings_of(analysis)],
        "telescopes_to": None if telescoped is None else str(telescoped),
    }  # fmt: skip


def _by_block(analysis: Analysis, full: bool) -> dict[str, Any]:
    """Words and the tables by block, or why they are left out."""
    if not (analysis.is_shallow or full):
        reason = f"left out at depth {analysis.depth:,}; --full writes it"
        keys = ("words", "parameter_gradients", "through_block", "by_block_name")
        return dict.fromkeys(keys) | {f"{key}_reason": reason for key in keys}
    return {
        "words": {str(depth): text for depth, text in analysis.expansions.items()},
        "parameter_gradients": _rows(analysis.parameter_gradients),
        "through_block": _rows(analysis.through_block),
        "by_block_name": analysis.by_block_name
        and {reading: str(counts) for reading, counts in analysis.by_block_name.items()},
    }


def _recurrence(form: ClosedForm) -> dict[str, Any]:
    """P[n] as a combination of P[n-1], P[n-2], ..., the n from which it holds, the rows before."""
    return {
        "coefficients": list(form.recurrence),
        "from": form.function.holds_from,
        "first": [_row(row) for row in form.first_rows],
    }


def _conjecture(found: Conjecture | None) -> dict[str, Any] | None:
    """A recurrence of distinct counts that is not proved, and how deep it was checked."""
    if found is None:
        return None
    return {
        "coefficients": list(found.coefficients),
        "from": len(found.first),
        "first": [_row(row) for row in found.first],
        "checked_depth": found.checked_depth,
    }


def _growth(form: ClosedForm) -> dict[str, Any] | None:
    growth = form.growth
    if growth is None:
        return None
    return {
        "exact": growth.exact,
        "value": growth.value,
        "multiplicity": growth.multiplicity,
    }


def _triangle(form: ClosedForm) -> dict[str, Any] | None:
    triangle = form.triangle
    return None if triangle is None else {"name": triangle.name, "oeis": triangle.oeis}


def _length_law(analysis: Analysis) -> dict[str, Any] | None:
    """The normal law of the paths as drawn; None, with the reason, where there is none."""
    if analysis.closed is None:
        return None
    law = analysis.closed.length_law
    if isinstance(law, str):
        return {"gross": None, "reason": law}
    return {
        "gross": {
            "mean_per_block": law.mean,
            "variance_per_block": law.variance,
            "mean_per_block_value": law.mean_value,
            "variance_per_block_value": law.variance_value,
        },
        "reason": None,
    }


def _widths(widths: Widths | None) -> dict[str, Any] | None:
    if widths is None:
        return None
    columns = {"mean": widths.mean, "least": widths.least}
    return {name: [None if w is None else _number(w) for w in column]
            for name, column in columns.items()}  # fmt: skip


def _rows(table: Mapping[str, Sequence[int | Fraction]]) -> dict[str, Any]:
    return {block: _row(row) for block, row in table.items()}


def _row(counts: Iterable[int | Fraction] | None) -> list[int | str] | None:
    return None if counts is None else [_number(count) for count in counts]


def _number(count: Exact) -> int | str:
    if isinstance(count, Irrational):
        return count.to_text(_digits)
    if isinstance(count, Fraction) and count.denominator != 1:
        return f"{_digits(count.numerator)}/{_digits(count.denominator)}"
    count = int(count)
    return count if abs(count) < 10**MAX_JSON_DIGITS else _digits(count)


def _digits(number: int) -> str:
    """Decimal digits of any integer: FLINT has no limit, and converts in quasi-linear time."""
    return str(fmpz(number)) if abs(number) >= 10**MAX_JSON_DIGITS else str(number)
