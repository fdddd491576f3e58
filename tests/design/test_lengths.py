"""Numbers of paths by length: the named cases, by hand, and every answer against its wish."""

from __future__ import annotations

from fractions import Fraction
from math import comb
from random import Random
from time import process_time

import pytest
from oracles.walk import walk

from recform.design import by_length
from recform.design.counting import value
from recform.design.notation import read
from recform.formula import parse
from recform.paths import analyze

EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def texts(answer) -> list[str]:
    return [str(candidate.formula) for candidate in answer.candidates]


def rows(answer) -> tuple:
    return answer.candidates[0].net


def assert_all_have_counts(answer, count, deepest=6) -> None:
    """Every candidate has count(n, k) paths through k of n blocks, by the analyzer on its own."""
    assert answer.candidates
    for candidate in answer.candidates:
        for n in range(deepest + 1):
            found = analyze(candidate.formula, n).net
            wanted = [count(n, k) for k in range(n + 1)]
            padded = [*found, *[0] * (n + 1 - len(found))]
            assert padded == wanted, f"{candidate.formula} at depth {n}"


# --- the named cases ---------------------------------------------------------------------------


def test_all_ones_has_equation_20_beside_its_simplest_form():
    answer = by_length("1")
    assert texts(answer)[:2] == [EQ_20, "x[l+1] = x[0] + F(x[l])"]
    first, second, *_ = answer.candidates
    assert str(first.simplest) == "x[l+1] = x[0] + F(x[l])"
    assert second.against_first.equal == "from_start"
    assert (first.from_later, second.from_later) == (True, False)


def test_distinct_tells_a_block_applied_anew_from_one_reused():
    [anew] = [c for c in by_length("1", depth=3).candidates if "F[l]" in str(c.formula)]
    assert anew.net[3] == (1, 1, 1, 1)
    assert anew.distinct[3] == (1, 5, 5, 1)


def test_binomials_are_resnet():
    assert texts(by_length("binomial(n, k)")) == ["x[l+1] = x[l] + F(x[l])"]


@pytest.mark.parametrize(
    "wish",
    [
        "1/(1 - z - t*z - t*z^2)",
        "1; 1,1; 1,3,1; 1,5,5,1",
        "sum(binomial(k, j)*binomial(n - j, k) for j in 0..k)",
    ],
)
def test_delannoy_is_read_in_three_ways(wish):
    assert texts(by_length(wish))[0] == "x[l+1] = x[l] + F(x[l]) + F(x[l-1])"


NAMED = {
    "1": lambda n, k: 1,
    "binomial(n,k)": comb,
    "k+1": lambda n, k: k + 1,
    "1 if k % 2 == 0 else 0": lambda n, k: int(k % 2 == 0),
    "1 if k == 2 else 0": lambda n, k: int(k == 2),
    "binomial(n, 2) if k == 2 else 0": lambda n, k: comb(n, 2) * (k == 2),
    "1 if 2*k >= n else 0": lambda n, k: int(2 * k >= n),
    "1 if n/2 <= k <= n else 0": lambda n, k: int(2 * k >= n),
    "binomial(n-k, k)": lambda n, k: comb(n - k, k),
    "2^k": lambda n, k: 2**k,
    "(-1)^k*binomial(n, k)": lambda n, k: (-1) ** k * comb(n, k),
    "1/2 if k == n else 0": lambda n, k: Fraction(1, 2) * (k == n),
    "n - k": lambda n, k: n - k,
    "1 if k == 0 or k == n else 0": lambda n, k: int(k in (0, n)),
    "1 if not k == 1 and n != 2 else 0": lambda n, k: int(k != 1 and n != 2),
}


@pytest.mark.parametrize("wish", NAMED)
def test_every_candidate_has_the_counts(wish):
    assert_all_have_counts(by_length(wish), NAMED[wish])


def test_lengths_from_half_to_all_blocks_have_the_known_generating_function():
    answer = by_length("1 if k >= n/2 else 0")
    assert answer.wanted.endswith("G(z, t) = 1/((1 - t*z)*(1 - t*z**2))")
    assert answer.least_calls == 2


def test_binomials_of_the_distance_have_fibonacci_totals():
    answer = by_length("binomial(n-k, k)")
    assert [sum(row) for row in rows(answer)] == [1, 1, 2, 3, 5, 8, 13, 21, 34]
    assert texts(answer)[0] == "x[l+1] = x[l] + F(x[l-1])"


def test_fibonacci_numbers_can_be_asked_for():
    answer = by_length("fibonacci(n + 1) if k == n else 0")
    assert [row[-1] for row in rows(answer)] == [1, 1, 2, 3, 5, 8, 13, 21, 34]


def test_start_values_make_up_for_what_stands_above():
    formulas = texts(by_length("binomial(n + k, 2*k)"))
    assert "x[l+1] = 2*x[l] + F(x[l]) - x[l-1]\ninit x[-1] = x[0]" in formulas


def test_two_blocks_in_a_step_are_nested():
    answer = by_length("1/(1 - z - t*z - t^2*z)")
    assert texts(answer) == ["x[l+1] = x[l] + F(x[l]) + F(F(x[l]))"]
    assert answer.candidates[0].at_borders == "plain"


