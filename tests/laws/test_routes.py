"""What recform says of single blocks is what one finds by walking every path."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import zip_longest

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import routes
from oracles.walk import TooManyWordsError, Walk, walk, walk_from_blocks

from laws.formulas import formulas
from recform.formula import parse
from recform.paths import (
    NamedPolynomial,
    analyze,
    parameter_gradients,
    polynomials_by_block,
    through_block,
)
from recform.paths.polynomials import GROSS, NET, Coefficients
from recform.tape import unroll

LAW = settings(
    max_examples=200,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
MAX_DEPTH = 5
MAX_WORDS = 1_000


@LAW
@given(formulas(), st.integers(0, MAX_DEPTH), st.integers(0, 2))
def test_paths_through_a_block_are_the_words_with_its_letter(
    text: str, depth: int, start: int
) -> None:
    found, depth = _walk_to(text, depth, min(start, depth))
    tape = unroll(parse(text), depth)
    start = min(start, depth)
    if not found.unclear:
        assert _rows(through_block(tape, start)) == _through(found, found.gross_words)
        assert _rows(through_block(tape, start, NET)) == _through(found, found.words)


@LAW
@given(formulas(), st.integers(0, MAX_DEPTH))
def test_parameter_gradients_are_the_words_down_to_the_block(text: str, depth: int) -> None:
    formula = parse(text)
    try:
        found = walk_from_blocks(formula, depth, MAX_WORDS)
    except TooManyWordsError:
        return
    expected = {_name(block): gradient.net for block, gradient in found.items()}
    assert _rows(parameter_gradients(unroll(formula, depth))) == expected


@LAW
@given(formulas(), st.integers(0, 12))
def test_each_path_goes_through_as_many_blocks_as_it_is_long(text: str, depth: int) -> None:
    formula = parse(text)
    rows = through_block(unroll(formula, depth), algebra=NET).values()
    net = analyze(formula, depth).net
    totals = [sum(column) for column in zip_longest(*rows, fillvalue=0)]
    expected = [length * count for length, count in enumerate(net)]
    assert _without_zeros(totals) == _without_zeros(expected)


@LAW
@given(formulas(), st.integers(0, MAX_DEPTH), st.integers(0, 2))
def test_counts_by_name_are_those_of_the_words(text: str, depth: int, start: int) -> None:
    found, depth = _walk_to(text, depth, start)
    tape = unroll(parse(text), depth)
    start = min(start, depth)
    if not found.unclear:
        assert _by_names(polynomials_by_block(tape, start)) == routes.by_names(found.words)
        gross = polynomials_by_block(tape, start, GROSS)
        assert _by_names(gross) == routes.by_names(found.gross_words)


@LAW
@given(formulas(), st.integers(0, 12))
def test_with_one_variable_for_all_names_counts_are_by_length(text: str, depth: int) -> None:
    formula = parse(text)
    tape, counts = unroll(formula, depth), analyze(formula, depth)
    assert polynomials_by_block(tape).by_length() == counts.net
    assert polynomials_by_block(tape, algebra=GROSS).by_length() == counts.gross


def _by_names(found: NamedPolynomial) -> dict[tuple[tuple[str, int], ...], Fraction]:
    """The exponents that are not zero, by name."""
    return {
        tuple((name, power) for name, power in zip(found.blocks, row, strict=True) if power):
        Fraction(count)
        for row, count in found.counts.items()
    }  # fmt: skip


def _walk_to(text: str, depth: int, start: int) -> tuple[Walk, int]:
    """The words at this depth, or at the largest below where they are few enough."""
    while True:
        try:
            return walk(parse(text), depth, min(start, depth), MAX_WORDS), depth
        except TooManyWordsError:
            depth -= 1


def _name(block: routes.Block) -> str:
    return f"{block[0]}[{block[1]}]"


def _through(found: Walk, words: routes.Words) -> dict[str, list[Fraction]]:
    counted = routes.through(words)
    return {_name(block): _row(counted.get(block, {})) for block in found.letters}


def _row(counts: Mapping[int, Fraction]) -> list[Fraction]:
    row = [counts.get(length, Fraction(0)) for length in range(1 + max(counts, default=0))]
    return _without_zeros(row) or [Fraction(0)]


def _without_zeros(row: list) -> list:
    while row and row[-1] == 0:
        row = row[:-1]
    return row


def _rows(found: Mapping[str, Coefficients]) -> dict[str, list[Fraction]]:
    return {name: [Fraction(count) for count in row] for name, row in found.items()}
