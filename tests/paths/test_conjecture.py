"""Recurrences conjectured for distinct counts: by hand, and for rows they have not seen."""

from __future__ import annotations

import pytest
from flint import fmpq_poly

import recform
from recform import analyze, parse
from recform.paths.conjecture import CHECKED_DEPTH, distinct_conjecture


def found(text: str):
    return distinct_conjecture(recform.resolve(text))


def test_surviving_paths_of_delannoys_wires_are_pascals():
    assert found("delannoy").coefficients == ("1 + t",)


def test_the_published_listing_keeps_paths_by_a_recurrence_of_order_three():
    assert found("resnet_s_code").coefficients == ("t", "0", "1 + t")


def polynomial(counts) -> fmpq_poly:
    return fmpq_poly([int(count) for count in counts])


@pytest.mark.parametrize(
    "name", ["resnet_s_code", "leapfrog", "dense_sum", "momentum", "injection"]
)
def test_it_foretells_rows_that_it_has_not_seen(name: str):
    conjecture = found(name)
    rows = [polynomial(analyze(name, n).distinct) for n in range(CHECKED_DEPTH, CHECKED_DEPTH + 6)]
    coefficients = {
        "t": fmpq_poly([0, 1]), "-t": fmpq_poly([0, -1]), "1 + t": fmpq_poly([1, 1]),
        "0": fmpq_poly([]),
    }  # fmt: skip
    used = [coefficients[text] for text in conjecture.coefficients]
    for n in range(len(used), len(rows)):
        expected = sum((c * rows[n - k] for k, c in enumerate(used, 1)), fmpq_poly([]))
        assert rows[n] == expected


def test_irregular_rows_have_no_conjecture():
    # A link of 2x[l] - x[l-1] - ... that vanishes at single depths only.
    assert found("x[l+1] = x[l] - 1/2*x[l-1] + F(x[l])") is None


@pytest.mark.parametrize("text", ["x[l+1] = x[l] + 1/L*F(x[l])", "revnet"])
def test_formulas_that_read_the_last_depth_are_left_out(text: str):
    assert found(text) is None


def test_it_is_marked_as_a_conjecture():
    conjecture = distinct_conjecture(parse("x[l+1] = x[l] + F(x[l-2])"))
    assert (conjecture.coefficients, conjecture.checked_depth) == (("1", "0", "t"), CHECKED_DEPTH)
