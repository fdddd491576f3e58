"""The three ways to ask: by length, by derivative, by route.

>>> [str(c.formula) for c in by_length("binomial(n, k)").candidates]
['x[l+1] = x[l] + F(x[l])']
>>> by_length("1 if k*k <= n else 0").refused[:39]
'proved: no formula of finite memory has'
>>> by_route("s* F s* F s*", calls=1).refused[:17]
'proved: the rank.'
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from recform.design.answer import Design, Limits, refused
from recform.design.automaton import NoAutomatonError, learned, of_automaton, smallest
from recform.design.bounds import bound_of
from recform.design.general import LONGEST_WORD, words_at
from recform.design.lengths import fulfilled_lengths
from recform.design.notation import Node, read
from recform.design.regular import TooManyStatesError, minimal, read_routes
from recform.design.series import NotAPathSeriesError
from recform.design.words import fulfilled_words
from recform.errors import FormulaError, Source, UserError

# Words up to which routes are compared.
CHECKED_WORDS = 8
MAX_STATES = 24
# Larger ones are not made smaller.
MAX_AUTOMATON = 64
MAX_DEPTH = 32


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
        return fulfilled_lengths(specification, limits)
    except FormulaError as error:
        raise _placed(error, specification) from error
    except NotAPathSeriesError as error:
        return refused(
            specification.strip(),
            f"proved: {error}",
            "rows that are polynomials in t, row 0 a number",
        )


def by_derivative(
    specification: str, *, depth: int = 8, calls: int | None = None, minus: bool = True
) -> Design:
    """Formulas with a wanted d x[L]/d x[l], in sums and products of F'[i].

    The words are compared at every depth down to 11, which proves the answer where the text bounds
    the number of states that it needs (`bounds`); else it is verified so far. Raises FormulaError
    `bad-specification`.
    """
    limits = _limits(depth, calls, minus)
    wanted = specification.strip()
    try:
        node = read(specification)
        tables = [words_at(node, 0, n) for n in range(LONGEST_WORD + 1)]
    except FormulaError as error:
        raise _placed(error, specification) from error
    try:
        found = learned(lambda word: tables[len(word)].get(word, Fraction(0)), LONGEST_WORD)
    except NoAutomatonError as error:
        return refused(wanted, error.reason, "paths that do not depend on the depth L itself",
                       "a table of counts: --lengths")  # fmt: skip
    bound = bound_of(node)
    # Systems of dimensions d and e that agree on words of length d + e - 1 agree on all.
    proved = bound is not None and bound + found.dimension - 1 <= LONGEST_WORD
    return fulfilled_words(wanted, found, proved, LONGEST_WORD, limits, _later(node))


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
    found = of_automaton(automaton)
    if len(automaton.accepts) <= MAX_AUTOMATON and found.dimension > MAX_STATES:
        found = smallest(found)
    if found.dimension > MAX_STATES:
        raise UserError("too-large", f"the expression needs {found.dimension} states, more than "
                        f"{MAX_STATES}", "write smaller repeats")  # fmt: skip
    wanted = expression.strip() or "the empty word"
    return fulfilled_words(wanted, found, True, CHECKED_WORDS, limits)


def _later(node: Node) -> Callable[[int, int], dict[str, Fraction]]:
    """The words that the specification has from x[start], to the same number of blocks."""
    return lambda depth, start: words_at(node, start, start + depth)


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
