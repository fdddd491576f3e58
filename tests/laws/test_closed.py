"""A closed form holds at every depth that can be counted otherwise, from every start."""

from __future__ import annotations

from collections import Counter

from flint import fmpq, fmpq_poly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles.walk import TooManyWordsError, walk

from laws.formulas import formulas
from laws.steady import steady_formulas
from recform.errors import UserError
from recform.formula import parse
from recform.paths import closed_forms
from recform.paths.affine import NotSteadyError
from recform.paths.polynomials import GROSS, NET, ONE, coefficients
from recform.paths.start import sources_of
from recform.tape import fold, unroll

LAW = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
DEPTHS = (0, 1, 2, 3, 4, 6, 13)


def counted(formula, depth, start, algebra):
    """The counts off the tape, value by value."""
    tape = unroll(formula, depth)
    sources = sources_of(tape, start)
    if not sources or tape.output is None:
        return (0,)
    return coefficients(fold(tape, algebra, given=dict.fromkeys(sources, ONE)))


def assert_holds(text, start):
    formula = parse(text)
    try:
        closed = closed_forms(formula, start)
    except NotSteadyError:
        return False
    for depth in DEPTHS:
        if depth < start:
            continue
        for form, algebra in ((closed.net, NET), (closed.gross, GROSS)):
            assert form.row(depth) == counted(formula, depth, start, algebra), f"depth {depth}"
    return True


@LAW
@given(steady_formulas())
def test_rows_are_those_of_the_tape(text: str) -> None:
    assert_holds(text, 0)


@LAW
@given(steady_formulas(), st.integers(1, 4))
def test_rows_are_those_of_the_tape_from_a_later_start(text: str, start: int) -> None:
    assert_holds(text, start)


@LAW
@given(formulas())
def test_a_formula_of_the_whole_language_has_a_right_closed_form_or_none(text: str) -> None:
    try:
        assert_holds(text, 0)
    except UserError:
        # Some random formulas do not exist at every small depth.
        return


def test_most_random_formulas_settle() -> None:
    settled: Counter[bool] = Counter()

    @settings(LAW, max_examples=100)
    @given(steady_formulas())
    def count(text: str) -> None:
        settled[assert_holds(text, 0)] += 1

    count()
    assert settled[True] > 3 * settled[False]


@settings(LAW, max_examples=60)
@given(steady_formulas())
def test_rows_are_those_of_an_oracle_that_walks_every_path(text: str) -> None:
    formula = parse(text)
    try:
        closed = closed_forms(formula)
        for depth in range(4):
            walked = walk(formula, depth, most=1_000)
            assert list(closed.net.row(depth)) == walked.net
            assert list(closed.gross.row(depth)) == walked.gross
    except (NotSteadyError, TooManyWordsError):
        return


@settings(LAW, max_examples=100)
@given(steady_formulas())
def test_the_recurrence_makes_each_row_from_the_rows_before(text: str) -> None:
    try:
        form = closed_forms(parse(text)).net
    except NotSteadyError:
        return
    coefficients_of = form.function.recurrence
    first = form.function.holds_from
    for n in range(first, first + 3):
        rows = [polynomial(form.row(n - k)) for k in range(1, len(coefficients_of) + 1)]
        total = sum((c * row for c, row in zip(coefficients_of, rows, strict=True)), 0 * ONE)
        assert coefficients(total) == form.row(n)


def polynomial(row):
    return fmpq_poly([fmpq(c.numerator, c.denominator) for c in row])
