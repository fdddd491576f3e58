"""Tables of counts, and the fraction that continues one.

A table proves nothing about the depths below its last row. Two things are tried: that 1/G ends
(a single state with absent start has such a G), and the shortest recurrence by Berlekamp and
Massey. Both must leave rows over that confirm what was found.

>>> str(continued(read_table("1; 1,1; 1,3,1; 1,5,5,1")).to_text())
'1/(1 - z - t*z - t*z**2)'
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly

from recform.design.notation import refusal
from recform.design.series import NotAPathSeriesError, PathSeries, from_rows, rational
from recform.errors import Source, Span, UserError
from recform.formula.files import read_text

MAX_ROWS = 200
MAX_FILE_BYTES = 1_000_000
MAX_ORDER = 12
# A prime and a point at which the order of the recurrence is measured first.
_PRIME = 2**61 - 1
_POINT = 987_654_321

Row = fmpq_poly


class NoRecurrenceError(Exception):
    """No recurrence of an order that the rows could confirm."""

    def __init__(self, order: int, num_rows: int) -> None:
        super().__init__(order, num_rows)
        self.reason = f"no recurrence up to order {order} on {num_rows} rows"


def is_table(text: str) -> bool:
    """Whether a specification is a table: rows, or a file with them."""
    return ";" in text or "\n" in text.strip() or _is_file(text) or _has_comma_outside(text)


def read_table(text: str) -> list[Row]:
    """Rows by depth from `1; 1,1; 1,2,1`, or a .csv, .txt or .json file with a row a line.

    Raises UserError `bad-specification`, `too-large`, and as `read_text` does for a file.
    """
    if _is_file(text):
        return _from_file(Path(text.strip()))
    return _rows(text.replace("\n", ";").split(";"), Source(text, "<specification>"))


def continued(rows: Sequence[Row]) -> PathSeries:
    """The fraction with these first rows. Raises NoRecurrenceError, NotAPathSeriesError."""
    _check_start(rows)
    found = _inverse_ends(rows) or _shortest(rows)
    if found is None or found.rows(len(rows)) != list(rows):
        raise NoRecurrenceError(_largest_order(len(rows)), len(rows))
    return found


def _largest_order(num_rows: int) -> int:
    return min(MAX_ORDER, max(0, (num_rows - 1) // 2))


def _check_start(rows: Sequence[Row]) -> None:
    if rows[0].degree() > 0:
        raise NotAPathSeriesError("row 0 has paths through blocks, and at depth 0 there is no "
                                  "block")  # fmt: skip


def _inverse_ends(rows: Sequence[Row]) -> PathSeries | None:
    """P_0/G as a polynomial that ends before the last row."""
    unit = rows[0][0]
    if unit == 0:
        return None
    inverse = [fmpq_poly([1])]
    for n in range(1, len(rows)):
        inverse.append(-sum((rows[j] * inverse[n - j] for j in range(1, n + 1)),
                            fmpq_poly([])) / unit)  # fmt: skip
    order = max(n for n, part in enumerate(inverse) if part.degree() >= 0)
    if order > min(MAX_ORDER, len(rows) - 2):
        return None
    return PathSeries.of(from_rows([fmpq_poly([unit])]), from_rows(inverse))


def _shortest(rows: Sequence[Row]) -> PathSeries | None:
    order = _order_at_a_point(rows)
    if order > _largest_order(len(rows)):
        return None
    coefficients = _coefficients(rows, order)
    if coefficients is None:
        return None
    below = from_rows([fmpq_poly([1]), *(-part for part in coefficients)])
    product = from_rows(list(rows)) * below
    above = {powers: c for powers, c in product.to_dict().items() if powers[0] < order}
    try:
        return PathSeries.of(product.context().from_dict(above), below)
    except NotAPathSeriesError:
        return None


def _order_at_a_point(rows: Sequence[Row]) -> int:
    """The length of the shortest recurrence at t = _POINT, modulo a prime (Massey 1969)."""
    values = [_at_point(row) for row in rows]
    current, previous, length, shift, last = [1], [1], 0, 1, 1
    for n, value in enumerate(values):
        terms = (current[i] * values[n - i] for i in range(1, min(length, len(current) - 1) + 1))
        discrepancy = (value + sum(terms)) % _PRIME
        if discrepancy == 0:
            shift += 1
            continue
        factor = discrepancy * pow(last, -1, _PRIME) % _PRIME
        size = max(len(current), len(previous) + shift)
        padded = current + [0] * (size - len(current))
        for i, c in enumerate(previous):
            padded[i + shift] = (padded[i + shift] - factor * c) % _PRIME
        if 2 * length <= n:
            current, previous, length, shift, last = padded, current, n + 1 - length, 1, discrepancy
        else:
            current, shift = padded, shift + 1
    return length


def _at_point(row: Row) -> int:
    value = row(fmpq(_POINT))
    return int(value.numer()) * pow(int(value.denom()), -1, _PRIME) % _PRIME


def _coefficients(rows: Sequence[Row], order: int) -> list[Row] | None:
    """c_1, c_2, ... of P[n] = c_1 P[n-1] + ..., interpolated from many values of t."""
    if order == 0:
        return []
    slope = max(-(-row.degree() // max(n, 1)) for n, row in enumerate(rows))
    wanted = order * max(slope, 1) + 3
    points, values = [], []
    for t in range(1, 4 * wanted):
        at = [row(fmpq(t)) for row in rows[: 2 * order]]
        matrix = fmpq_mat([[at[n - i] for i in range(1, order + 1)]
                           for n in range(order, 2 * order)])  # fmt: skip
        if matrix.det() != 0:
            points.append(t)
            solved = matrix.solve(fmpq_mat([[at[n]] for n in range(order, 2 * order)]))
            values.append([solved[i, 0] for i in range(order)])
        if len(points) == wanted:
            return [_interpolated(points, [value[i] for value in values]) for i in range(order)]
    return None


def _interpolated(points: Sequence[int], values: Sequence[Any]) -> Row:
    """Newton's divided differences."""
    differences = list(values)
    for level in range(1, len(points)):
        for i in range(len(points) - 1, level - 1, -1):
            differences[i] = (differences[i] - differences[i - 1]) / (points[i] - points[i - level])
    found = fmpq_poly([])
    for i in range(len(points) - 1, -1, -1):
        found = found * fmpq_poly([-points[i], 1]) + differences[i]
    return found


