"""What `analyze` counts is what one finds by walking every path."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles.walk import TooManyWordsError, Walk, walk

from laws.formulas import formulas
from recform.errors import UserError
from recform.formula import parse
from recform.paths import Analysis, analyze

LAW = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
MAX_DEPTH = 6
# Formulas that grow faster are walked to a smaller depth only.
MAX_WORDS = 1_500


@LAW
@given(formulas())
def test_counts_are_those_of_the_words_at_every_depth(text: str) -> None:
    formula = parse(text)
    for depth in range(MAX_DEPTH + 1):
        try:
            walked = walk(formula, depth, most=MAX_WORDS)
        except TooManyWordsError:
            break
        assert _counts(analyze(formula, depth)) == _counts(walked), f"at depth {depth}"


@LAW
@given(formulas(), st.integers(1, MAX_DEPTH))
def test_counts_are_those_of_the_words_from_every_later_start(text: str, depth: int) -> None:
    formula = parse(text)
    for start in range(1, depth + 1):
        try:
            walked = walk(formula, depth, start, MAX_WORDS)
        except TooManyWordsError:
            continue
        try:
            analysis = analyze(formula, depth, start)
        except UserError as error:
            if "is the constant 0" in str(error):
                continue
            raise
        if not walked.unclear:
            assert _counts(analysis) == _counts(walked), f"from {start}"


@LAW
@given(formulas())
def test_a_printed_formula_is_read_as_the_same_formula(text: str) -> None:
    formula = parse(text)
    assert parse(str(formula)) == formula
    assert str(parse(str(formula))) == str(formula)


def _counts(found: Analysis | Walk) -> dict[str, list[Fraction]]:
    assert found.distinct is not None, "small formulas are always counted"
    return {
        "net": [Fraction(count) for count in found.net],
        "gross": [Fraction(count) for count in found.gross],
        "distinct": [Fraction(count) for count in found.distinct],
    }
