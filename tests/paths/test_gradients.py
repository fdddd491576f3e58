"""What reaches a block's parameters."""

from __future__ import annotations

import pytest

from recform import example_names
from recform.formula import parse, resolve
from recform.paths import gradient_words, parameter_gradients
from recform.paths.gradients import num_gradient_words
from recform.tape import Stages, place, unroll


def test_one_path_trains_each_block_of_a_resnet_s_and_it_is_the_longest() -> None:
    gradients = parameter_gradients(unroll(resolve("resnet_s"), 64))
    for block in range(64):
        assert gradients[f"F[{block}]"] == (0,) * (63 - block) + (1,)


def test_every_subset_of_later_blocks_trains_a_block_of_a_resnet() -> None:
    assert parameter_gradients(unroll(parse("x[l+1] = x[l] + F(x[l])"), 4)) == {
        "F[0]": (1, 3, 3, 1),
        "F[1]": (1, 2, 1),
        "F[2]": (1, 1),
        "F[3]": (1,),
    }


def test_blocks_are_in_the_order_of_their_numbers() -> None:
    gradients = parameter_gradients(unroll(parse("x[l+1] = F(x[l])"), 12))
    assert list(gradients) == [f"F[{block}]" for block in range(12)]


def test_each_application_of_a_shared_block_is_perturbed_once() -> None:
    # x[2] = F[0](F[0](x[0])): the outer application reaches the output, the inner one through it
    assert parameter_gradients(unroll(parse("x[l+1] = F[0](x[l])"), 2)) == {"F[0]": (1, 1)}


def test_applications_at_two_points_may_cancel() -> None:
    # a constant added to F[0] leaves F[0](x[0]) - F[0](2*x[0]) as it is
    tape = unroll(parse("x[l+1] = x[l] + F[0](x[l]) - F[0](2*x[l])"), 1)
    assert parameter_gradients(tape) == {"F[0]": (0,)}


def test_coefficients_are_exact() -> None:
    gradients = parameter_gradients(unroll(resolve("momentum"), 2))
    assert {name: [str(count) for count in row] for name, row in gradients.items()} == {
        "F[0]": ["19/100", "1/100"],
        "F[1]": ["1/10"],
    }


def test_an_absent_output_trains_nothing() -> None:
    assert parameter_gradients(unroll(parse("x[l+1] = F(x[l-1])"), 3)) == {}


@pytest.mark.parametrize("name", ["resnet_s", "delannoy", "dense_sum", "leapfrog", "injection"])
def test_projections_do_not_change_what_trains_a_block(name: str) -> None:
    tape = unroll(resolve(name), 9, Stages((2, 4, 3), widens=True))
    assert place(tape) != tape
    assert parameter_gradients(place(tape)) == parameter_gradients(tape)


@pytest.mark.parametrize(
    "text",
    [
        *example_names(),
        "x[l+1] = x[l] + F[l](x[l]) - F[l](x[l-1])",
        "x[l+1] = x[l] + F[0](x[l]) - 1/2*F(x[l-1])",
        "block G\nx[l+1] = x[l] + G(F(x[l])) - F(x[l-1]) - G(x[l])",
        "x[l+1] = x[l] + F(x[l]) - z[l]\nz[l] = F(x[l])",
    ],
)
def test_words_are_counted_as_they_are_written_down(text: str) -> None:
    tape = unroll(resolve(text), 5)
    written = {block: len(words) for block, words in gradient_words(tape).items()}
    assert num_gradient_words(tape) == written
