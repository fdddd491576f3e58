"""Closed forms: generating functions, recurrences, entries, growth, laws of length.

Entries and constants are checked by sympy, which recform does not use.
"""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
import sympy
from flint import fmpz_poly

import recform
from recform import analyze, parse
from recform.paths import ClosedForm, closed_forms
from recform.paths.affine import NotSteadyError
from recform.paths.algebraic import dominant, roots_of
from recform.paths.triangles import TRIANGLES

n, k, z, t, x = sympy.symbols("n k z t x")

DELANNOY = "x[l+1] = x[l] + F(x[l]) + F(x[l-1])"


def net(text: str) -> ClosedForm:
    return closed_forms(parse(text)).net


def test_resnet_s_has_one_path_of_each_length_as_a_fraction():
    assert net("x[l+1] = x[l] + F(x[l]) - F(x[l-1])").function.to_text() == "1/((1 - z)*(1 - t*z))"


@pytest.mark.parametrize("name", recform.example_names())
def test_a_generating_function_expands_into_the_counts(name: str):
    analysis = analyze(name, depth=9)
    assert analysis.closed is not None
    for form, counts in (
        (analysis.closed.net, analysis.net),
        (analysis.closed.gross, analysis.gross),
    ):
        function = sympy.sympify(form.function.to_text())
        row = sympy.series(function, z, 0, 10).removeO().expand().coeff(z, 9)
        assert [sympy.Rational(c) for c in counts] == sympy.Poly(row, t).all_coeffs()[::-1]


ENTRIES = [
    "x[l+1] = 2*x[l] + F(x[l])",
    "x[l+1] = x[l] - F(x[l])",
    "x[l+1] = x[l] + F(x[l-2])",
    "x[l+1] = 1/2*x[l] + F(x[l]) + 3*F(x[l-1])",
    "x[l+1] = x[l] + F(x[l]) + x[l-1]",
    "x[l+1] = x[l] + F(x[l-1]) + F(F(x[l]))",
    "x[l+1] = 3*x[l] + 2*F(x[l]) - 6*F(x[l-1])",
    "x[l+1] = F(x[l]) + F(x[l-1]) + F(x[l-2])",
    "x[l+1] = 2*x[l] - x[l-1] + 2*F(x[l])",
    # the named triangles
    "x[l+1] = F(x[l])",
    "x[l+1] = x[l] + F(x[l]) - F(x[l-1])",
    "x[l+1] = x[l] + F(x[l])",
    "x[l+1] = sum(F(x[i]) for i in 0..l)",
    DELANNOY,
    "x[l+1] = x[l] + F(x[l-1])",
    "x[l+1] = F(x[l]) + F(x[l-1])",
    "x[l+1] = F(x[l]) + x[l-1]",
    "x[l+1] = 2*x[l] - x[l-1] + F(x[l])",
    "x[l+1] = x[l] + sum(F(x[i]) for i in 0..l)",
    "x[l+1] = x[l] + F(x[l]) + F(F(x[l]))",
]


@pytest.mark.parametrize("text", ENTRIES)
def test_an_entry_is_the_count_of_its_row_and_length(text: str):
    form = net(text)
    assert form.entry is not None
    formula = sympy.sympify(form.entry, locals={"n": n, "k": k})
    for depth in range(8):
        row = form.row(depth)
        for length in range(depth + 1):
            value = formula.subs({n: depth, k: length}).doit()
            assert value == (row[length] if length < len(row) else 0), (depth, length)


def test_every_named_triangle_is_recognised():
    found = {net(text).triangle for text in ENTRIES}
    assert found >= set(TRIANGLES)


@pytest.mark.parametrize(
    ("text", "exact", "multiplicity"),
    [
        ("x[l+1] = x[l] + F(x[l])", "2", 1),
        (DELANNOY, "1 + sqrt(2)", 1),
        ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "1", 2),
        ("x[l+1] = F(x[l]) - 2*x[l-1]", "sqrt(2)", 1),
        ("x[l+1] = -2*F(x[l])", "2", 1),
        ("x[l+1] = x[l] + F(x[l-2])", "CRootOf(-1 - x**2 + x**3, 0)", 1),
    ],
)
def test_growth_of_the_totals(text: str, exact: str, multiplicity: int):
    growth = net(text).growth
    assert growth is not None
    assert (growth.exact, growth.multiplicity) == (exact, multiplicity)
    assert abs(sympy.sympify(exact, locals={"x": x}).evalf(20) - growth.value) < 1e-12


def test_totals_that_vanish_do_not_grow():
    assert net("x[l+1] = x[l] - F(x[l])").growth is None