# --- reading -----------------------------------------------------------------------------------


def _is_file(text: str) -> bool:
    return text.strip().lower().endswith((".csv", ".txt", ".json"))


def _has_comma_outside(text: str) -> bool:
    depth = 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            return True
    return False


def _from_file(path: Path) -> list[Row]:
    text = read_text(path, MAX_FILE_BYTES, "a file of rows", f"a table has at most {MAX_ROWS} rows")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if path.suffix.lower() == ".json":
        text = _from_json(text, path)
    return _rows(text.rstrip("\n").replace("\n", ";").split(";"), Source(text, str(path)))


def _from_json(text: str, path: Path) -> str:
    """An array of arrays as text, a row a line."""
    try:
        rows = json.loads(text)
        return "\n".join(",".join(str(count) for count in row) for row in rows)
    except (ValueError, TypeError, RecursionError):
        raise UserError("bad-specification", f"{path} holds no array of arrays of counts",
                        "[[1], [1, 1], [1, 2, 1]]") from None  # fmt: skip


def _rows(texts: Sequence[str], source: Source) -> list[Row]:
    texts = texts[:-1] if len(texts) > 1 and not texts[-1].strip() else texts
    if len(texts) > MAX_ROWS:
        raise UserError("too-large", f"the table has more than {MAX_ROWS} rows", "leave some out")
    return [_row(text, n, source) for n, text in enumerate(texts)]


def _row(text: str, n: int, source: Source) -> Row:
    counts = []
    for part in text.replace(",", " ").split():
        try:
            counts.append(rational(Fraction(part)))
        except (ValueError, ZeroDivisionError):
            raise refusal(f"row {n} of the table has `{part}`, which is no number", None,
                          source, "1; 1,1; 1,2,1") from None  # fmt: skip
    if len(counts) > MAX_ROWS:
        raise refusal(f"row {n} of the table is too long", Span(1, 1, 2), None, "1; 1,1; 1,2,1")
    return fmpq_poly(counts)
