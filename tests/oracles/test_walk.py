"""The oracle itself, on what a person can multiply out."""

from __future__ import annotations

from fractions import Fraction

from oracles.walk import Walk, walk
from recform.formula import parse


def words(text: str, depth: int, start: int = 0) -> dict[str, Fraction]:
    """Each word as F2F0, with its coefficient; calls of one block on two values look alike."""
    return {
        "".join(f"{call.operation[1]}{call.operation[2]}" for call in word): coefficient
        for word, coefficient in found(text, depth, start).words.items()
    }


def found(text: str, depth: int, start: int = 0) -> Walk:
    return walk(parse(text), depth, start)


def test_resnet_has_every_subset_of_its_blocks() -> None:
    assert words("x[l+1] = x[l] + F(x[l])", 2) == {"": 1, "F0": 1, "F1": 1, "F1F0": 1}


def test_eq_20_keeps_one_word_of_each_length() -> None:
    formula = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"
    assert words(formula, 3) == {"": 1, "F2": 1, "F2F1": 1, "F2F1F0": 1}


def test_two_blocks_at_two_points_do_not_cancel() -> None:
    found_words = found("x[l+1] = x[l] + F(x[l]) - F[l](x[l-1])", 2)
    assert found_words.net == [1, 1, 1]
    assert found_words.distinct == [1, 3, 1]


def test_sums_of_the_same_terms_are_one_argument() -> None:
    formula = """
        x[l+1] = x[l] + F(x[l] + (y[l] - x[0])) - F(-x[0] + y[l] + x[l])
        y[l+1] = F(y[l])
        input x, y
    """
    assert words(formula, 3) == {"": 1}


def test_doubled_halves_are_one_argument_with_the_whole() -> None:
    formula = "x[l+1] = F(x[l]) - F(2*y[l]) + y[l]\ny[l+1] = 1/2*x[l+1]\ninit y[0] = 1/2*x[0]"
    assert words(formula, 2) == {"": Fraction(1, 4)}


def test_constants_are_exact() -> None:
    assert words("x[l+1] = x[l]/3 + 0.1*F(x[l])", 1) == {"": Fraction(1, 3), "F0": Fraction(1, 10)}


def test_an_absent_term_is_dropped_from_a_mean() -> None:
    formula = "x[l+1] = mean(x[l-k] for k in 0..1)"
    assert words(formula, 1) == {"": 1}
    assert words(formula, 2) == {"": 1}
    assert words("x[l+1] = mean(x[l], F(x[l-1]))", 2) == {"": Fraction(1, 2), "F0": Fraction(1, 2)}


def test_from_a_later_start_older_states_are_constant() -> None:
    assert words("x[l+1] = x[l] + F(x[l-1])", 4, start=2) == {"": 1, "F2": 1}


def test_every_value_that_is_the_same_follows_from_the_start() -> None:
    # x[1] = x[0], since F(x[-1]) is absent
    assert words("x[l+1] = x[l] + F(x[l-1])", 3, start=1) == {"": 1, "F0": 1, "F1": 1}
