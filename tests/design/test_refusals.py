"""Wishes that no formula of finite memory fulfils, and why; wishes that are none."""

from __future__ import annotations

from time import process_time

import pytest

from recform.design import by_derivative, by_length
from recform.design.impossible import reason_against
from recform.design.notation import read
from recform.errors import FormulaError, UserError

PROVED = {
    "1 if k*k <= n else 0": "n^(1/2)",
    "1 if k^2 <= n else 0": "n^(1/2)",
    "1 if k <= sqrt(n) else 0": "n^(1/2)",
    "1 if k <= n^(1/2) else 0": "n^(1/2)",
    "1 if k <= floor(sqrt(n)) else 0": "n^(1/2)",
    "1 if sqrt(n) <= k else 0": "n^(1/2)",
    "1 if not k*k > n else 0": "n^(1/2)",
    "0 if not not k*k > n else 1": "n^(1/2)",
    "3 if k^3 < n^2 else 0": "n^(2/3)",
    "1 if 2*k*k <= n*n else 0": "s*n with an irrational s",
    "binomial(2*n, n)": "n^(-1/2)",
    "binomial(2*k, k)": "n^(-1/2)",
    "binomial(n + k, k)": "n^(-1/2)",
    "binomial(n, k)^2": "pi^(-1)",
    "k*binomial(n, k)^2": "pi^(-1)",
    "1/binomial(n, k)": "pi^(1/2)",
    "factorial(k)": "n!",
    "n^k": "n!",
    "2^(k*k)": "faster than any power of n!",
    "1/(k + 1)": "n^(-1)",
    "binomial(2*k, k)/(k + 1)": "n^(-3/2)",
}


@pytest.mark.parametrize("wish", PROVED)
def test_counts_beyond_finite_memory_are_refused_with_the_growth_that_proves_it(wish):
    began = process_time()
    answer = by_length(wish)
    assert process_time() - began < 10
    assert answer.candidates == ()
    assert answer.refused.startswith("proved: no formula of finite memory has these counts")
    assert PROVED[wish] in answer.refused
    assert answer.instead


# Counts of formulas: a proof that they have none would be a wrong one.
POSSIBLE = ("1", "binomial(n, k)", "1 if 2*k >= n else 0", "1 if k*(n - k) == 0 else 0",
            "binomial(n, 2)", "k^2", "1 if k*k <= n*n else 0", "binomial(n, k)*binomial(n, n)",
            "factorial(3)", "factorial(n)/factorial(n)", "binomial(n, k)/binomial(n, k)",
            "1 if k*k >= 0 else 0", "(n + 1)^2/(n + 1)", "1 if 4*k*k <= n*n else 0",
            "1 if (k*k - n)^2 <= 0 else 0", "n^3*binomial(n, k)",
            "1 if not k*k > n*n else 0", "1 if not 4*k*k > n*n else 0",
            "2^n*binomial(n + 1, k)", "1 if -k <= sqrt(n) else 0",
            "1 if n - 3*k <= sqrt(2*n*n) else 0")  # fmt: skip


@pytest.mark.parametrize("wish", POSSIBLE)
def test_no_proof_is_given_against_counts_that_a_formula_has(wish):
    assert reason_against(read(wish)) is None


# As they go on, even lengths only take two calls a step.
EVEN_ROWS = "1; 1; 1,0,1; 1,0,1; 1,0,1,0,1; 1,0,1,0,1; 1,0,1,0,1,0,1; 1,0,1,0,1,0,1"


def test_fewer_calls_for_a_table_are_not_proved_impossible():
    refused = by_length(EVEN_ROWS, calls=1).refused
    assert refused.startswith("as the 8 rows go on here, the rank")
    assert by_length("1 if k % 2 == 0 else 0", calls=1).refused.startswith("proved: the rank")


def test_counts_below_the_last_row_of_a_table_are_not_asked_for():
    fewer = "; ".join(str(5 - n) for n in range(6))
    assert by_length(fewer, minus=False).refused == "none of the formulas found keeps to the limits"


def test_words_that_are_none_down_to_depth_11_prove_nothing_of_those_below():
    assert by_derivative("1 if L > 20 else 0").refused == "no path is asked for down to depth 11"
    assert by_derivative("1 - 1").refused.startswith("proved: no path at any depth")