def test_roots_of_one_modulus_tie_exactly():
    # x^2 - 2, x^2 + 2, and x^4 + 4 with all roots on the circle of sqrt(2); x^2 - 2x + 2 too.
    polynomial = fmpz_poly([-2, 0, 1]) * fmpz_poly([2, 0, 1]) * fmpz_poly([2, -2, 1])
    largest = dominant(roots_of(polynomial * fmpz_poly([-7, 5])))
    assert len(largest) == 6
    # 577/408 is sqrt(2) to six digits, and larger.
    assert len(dominant(roots_of(polynomial * fmpz_poly([-577, 408])))) == 1


def test_path_lengths_of_delannoy_are_normal_with_the_published_constants():
    law = closed_forms(parse(DELANNOY)).length_law
    assert (law.mean, law.variance) == ("1/2", "sqrt(2)/8")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x[l+1] = x[0] + F(x[l])", "no single simple root is dominant"),
        ("x[l+1] = F(x[l])", "the variance does not grow with depth"),
        ("x[l+1] = F(x[l-1])\ninit x[-1] = x[0]", "no single simple root is dominant"),
    ],
)
def test_where_there_is_no_normal_law_the_reason_is_told(text: str, reason: str):
    assert closed_forms(parse(text)).length_law == reason


@pytest.mark.parametrize("text", [DELANNOY, "x[l+1] = x[l] + F(x[l-2])", "leapfrog", "momentum"])
def test_the_law_is_the_limit_of_the_exact_moments(text: str):
    law = closed_forms(recform.resolve(text)).length_law
    near, far = (analyze(text, depth).mean_length["gross"] for depth in (500, 1000))
    assert float(far - near) / 500 == pytest.approx(law.mean_value, abs=1e-9)
    near, far = (analyze(text, depth).std_value["gross"] ** 2 for depth in (500, 1000))
    assert (far - near) / 500 == pytest.approx(law.variance_value, abs=1e-6)


REASONS = {
    "x[l+1] = sum(x[l - 2^k + 1] for k in 0..)": "the terms of an open range",
    "x[l+1] = x[l] + 1/L*F(x[l])": "depends on L",
    "x[l+1] = x[l] + 1/(l+1)*F(x[l])": "a coefficient changes with the depth",
    "x[l+1] = mean(x[i] for i in 0..l) + F(x[l])": "a mean over a range that grows",
    "x[l+1] = sum(F[l](x[i]) for i in 0..l)": "the terms of a range depend on l",
    "x[l+1] = x[l] + F(x[(l - l % 2)/2])": "does not go back by a fixed number",
}


@pytest.mark.parametrize("text", REASONS)
def test_what_has_no_recurrence_says_why(text: str):
    with pytest.raises(NotSteadyError, match=REASONS[text].replace("(", r"\(")):
        closed_forms(parse(text))
    assert analyze(text, 4).closed_reason is not None


def test_a_row_at_large_depth_needs_no_row_before():
    assert net("x[l+1] = x[l] + F(x[l])").row(5_000)[2_500] == comb(5_000, 2_500)


def test_rationals_stay_exact_at_large_depth():
    row = net("x[l+1] = x[l] + 1/3*F(x[l])").row(300)
    assert row[7] == Fraction(comb(300, 7), 3**7)


def test_a_table_that_is_too_large_is_left_out_with_its_size():
    analysis = analyze(DELANNOY, depth=10**6)
    assert analysis.net is None
    assert "1,000,001 numbers with about 4e+11 digits" in str(analysis.counts_reason)
    assert analyze("x[l+1] = x[0] + F(x[l])", depth=10**5).net == (1,) * (10**5 + 1)


def test_the_estimated_size_is_about_right():
    form = closed_forms(parse(DELANNOY)).net
    num_lengths, num_digits = form.size(400)
    row = form.row(400)
    assert num_lengths == len(row)
    assert 1 < num_digits / sum(len(str(count)) for count in row) < 1.5


@pytest.mark.parametrize("start", [1, 2, 5])
@pytest.mark.parametrize("name", recform.example_names())
def test_every_example_has_a_closed_form_from_a_later_start(name: str, start: int):
    closed = closed_forms(recform.resolve(name), start)
    assert closed.net.row(start - 1) == (0,)
    assert closed.net.row(9) == analyze(name, 9, start).net


def test_from_a_later_start_the_same_paths_begin_later():
    form = closed_forms(recform.resolve("resnet_s"), 3).net
    assert form.function.to_text() == "z**3/((1 - z)*(1 - t*z))"


def test_a_start_that_stands_in_every_later_equation_has_none():
    # x[1] is -x[0], and so is a term of every equation behind it
    with pytest.raises(NotSteadyError, match="occurs again"):
        closed_forms(parse("x[l+1] = x[l-1] - F(x[l-1]) + -1*x[0]"), 1)


def test_a_start_value_that_calls_a_block_is_absent_before_the_block():
    text = "input y\nx[l+1] = x[l] + F(x[l])\ny[l+1] = y[l]\ninit x[0] = 1/2*F(y[0])"
    assert closed_forms(parse(text)).net.row(0) == analyze(text, 0).net == (0,)
