"""What follows from x[l0] when paths are counted from there, and what does not."""

from __future__ import annotations

import pytest

from recform import analyze
from recform.errors import UserError


@pytest.mark.parametrize("start", range(4))
def test_each_step_of_a_doubling_doubles(start: int) -> None:
    assert analyze("x[l+1] = 2*x[l]", 3, start).net == (2 ** (3 - start),)


def test_a_network_is_its_own_start_at_the_end() -> None:
    assert analyze("x[l+1] = x[l] + F(x[l])", 3, start=3).net == (1,)


def test_older_states_are_constant() -> None:
    # x[3] = x[2] + F(x[1]), and x[1] does not follow from x[2]
    assert analyze("x[l+1] = x[l] + F(x[l-1])", 3, start=2).net == (1,)


def test_auxiliary_quantities_follow() -> None:
    formula = "z[l] = F(x[l])\nx[l+1] = x[l] + z[l] + z[l-1]"
    assert analyze(formula, 2, start=1).net == (1, 1)


def test_a_start_value_is_the_value_that_it_was_given() -> None:
    # x[1] = y[0] = x[0], under another name; so x[2] = F(x[1]) + x[0] follows twice
    formula = "x[l+1] = y[l] if l == 0 else F(x[l]) + x[0]\ny[l+1] = y[l]\ninit y[0] = x[0]"
    assert analyze(formula, 2, start=1).net == (1, 1)


def test_a_state_is_found_under_the_name_that_the_output_needs() -> None:
    # x[1] = -x[-1] = -x[0] is not needed for x[2] = -x[0], and is the same value
    assert analyze("x[l+1] = -x[l-1]\ninit x[-1] = x[0]", 2, start=1).net == (1,)


def test_constants_of_a_letter_are_multiplied_through_names() -> None:
    # y[l] = 1/2*x[l] by its start value, so F(2*y[0]) is F(x[0]) and cancels
    formula = """
        x[l+1] = x[l] + F(x[l]) - F(2*y[l]) + y[l]
        y[l+1] = y[l]
        init y[0] = 1/2*x[0]
    """
    assert list(analyze(formula, 1).distinct) == [1]
    assert list(analyze(formula, 1).gross) != list(analyze(formula, 1).net)


def test_an_absent_main_state_has_no_paths() -> None:
    formula = "x[l+1] = x[l] if l < 2 else y[l]\ny[l+1] = F(y[l])\ninput y"
    assert analyze(formula, 3, start=0).net == (0, 0, 1)
    assert analyze(formula, 3, start=2).net == (0,)


def test_nothing_follows_from_what_the_output_does_not_read() -> None:
    assert analyze("x[l+1] = F(x[l])\noutput x[0]", 3, start=2).net == (0,)


def test_a_block_on_an_empty_history_is_absent() -> None:
    # x[1] = x[0], x[2] = x[1] + F(x[0]), x[3] = x[2] + F(x[0] + x[1])
    assert analyze("x[l+1] = x[l] + F(sum(x[i] for i in 0..l-1))", 3).net == (1, 3)


def test_an_absent_output_has_no_paths() -> None:
    counts = analyze("x[l+1] = F(x[l-1])", 3)
    assert (counts.net, counts.gross, counts.distinct) == ((0,), (0,), (0,))


def test_a_start_behind_the_end_is_refused() -> None:
    with pytest.raises(UserError) as refusal:
        analyze("x[l+1] = F(x[l])", 3, start=4)
    assert refusal.value.code == "bad-argument"


def test_a_start_that_is_the_constant_zero_is_refused() -> None:
    text = "x[l+1] = 0 if l == 0 else x[l] + F(x[l])"
    with pytest.raises(UserError, match=r"x\[1\] is the constant 0"):
        _ = analyze(text, depth=3, start=1).net


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 1.5}, {"depth": "4"}, {"depth": True}, {"stages": [2.0, 2]}, {"stages": [0]},
        {"stages": []}, {"depth": 2, "widths": [1, -3]}, {"depth": 2, "widths": [1.5, 2]},
    ],
)  # fmt: skip
def test_arguments_that_are_no_whole_numbers_are_refused(wrong: dict) -> None:
    with pytest.raises(UserError) as caught:
        analyze("resnet", **wrong)
    assert caught.value.code == "bad-argument"
