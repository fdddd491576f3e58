"""The three ways to ask: by length, by derivative, by route.

>>> [str(c.formula) for c in by_length("binomial(n, k)").candidates]
['x[l+1] = x[l] + F(x[l])']
>>> by_length("1 if k*k <= n else 0").refused[:30]
'proved: the number of all path'
>>> by_route("s* F s* F s*", calls=1).refused[:20]
'proved: the blocks a'
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

from recform.design.answer import Check, Design, Limits, Wish, answered, refused
from recform.design.automaton import NoAutomatonError, Weighted, learned, of_automaton, smallest
from recform.design.general import words_at
from recform.design.impossible import reason_against
from recform.design.lines import OutsideError
from recform.design.notation import Node, names_in, read, refusal
from recform.design.poles import exact_fraction, rows_of
from recform.design.realise import forms_of as forms_of_series
from recform.design.regular import TooManyStatesError, minimal, read_routes
from recform.design.series import NotAPathSeriesError, PathSeries, fraction_of
from recform.design.states import forms_of as forms_of_words
from recform.design.tables import NoRecurrenceError, Row, continued, is_table, read_table
from recform.errors import FormulaError, Source, UserError
from recform.formula import Formula
from recform.paths import closed_forms, words
from recform.paths.polynomials import coefficients
from recform.tape import Call, unroll

# Rows and words that are compared where nothing is proved.
NUM_ROWS = 25
LONGEST_WORD = 9
CHECKED_WORDS = 8
MAX_STATES = 24
MAX_DEPTH = 64


def by_length(
    specification: str, *, depth: int = 8, calls: int | None = None, minus: bool = True
) -> Design:
    """Formulas with a wanted number of paths through k of n blocks.

    The specification is an expression in n and k for 0 <= k <= n, `binomial(n, k)`; a generating
    function in z and t, `1/(1 - z - t*z)`; or a table, `1; 1,1; 1,2,1`, or the name of a file that
    holds one. `calls` is the most calls a step, `minus` whether terms may be subtracted, `depth`
    how many rows are shown. Raises FormulaError `bad-specification`, UserError.
    """
    limits = _limits(depth, calls, minus)
    try:
        return _by_length(specification, limits)
    except FormulaError as error:
        raise _placed(error, specification) from error
    except NotAPathSeriesError as error:
        return refused(specification.strip(), f"proved: {error}", "counts with P_0 a number")


def by_derivative(
    specification: str, *, depth: int = 8, calls: int | None = None, minus: bool = True
) -> Design:
    """Formulas with a wanted d x[L]/d x[l], in sums and products of F'[i].

    The words are compared at every depth down to 9; that is also as far as the answer is verified.
    Raises FormulaError `bad-specification`.
    """
    limits = _limits(depth, calls, minus)
    wanted = specification.strip()
    try:
        node = read(specification)
        tables = [words_at(node, n) for n in range(LONGEST_WORD + 1)]
    except FormulaError as error:
        raise _placed(error, specification) from error
    try:
        found = learned(lambda word: tables[len(word)].get(word, Fraction(0)), LONGEST_WORD)
    except NoAutomatonError as error:
        return refused(wanted, error.reason, "paths that do not depend on the depth L itself",
                       "a table of counts: --lengths")  # fmt: skip
    check = Check(lambda formula: _check_words(formula, found), False, LONGEST_WORD)
    return _by_words(wanted, found, check, limits)


def by_route(
    expression: str, *, depth: int = 8, calls: int | None = None, minus: bool = True
) -> Design:
    """Formulas whose words of depth L are the words of length L of a regular expression.

    F goes through the block, s past it, the output first: `F* s*`. Each word counts once. Raises
    FormulaError `bad-specification`, UserError `too-large`.
    """
    limits = _limits(depth, calls, minus)
    try:
        automaton = minimal(read_routes(expression))
    except TooManyStatesError:
        raise UserError("too-large", "the expression needs too many states",
                        "write smaller repeats") from None  # fmt: skip
    if len(automaton.accepts) > MAX_STATES:
        raise UserError("too-large", f"the expression needs {len(automaton.accepts)} states, more "
                        f"than {MAX_STATES}", "write smaller repeats")  # fmt: skip
    found = of_automaton(automaton)
    check = Check(lambda formula: _check_words(formula, found), True, CHECKED_WORDS)
    return _by_words(expression.strip() or "the empty word", found, check, limits)


# --- by length ---------------------------------------------------------------------------------


def _by_length(specification: str, limits: Limits) -> Design:
    wanted = specification.strip()
    if is_table(specification):
        return _continued(wanted, read_table(specification), limits)
    node = read(specification)
    unknown = names_in(node) - {"n", "k", "z", "t"} - _bound(node)
    if unknown:
        raise refusal(f"`{min(unknown)}` has no meaning here", None, None,
                      "counts are written with n and k, generating functions with z and t")
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
    try:
        series = continued(rows)
    except NoRecurrenceError as error:
        return refused(wanted, error.reason, "more rows", "an expression in n and k")
    return _fulfilled(wanted, series, rows, limits)


def _fulfilled(
    wanted: str, series: PathSeries, rows: list[Row] | None, limits: Limits
) -> Design:
    """`rows` are all that is known of the wish if it was a table."""
    if series.numerator.is_zero():
        return refused(wanted, "proved: no path at any depth is asked for", "a count that is not 0")

    def verify(formula: Formula) -> None:
        function = closed_forms(formula).net.function
        assert function == series.function, f"{formula} has other counts"

    check = Check(verify, rows is None, len(rows or ()) - 1)
    calls = series.num_calls
    forms = forms_of_series(series)
    if not forms:
        return refused(wanted, "no formula was found", "another number of calls")
    reason = (f"in t the generating function has degree {calls}, and so it takes {calls} calls a "
              "step: with fewer the rank is too small")  # fmt: skip
    return answered(Wish(f"{wanted}: G(z, t) = {series.to_text()}", forms, check, calls, reason,
                         _negative(series)), limits)  # fmt: skip


def _negative(series: PathSeries) -> str | None:
    for n, row in enumerate(series.rows(NUM_ROWS)):
        for k, count in enumerate(coefficients(row)):
            if count < 0:
                return f"{count} paths through {k} of {n} blocks are asked for"
    return None


# --- by words ----------------------------------------------------------------------------------


def _by_words(wanted: str, found: Weighted, check: Check, limits: Limits) -> Design:
    least = smallest(found)
    if least.dimension == 0:
        return refused(wanted, "proved: no path at any depth is asked for", "F* s*")
    calls = least.num_calls
    reason = (f"the blocks act on {calls} independent states (the rank of F in the smallest system "
              f"of {least.dimension}), so it takes {calls} calls a step")  # fmt: skip
    empty = _empty_depths(found)
    told = f"{wanted}: {empty}" if empty else wanted
    return answered(Wish(told, forms_of_words(found), check, calls, reason, _negative_word(found)),
                    limits)  # fmt: skip


def _empty_depths(found: Weighted) -> str:
    """Which depths have no path at all, in words."""
    depths = [n for n in range(1, 2 * found.dimension + 6) if not _words(found, n)]
    if not depths:
        return ""
    last = 2 * found.dimension + 5
    if depths == list(range(1, last + 1, 2)):
        return "odd depths have no path"
    shown = ", ".join(map(str, depths[:8])) + (", ..." if len(depths) > 8 else "")
    return f"no path at depth {shown}"


def _words(found: Weighted, depth: int) -> bool:
    """Whether any word of a length has a coefficient other than zero: by the span of the rows."""
    rows = [found.first]
    for _ in range(depth):
        rows = _independent([row * m for row in rows for m in (found.skip, found.block)])
    return any((row * found.last)[0, 0] != 0 for row in rows)


def _independent(rows: list) -> list:
    kept: list = []
    for row in rows:
        wider = [*kept, row]
        entries = [[r[0, j] for j in range(r.ncols())] for r in wider]
        if type(row)(entries).rank() == len(wider):
            kept = wider
    return kept


def _negative_word(found: Weighted) -> str | None:
    for table in tables_of(found, CHECKED_WORDS):
        for word, c in table.items():
            if c < 0:
                return f"the path {word or '1'} with coefficient {c} is asked for"
    return None


def tables_of(wanted: Weighted, longest: int) -> list[dict[str, Fraction]]:
    """The words of each length with their coefficients, those with none left out."""
    rows = {"": wanted.first}
    tables = []
    for _ in range(longest + 1):
        last = {word: (row * wanted.last)[0, 0] for word, row in rows.items()}
        tables.append({word: Fraction(int(c.numer()), int(c.denom()))
                       for word, c in last.items() if c != 0})  # fmt: skip
        rows = {word + letter: row * matrix for word, row in rows.items()
                for letter, matrix in (("s", wanted.skip), ("F", wanted.block))
                if any(row[0, j] != 0 for j in range(row.ncols()))}  # fmt: skip
    return tables


def _check_words(formula: Formula, wanted: Weighted) -> None:
    """The words of a formula, by depth, against the wanted ones."""
    for depth, table in enumerate(tables_of(wanted, CHECKED_WORDS)):
        assert words_by_depth(formula, depth) == table, f"{formula} has other words"


def words_by_depth(formula: Formula, depth: int) -> dict[str, Fraction]:
    """The words of a formula with arguments forgotten: F or s for each block, the last one first."""
    tape = unroll(formula, depth)
    found: Counter[str] = Counter()
    for word, c in words(tape).items():
        letters = ["s"] * depth
        for place in word:
            operation = tape.operations[place]
            assert isinstance(operation, Call), "designed formulas have blocks only"
            letters[depth - 1 - operation.index] = "F"
        found["".join(letters)] += c  # type: ignore[assignment]
    return {word: Fraction(c) for word, c in found.items() if c}


# --- at the door -------------------------------------------------------------------------------


def _limits(depth: int, calls: int | None, minus: bool) -> Limits:
    if not 0 <= depth <= MAX_DEPTH:
        raise UserError("bad-argument", f"the depth {depth} is not between 0 and {MAX_DEPTH}",
                        "--depth 8")  # fmt: skip
    if calls is not None and calls < 0:
        raise UserError("bad-argument", f"{calls} calls a step", "--calls 1")
    return Limits(depth, calls, minus)


def _placed(error: FormulaError, text: str) -> FormulaError:
    """The error with the text that it is about."""
    if error.source is not None:
        return error
    return FormulaError(error.diagnostics, Source(text, "<specification>"))
