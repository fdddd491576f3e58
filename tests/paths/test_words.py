"""Words as the paper prints them, and the words of parameter gradients."""

from __future__ import annotations

import pytest

from recform.formula import parse, resolve
from recform.paths import (
    gradient_words_to_latex,
    gradient_words_to_text,
    parameter_gradients,
    words,
    words_to_latex,
    words_to_text,
)
from recform.paths.words import TooManyWordsError, gradient_words
from recform.tape import unroll

RESNET_S = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def test_resnet_s_expands_as_in_the_paper() -> None:
    # Liao et al. 2021, eq. (12)
    tape = unroll(parse(RESNET_S), 3)
    assert words_to_text(tape) == "1 + F'[2] + F'[2]F'[1] + F'[2]F'[1]F'[0]"
    assert words_to_latex(tape) == "1 + F'_{2} + F'_{2}F'_{1} + F'_{2}F'_{1}F'_{0}"


def test_a_block_that_is_applied_twice_is_written_with_its_arguments() -> None:
    tape = unroll(parse("x[l+1] = x[l] + F[0](x[l])"), 2)
    assert words_to_text(tape) == "1 + F'[0](x[1]) + F'[0](x[0]) + F'[0](x[1])F'[0](x[0])"
    latex = "1 + F'_{0}(x_{1}) + F'_{0}(x_{0}) + F'_{0}(x_{1})F'_{0}(x_{0})"
    assert words_to_latex(tape) == latex


def test_coefficients_are_written_before_their_words() -> None:
    tape = unroll(parse("x[l+1] = 2*x[l] - 1/2*F(x[l])"), 1)
    assert words_to_text(tape) == "2 - 1/2 F'[0]"


def test_long_names_are_words_in_latex_too() -> None:
    tape = unroll(parse("block Mlp\nx[l+1] = Mlp(x[l])"), 1)
    assert words_to_latex(tape) == r"\mathit{Mlp}'_{0}"


def test_one_word_trains_each_block_of_a_resnet_s() -> None:
    tape = unroll(parse(RESNET_S), 3)
    assert gradient_words_to_text(tape) == {"F[0]": "F'[2]F'[1]", "F[1]": "F'[2]", "F[2]": "1"}
    assert gradient_words_to_latex(tape)["F[0]"] == "F'_{2}F'_{1}"


def test_the_applications_of_a_shared_block_are_told_apart() -> None:
    tape = unroll(parse("x[l+1] = F[0](x[l])"), 2)
    assert gradient_words_to_text(tape) == {"F[0]": "dF[0](x[1]) + F'[0](x[1])dF[0](x[0])"}
    assert gradient_words_to_latex(tape) == {
        "F[0]": r"\delta F_{0}(x_{1}) + F'_{0}(x_{1})\delta F_{0}(x_{0})"
    }


def test_applications_at_two_points_do_not_cancel_as_words() -> None:
    tape = unroll(parse("x[l+1] = x[l] + F[0](x[l]) - F[0](2*x[l])"), 1)
    assert gradient_words_to_text(tape) == {"F[0]": "-dF[0](2*x[0]) + dF[0](x[0])"}
    assert parameter_gradients(tape) == {"F[0]": (0,)}


def test_what_reaches_no_output_is_zero() -> None:
    tape = unroll(parse("x[l+1] = x[l] + F(x[l]) - F(x[l])"), 1)
    assert gradient_words_to_text(tape) == {"F[0]": "0"}


def test_activations_of_a_gradient_are_letters_where_they_are_kept() -> None:
    tape = unroll(resolve("resnet"), 2)
    kept = gradient_words_to_text(tape, ("act",))
    assert kept == {"F[0]": "act'[1]act'[0] + act'[1]F'[1]act'[0]", "F[1]": "act'[1]"}


def test_an_absent_output_has_no_words() -> None:
    tape = unroll(parse("x[l+1] = F(x[l-1])"), 3)
    assert (words(tape), words_to_text(tape), gradient_words(tape)) == ({}, "0", {})


def test_an_expansion_that_is_too_long_is_refused() -> None:
    tape = unroll(parse("x[l+1] = x[l] + F(x[l])"), 20)
    with pytest.raises(TooManyWordsError):
        words(tape)
    with pytest.raises(TooManyWordsError):
        gradient_words(tape)