def test_what_crosses_the_borders_of_stages_comes_first():
    answer = by_length("1/(1 - z - z^2*t^2)")
    assert texts(answer) == [
        "x[l+1] = x[l] + F(y[l])\ny[l+1] = F(x[l])\ninit y[0] = absent",
        "x[l+1] = x[l] + F(F(x[l-1]))",
    ]
    assert [c.at_borders for c in answer.candidates] == ["crossed", "refused"]
    assert answer.candidates[1].cost < answer.candidates[0].cost


# --- what the limits leave ---------------------------------------------------------------------


def test_the_first_is_the_cheapest_that_crosses_borders():
    ranks = [(c.at_borders != "crossed", c.cost) for c in by_length("k + 1").candidates]
    assert ranks == sorted(ranks)
    assert len(ranks) > 2


def test_no_candidate_has_more_calls_than_asked_for():
    everything = by_length("1")
    few = by_length("1", calls=1)
    assert max(c.cost.calls for c in everything.candidates) == 2
    assert max(c.cost.calls for c in few.candidates) == 1


def test_fewer_calls_than_the_degree_are_refused_with_proof():
    answer = by_length("k + 1", calls=1)
    assert answer.refused == (
        "proved: the rank. With r calls a step G(z, t) has degree r in t at most, above and below; "
        "it has degree 2"
    )
    assert answer.instead[0] == "2 calls a step"


def test_without_a_minus_there_is_no_negative_count():
    answer = by_length("(-1)^k", minus=False)
    assert answer.refused == (
        "proved: -1 paths through 1 of 1 blocks are asked for, and without a minus no count is "
        "negative"
    )


def test_without_a_minus_equation_21_is_left_of_the_paper():
    formulas = texts(by_length("1", minus=False))
    assert EQ_20 not in formulas
    assert formulas[0] == "x[l+1] = x[0] + F(x[l])"


# --- exactness ---------------------------------------------------------------------------------


def random_wish(random: Random, size: int) -> str:
    """An expression of the grammar that is summed exactly."""
    if size <= 1:
        leaf = ("n", "k", "1", "2", "binomial(n, k)", "(-1)^k", "2^(n-k)", "k % 2", "floor(n/2)",
                "(1/2)^k", "fibonacci(k)")  # fmt: skip
        return random.choice(leaf)
    left = random_wish(random, size // 2)
    match random.randrange(4):
        case 0:
            return f"({left} + {random_wish(random, size // 2)})"
        case 1:
            return f"({left} - {random_wish(random, size // 2)})"
        case 2:
            return f"{random.choice('nk23')}*{left}"
    condition = random.choice(("k <= 1", "2*k >= n", "k % 2 == 1", "n > 2", "k == n - 1",
                               "3*k < n + 1", "(n + k) % 3 == 0", "1 < k < n"))  # fmt: skip
    return f"({left} if {condition} else {random_wish(random, size // 2)})"


@pytest.mark.parametrize("seed", range(150))
def test_an_exact_fraction_has_the_rows_of_its_expression_far_beyond_those_it_is_made_of(seed):
    from recform.design.lines import OutsideError
    from recform.design.poles import exact_fraction
    from recform.design.series import PathSeries

    node = read(random_wish(Random(seed), Random(seed).choice((1, 2, 2, 4))))
    try:
        series = PathSeries.of(*exact_fraction(node))
    except OutsideError:
        return
    for n, row in list(enumerate(series.rows(100)))[::9]:
        wanted = [value(node, {"n": n, "k": k}) for k in range(n + 1)]
        assert [Fraction(int(row[k].numer()), int(row[k].denom())) for k in range(n + 1)] == wanted
        assert row.degree() <= n


def test_what_is_exact_says_so_and_a_table_does_not():
    assert by_length("1").candidates[0].to_json()["exact"] is True
    table = by_length("1; 1,1; 1,2,1").candidates[0].to_json()
    assert "exact" not in table
    assert table["verified_depth"] == 2


def test_counts_are_those_of_an_oracle_that_walks_every_path():
    for candidate in by_length("k + 1").candidates:
        for depth in range(5):
            walked = [int(count) for count in walk(candidate.formula, depth).net]
            assert walked == [k + 1 for k in range(depth + 1)]


def test_an_answer_reads_back_as_the_formula():
    for candidate in by_length("n*binomial(n, k)").candidates:
        assert parse(str(candidate.formula)) == candidate.formula


def test_json_has_candidates_and_refused():
    answer = by_length("1", depth=2).to_json()
    assert set(answer) >= {"candidates", "refused"}
    assert answer["refused"] is None
    first = answer["candidates"][0]
    assert first["formula"] == EQ_20
    assert first["cost"] == {"parameters": 1, "states_kept": 2, "calls": 1, "equations": 1}
    assert first["net"] == [[1], [1, 1], [1, 1, 1]]


def test_rationals_in_json_are_strings():
    assert by_length("1/2^k", depth=1).to_json()["candidates"][0]["net"] == [[1], [1, "1/2"]]


def test_no_formula_is_told_twice_with_its_terms_in_another_order():
    told = [str(candidate.formula) for candidate in by_length("n - k + 1").candidates]
    assert "x[l+1] = x[0] + x[l] + F(x[l]) - F(x[l-1])" in told
    assert "x[l+1] = x[l] + x[0] + F(x[l]) - F(x[l-1])" not in told


def test_wishes_of_high_order_take_seconds():
    began = process_time()
    answer = by_length("k^4*(n - k)^4")
    assert process_time() - began < 8
    assert_all_have_counts(answer, lambda n, k: k**4 * (n - k) ** 4, deepest=5)
