"""General formulas: the derivation of Liao et al. (2021), section 5.1, and others by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from recform.design import by_derivative
from recform.design.automaton import learned
from recform.design.bounds import bound_of
from recform.design.general import words_at
from recform.design.later import words_by_depth
from recform.design.notation import read
from recform.errors import FormulaError

EQ_10 = "prod(1 + F'[i] for i in l..L-1)"
EQ_12 = "sum(prod(F'[i] for i in L-k..L-1) for k in 0..L-l)"
EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"
EQ_21 = "x[l+1] = x[0] + F(x[l])"


def texts(answer) -> list[str]:
    return [str(candidate.formula) for candidate in answer.candidates]


def test_equation_12_leads_to_equation_20_and_to_21():
    assert texts(by_derivative(EQ_12))[:2] == [EQ_20, EQ_21]


def test_equation_12_holds_from_every_state_for_20_and_only_from_the_first_for_21():
    first, second, *_ = by_derivative(EQ_12).candidates
    assert (first.from_later, second.from_later) == (True, False)


def test_the_one_may_stand_apart():
    apart = by_derivative("1 + sum(prod(F'[i] for i in L-k..L-1) for k in 1..L-l)")
    assert texts(apart) == texts(by_derivative(EQ_12))


def test_equation_10_is_resnet():
    answer = by_derivative(EQ_10)
    assert texts(answer) == ["x[l+1] = x[l] + F(x[l])"]
    assert answer.candidates[0].from_later


def test_equation_6_is_plain():
    assert texts(by_derivative("prod(F'[i] for i in l..L-1)")) == ["x[l+1] = F(x[l])"]


def test_half_of_each_block_is_a_coefficient():
    assert texts(by_derivative("prod(1 + F'[i]/2 for i in l..L-1)")) == [
        "x[l+1] = x[l] + 1/2*F(x[l])"
    ]


def test_paths_through_the_first_blocks_need_a_second_state():
    answer = by_derivative("sum(prod(F'[i] for i in l..l+k-1) for k in 0..L-l)")
    assert texts(answer) == ["input x, y\nx[l+1] = x[l] + F(y[l])\ny[l+1] = F(y[l])"]


@pytest.mark.parametrize(
    "wish",
    [
        EQ_10,
        EQ_12,
        "1 + sum(F'[i] for i in l..L-1)",
        "1 - F'[L-1]",
        "sum(sum(F'[i]*F'[j] for j in l..i-1) for i in l..L-1)",
        "1 + F'[0]",
        "prod(2 + F'[i] if i % 2 == 0 else 1 + F'[i] for i in l..L-1)",
        "prod(1 + F'[i] for i in l..L-1) - prod(F'[i] for i in l..L-1)",
        "2*prod(1 - F'[i] for i in l..L-1 if i < L-2)",
    ],
)
def test_every_candidate_has_the_words(wish):
    answer = by_derivative(wish)
    node = read(wish)
    for candidate in answer.candidates:
        for depth in range(8):
            assert words_by_depth(candidate.formula, depth) == words_at(node, 0, depth)


def test_what_depends_on_the_depth_itself_has_no_recurrence():
    answer = by_derivative("prod(F'[i] for i in l..floor(L/2)-1)")
    assert answer.refused.startswith("no recurrence up to order")
    assert answer.refused.endswith("on 12 rows")


@pytest.mark.parametrize(
    "wish", [EQ_10, EQ_12, "1 + F'[L-1]*F'[L-2]", "sum(F'[i] for i in l+1..L-1)"]
)
def test_where_the_text_bounds_the_states_agreement_is_a_proof(wish):
    assert by_derivative(wish).candidates[0].to_json()["exact"] is True


def test_what_no_bound_is_known_for_is_verified_to_a_depth():
    first = by_derivative("prod(1 + F'[i] for i in l..L-1 if i >= 0)").candidates[0].to_json()
    assert first["verified_depth"] == 11
    assert "exact" not in first


BOUNDED = ["3", "F'[L-1]", "F'[L-3]", "F'[2]", "F'[l+1]", EQ_10, EQ_12,
           "prod(2 - F'[i]/2 for i in l+1..L-2)", "sum(F'[i] for i in l+2..L-2)",
           "sum(1 + F'[i] for i in l..L-1)",
           "sum(prod(1 + F'[i] for i in l..l+k-1) for k in 1..L-1)",
           "sum(prod(F'[i] for i in L-k..L-1) for k in 2..L-l-1)", "F'[L-1]*F'[L-2] - 2",
           "(1 + F'[L-1])*prod(1 + F'[i] for i in l..L-2)"]  # fmt: skip


@pytest.mark.parametrize("wish", BOUNDED)
def test_no_general_formula_needs_more_states_than_its_bound(wish):
    node = read(wish)
    bound = bound_of(node)
    assert bound is not None
    tables = [words_at(node, 0, n) for n in range(12)]
    found = learned(lambda word: tables[len(word)].get(word, Fraction(0)), 11)
    assert found.dimension <= bound


def test_blocks_before_the_start_are_on_no_path():
    assert words_at(read("1 + F'[0] + F'[2]"), 2, 4) == {"ss": 1, "sF": 1}


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("F'[L]", "F'[11] stands behind x[L] for L = 11"),
        ("F'[0]*F'[0]", "a path goes twice through one block"),
        ("F'[k]", "`k` has no meaning here"),
        ("F'[1/2]", "this is not a whole number"),
        ("F'", "`[` is expected before the end"),
        ("binomial(L, 2)*F'[i]", "`i` has no meaning here"),
        ("1/0", "something is divided by zero"),
        ("F'[0]/0", "something is divided by zero"),
    ],
)
def test_what_is_no_derivative_is_told(wish, message):
    with pytest.raises(FormulaError) as error:
        by_derivative(wish)
    assert error.value.diagnostics[0].message == message
    assert error.value.source is not None


def test_a_negative_path_is_refused_without_a_minus():
    answer = by_derivative("1 - F'[L-1]", minus=False)
    assert answer.refused == (
        "proved: the path F with coefficient -1 is asked for, and without a minus no count is "
        "negative"
    )


def test_without_a_minus_equation_12_leads_to_equation_21_alone():
    formulas = texts(by_derivative(EQ_12, minus=False))
    assert formulas[0] == EQ_21
    assert EQ_20 not in formulas
