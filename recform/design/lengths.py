"""Wanted numbers of paths by length: an expression, a generating function or a table, to formulas.

>>> fulfilled_lengths("binomial(n, k)", Limits()).candidates[0].cost.calls
1
"""

from __future__ import annotations

from recform.design.answer import Check, Design, Limits, Wish, answered, refused
from recform.design.impossible import reason_against
from recform.design.later import has_rows
from recform.design.lines import OutsideError
from recform.design.notation import Node, names_in, read, refusal
from recform.design.poles import exact_fraction, rows_of
from recform.design.realise import forms_of
from recform.design.series import PathSeries, fraction_of
from recform.design.tables import NoRecurrenceError, Row, continued, is_table, read_table
from recform.errors import UserError
from recform.formula import Formula
from recform.paths.generating import NET_READING, generating_function
from recform.paths.polynomials import coefficients
from recform.paths.settle import settle

# Rows that are compared where nothing is proved.
NUM_ROWS = 25
# Rows that must exist before anything is said of counts that grow beyond all bounds.
NUM_DEFINED = 6
MAX_ORDER = 24
MAX_CALLS = 8


def fulfilled_lengths(specification: str, limits: Limits) -> Design:
    """The formulas with the wanted numbers of paths by length, or why there are none.

    The specification is an expression in n and k, a fraction in z and t, or a table of rows, or
    the name of a file that holds one. Raises FormulaError `bad-specification` with the place in
    the text, UserError `too-large`, and what `read_table` raises for a file.
    """
    wanted = specification.strip()
    if is_table(specification):
        return _continued(wanted, read_table(specification), limits)
    node = read(specification)
    unknown = names_in(node) - {"n", "k", "z", "t"} - _bound(node)
    if unknown:
        raise refusal(
            f"`{min(unknown)}` has no meaning here",
            None,
            None,
            "counts are written with n and k, generating functions with z and t",
        )
    if names_in(node) & {"z", "t"}:
        return _fulfilled(wanted, PathSeries.of(*fraction_of(node)), None, limits)
    try:
        series = PathSeries.of(*exact_fraction(node))
    except OutsideError as outside:
        return _outside(wanted, node, outside, limits)
    return _fulfilled(wanted, series, None, limits)


def _bound(node: Node) -> set[str]:
    """The variables of ranges."""
    own = {node.parts[1]} if node.operator == "each" else set()
    return own.union(*(_bound(part) for part in node.parts if isinstance(part, Node)))


def _outside(wanted: str, node: Node, outside: OutsideError, limits: Limits) -> Design:
    """Counts that are not known to be C-finite: a proof that they are not, or their rows."""
    rows_of(node, NUM_DEFINED)
    reason = reason_against(node)
    if reason is not None:
        return refused(wanted, f"proved: no formula of finite memory has these counts: {reason}",
                       "the same counts to one depth, as a table",
                       "a sum over all earlier depths, such as x[l - 2^k + 1] for k in 0.., which "
                       "is no finite memory")  # fmt: skip
    design = _continued(wanted, rows_of(node, NUM_ROWS), limits)
    return design if design.refused is None else refused(
        wanted, f"{design.refused} ({outside.reason})", *design.instead)  # fmt: skip


def _continued(wanted: str, rows: list[Row], limits: Limits) -> Design:
    if all(row.is_zero() for row in rows):
        # Below the last row there may be paths, so that nothing is proved.
        rows_told = f"{len(rows)} row{'s' * (len(rows) != 1)}"
        return refused(wanted, f"no path is asked for on {rows_told}", "more rows",
                       "a count that is not 0")  # fmt: skip
    try:
        series = continued(rows)
    except NoRecurrenceError as error:
        return refused(wanted, error.reason, "more rows", "an expression in n and k")
    return _fulfilled(wanted, series, rows, limits)


def _fulfilled(wanted: str, series: PathSeries, rows: list[Row] | None, limits: Limits) -> Design:
    """`rows` are all that is known of the wish if it was a table."""
    size = max(n for n, _ in (*series.above, *series.below))
    if size > MAX_ORDER or series.num_calls > MAX_CALLS:
        raise UserError("too-large", f"these counts need a memory of {size} depths and "
                        f"{series.num_calls} calls a step; {MAX_ORDER} and {MAX_CALLS} can be had",
                        "ask for a formula of less memory")  # fmt: skip
    if series.numerator.is_zero():
        return refused(wanted, "proved: no path at any depth is asked for", "a count that is not 0")

    def verify(formula: Formula) -> None:
        function = generating_function(settle(formula), NET_READING)
        assert function == series.function, f"{formula} has other counts"

    known = series.rows(NUM_ROWS) if rows is None else rows
    check = Check(verify, lambda formula: has_rows(formula, known),
                  None if rows is None else len(rows) - 1)  # fmt: skip
    calls = series.num_calls
    forms = forms_of(series)
    rank = (f"the rank. With r calls a step G(z, t) has degree r in t at most, above and below; "
            f"it has degree {calls}")  # fmt: skip
    # Rows may go on otherwise, with fewer calls.
    reason = f"proved: {rank}" if rows is None else f"as the {len(rows)} rows go on here, {rank}"
    more = ("two states, or blocks inside blocks",) if calls > 1 else ()
    return answered(Wish(f"{wanted}: G(z, t) = {series.to_text()}", forms, check, calls, reason,
                         _negative(known), more), limits)  # fmt: skip


def _negative(rows: list[Row]) -> str | None:
    for n, row in enumerate(rows):
        for k, count in enumerate(coefficients(row)):
            if count < 0:
                return f"{count} paths through {k} of {n} blocks are asked for"
    return None