def test_a_binomial_that_a_condition_cuts_in_two_is_not_called_exact():
    answer = by_length("binomial(n, k) if 2*k >= n else 0")
    assert answer.refused.startswith("no recurrence up to order 12 on 25 rows")


def test_rows_without_a_recurrence_are_refused_with_what_was_tried():
    answer = by_length("1; 1; 2; 6; 24; 120; 720")
    assert answer.refused == "no recurrence up to order 3 on 7 rows"


def test_an_expression_that_is_neither_summed_nor_excluded_is_tried_on_its_rows():
    answer = by_length("sum(1/(j + 1) for j in 0..k)")
    assert answer.refused.startswith("no recurrence up to order 12 on 25 rows")


@pytest.mark.parametrize("wish", ["0", "k - k", "z - z"])
def test_a_wish_for_nothing_is_refused(wish):
    assert by_length(wish).refused.startswith("proved: no path at any depth")


@pytest.mark.parametrize(
    ("wish", "num_rows"),
    [("0; 0,0; 0,0,0", 3), ("1 if n > 30 and k*k >= 0 else 0", 25), ("(n//40)*factorial(n)", 25)],
)
def test_rows_of_zeros_prove_nothing_of_the_depths_below_them(wish, num_rows):
    assert by_length(wish).refused.startswith(f"no path is asked for on {num_rows} rows")


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("1/(z + t)", "not every row is a polynomial"),
        ("1/z", "not every row is a polynomial"),
        ("t/(1 - z)", "row 0 has paths through blocks"),
        ("1,1; 1,2", "row 0 has paths through blocks"),
    ],
)
def test_rows_that_no_formula_has_are_refused(wish, reason):
    assert by_length(wish).refused.startswith(f"proved: {reason}")


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("1 if k", "`else` is expected before the end"),
        ("binomial(n)", "`binomial` takes 2 arguments"),
        ("choose(n, k)", "there is no function `choose`"),
        ("m + 1", "`m` has no meaning here"),
        ("", "the specification ends too early"),
        ("1 +", "the specification ends too early"),
        ("n $ k", "`$` has no meaning here"),
        ("(n", "`)` is expected before the end"),
        ("n k", "`k` is not expected here"),
        ("k/0", "something is divided by zero"),
        ("1/(n - 3)", "something is divided by zero"),
        ("z/(1 - n*z)", "a generating function is a fraction of polynomials in z and t"),
        ("F'[k]", "a count has no F' in it"),
        ("k < n", "a condition is no number"),
        ("1 if n else 0", "this is no condition"),
        ("binomial(n/2, k)", "`binomial` takes whole numbers"),
        ("1; x", "row 1 of the table has `x`, which is no number"),
        ("9" * 2_000, "this number is too long"),
        ("(" * 100 + "n" + ")" * 100, "the specification is nested too deep"),
        ("-" * 100 + "n", "the specification is nested too deep"),
        ("1/(1 - z)^999", "the fraction has a degree above 200"),
        ("sum(1 for i in 0..100000000)", "a range has more than 10,000 terms"),
    ],
)
def test_what_is_no_wish_is_told_in_one_sentence(wish, message):
    with pytest.raises(FormulaError) as error:
        by_length(wish)
    assert error.value.diagnostics[0].message == message
    assert error.value.diagnostics[0].hint


@pytest.mark.parametrize("wish", ["1/(1 - z^30)", "k^9", "1 if k % 12 == 5 else 0"])
def test_more_memory_than_is_handled_is_told(wish):
    with pytest.raises(UserError) as error:
        by_length(wish)
    assert error.value.code == "too-large"
    assert error.value.diagnostics[0].message.endswith("calls a step; 24 and 8 can be had")


def test_what_is_possible_instead_counts_one_call_as_one():
    assert by_length("1", calls=0).instead == ("1 call a step",)


@pytest.mark.parametrize("limits", [{"depth": -1}, {"depth": 33}, {"calls": -1}])
def test_limits_are_checked(limits):
    with pytest.raises(UserError) as error:
        by_length("1", **limits)
    assert error.value.code == "bad-argument"
