"""What cancels where activations, norms and projections are letters, and what only without them."""

from __future__ import annotations

import pytest

from recform.errors import UserError
from recform.formula import parse, resolve
from recform.paths import cancels_across, distinct_keeping, words_to_latex, words_to_text
from recform.tape import Stages, Tape, place, unroll


def tape(text: str, depth: int = 1) -> Tape:
    return unroll(parse(text), depth)


ACTIVATIONS = ("act", "norm")


def test_a_relu_between_two_terms_stops_their_cancellation() -> None:
    assert words_to_text(tape("x[l+1] = relu(x[l]) - x[l] + F(x[l])")) == "F'[0]"
    kept = words_to_text(tape("x[l+1] = relu(x[l]) - x[l] + F(x[l])"), kept=ACTIVATIONS)
    assert kept == "-1 + relu' + F'[0]"


def test_the_same_activation_of_the_same_value_cancels_itself() -> None:
    assert words_to_text(tape("x[l+1] = relu(x[l]) - relu(x[l])"), kept=ACTIVATIONS) == "0"


def test_activations_of_sums_in_two_orders_are_one_letter() -> None:
    text = "x[l+1] = relu(x[l] + F(x[l])) - relu(F(x[l]) + x[l])"
    assert words_to_text(tape(text), kept=ACTIVATIONS) == "0"
    assert cancels_across(tape(text)) == ()


def test_constants_inside_an_activation_are_multiplied() -> None:
    text = "z[l] = 1/2*x[l]\nx[l+1] = relu(2*z[l]) - relu(x[l])"
    assert words_to_text(tape(text), kept=ACTIVATIONS) == "0"


def test_two_activations_of_one_value_are_two_letters() -> None:
    text = "x[l+1] = relu(x[l]) - gelu(x[l])"
    assert words_to_text(tape(text), kept=ACTIVATIONS) == "-gelu' + relu'"


def test_one_activation_of_two_values_is_two_letters() -> None:
    text = "x[l+1] = relu(x[l])"
    assert words_to_text(tape(text, 2), kept=ACTIVATIONS) == "relu'(x[1])relu'(x[0])"
    latex = r"\mathit{relu}'(x_{1})\mathit{relu}'(x_{0})"
    assert words_to_latex(tape(text, 2), kept=ACTIVATIONS) == latex


def test_kept_letters_have_length_zero() -> None:
    # relu'(x[1]) (1 + F[1]) relu'(x[0]) (1 + F[0]), as in a ResNet
    assert distinct_keeping(tape("x[l+1] = relu(x[l] + F(x[l]))", 2)) == (1, 2, 1)


def test_an_activation_inside_or_outside_of_a_block_is_told_apart() -> None:
    text = "x[l+1] = relu(F(x[l])) - F[l](relu(x[l]))"
    assert words_to_text(tape(text), kept=ACTIVATIONS) == (
        "-F'[0](relu(x[0]))relu'(x[0]) + relu'(F[0](x[0]))F'[0](x[0])"
    )


def test_of_the_start_itself_no_activation_is_a_letter() -> None:
    assert words_to_text(tape("x[l+1] = relu(x[l])", 2), 1, ACTIVATIONS) == "relu'(x[1])"
    assert distinct_keeping(tape("x[l+1] = relu(x[l])", 2), start=2) == (1,)


def test_resnet_s_with_its_activation_keeps_more_than_one_path_of_a_length() -> None:
    net = unroll(resolve("resnet_s_net"), 3)
    assert distinct_keeping(net, kept=()) == (1, 1, 1, 1)
    # a'[2] a'[1] a'[0] (1 + F[2]) (1 + F[1]) (1 + F[0]), less what x[2] and x[1] take off
    assert distinct_keeping(net) == (1, 5, 5, 1)
    assert cancels_across(net) == ("act",)


CROSSED = {
    "x[l+1] = x[l] + F(x[l]) - F(x[l-1])": (),
    "x[l+1] = act(x[l] + F(x[l])) - F(x[l-1])": ("act",),
    "x[l+1] = relu(x[l]) + F(x[l])": (),
    "x[l+1] = relu(x[l]) - relu(x[l]) + F(x[l])": (),
    "x[l+1] = norm(x[l]) - x[l]": ("norm",),
    "x[l+1] = norm(x[l]) - relu(x[l])": ("act", "norm"),
    # two norms at two points
    "x[l+1] = norm(relu(x[l])) - norm(x[l])": ("act", "norm"),
    # in part: 2 - 1 is a cancellation too, although a path remains
    "x[l+1] = 2*gelu(x[l]) - x[l]": ("act",),
    # of the same sign: nothing cancels
    "x[l+1] = -2*gelu(x[l]) - x[l]": (),
    # two letters of one block never cancel, whatever is between them
    "x[l+1] = F(gelu(x[l])) - F(x[l])": (),
}


@pytest.mark.parametrize("text", CROSSED)
def test_what_a_cancellation_crosses(text: str) -> None:
    assert cancels_across(tape(text, 3)) == CROSSED[text]


def test_two_kinds_may_be_needed_together() -> None:
    # The words relu'norm', relu'norm'(2), gelu'norm'(2), gelu'norm' have 2, -1, 2, -1: without the
    # norms relu' has 1 and gelu' has 1, without the activations each norm' has 1.
    text = """
        x[l+1] = relu(2*norm(x[l]) - 1/2*norm(2*x[l])) + gelu(norm(2*x[l]) - norm(x[l]))
    """
    assert words_to_text(tape(text), kept=("act",)) == "gelu' + relu'"
    assert words_to_text(tape(text), kept=("norm",)) == "norm'[0](2*x[0]) + norm'[0](x[0])"
    assert cancels_across(tape(text)) == ("act", "norm")


def test_a_cancellation_across_a_stage_border_needs_the_projection_to_be_passed_by() -> None:
    staged = place(unroll(resolve("resnet_s"), 4, Stages((2, 2))))
    assert cancels_across(staged) == ("projection",)
    assert cancels_across(place(unroll(resolve("resnet"), 4, Stages((2, 2))))) == ()
    # within a stage all is as before: x[2] = 1 + F[1] + F[1]F[0], and F[1] is taken off at block 2
    assert distinct_keeping(staged, kept=()) == (1, 1, 1, 1, 1)


def test_projections_are_written_with_their_border() -> None:
    staged = place(unroll(resolve("resnet_s"), 2, Stages((1, 1))))
    # the shortcut takes x[1] across the border, a projection F[0](x[0])
    assert words_to_text(staged, kept=("projection",)) == (
        "shortcut'[1] + F'[1] - project'[1]F'[0] + shortcut'[1]F'[0] + F'[1]F'[0]"
    )


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(UserError) as refusal:
        distinct_keeping(tape("x[l+1] = relu(x[l])"), kept=("relu",))
    assert refusal.value.code == "bad-argument"
    assert "relu is no kind of letter to keep" in str(refusal.value)


def test_from_a_later_start_only_what_cancels_behind_it_counts() -> None:
    net = tape("x[l+1] = relu(x[l]) - x[l] + F(x[l]) if l == 0 else x[l] + F(x[l])", 3)
    assert cancels_across(net) == ("act",)
    assert cancels_across(net, start=1) == ()
