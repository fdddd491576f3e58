"""Mean and least width of the blocks on the paths."""

from __future__ import annotations

from fractions import Fraction

import pytest

from recform.errors import UserError
from recform.formula import parse, resolve
from recform.paths import widths_by_length
from recform.tape import Stages, place, unroll

RESNET = "x[l+1] = x[l] + F(x[l])"


def test_paths_of_a_resnet_s_lead_through_the_widest_blocks() -> None:
    # 1, F[2], F[2]F[1], F[2]F[1]F[0]
    found = widths_by_length(unroll(resolve("resnet_s"), 3), (64, 128, 512))
    assert found.mean == (None, 512, 320, Fraction(704, 3))
    assert found.least == (None, 512, 128, 64)


def test_paths_of_a_resnet_lead_through_all_blocks_alike() -> None:
    found = widths_by_length(unroll(parse(RESNET), 3), (64, 128, 512))
    assert found.mean == (None, *[Fraction(704, 3)] * 3)
    assert found.least == (None, 64, 64, 64)


def test_a_path_counts_once_whatever_its_coefficient() -> None:
    found = widths_by_length(unroll(parse("x[l+1] = 5*x[l] - 1/3*F(x[l])"), 2), (1, 2))
    assert found.mean == (None, Fraction(3, 2), Fraction(3, 2))


def test_a_block_counts_as_often_as_it_is_on_the_paths() -> None:
    # of length 2: F[0]F[0] and F[1]F[0], with widths 1, 1, 4, 1
    tape = unroll(parse("x[l+1] = F[0](x[l]) if l == 0 else F[0](x[l]) + F[1](x[l])"), 2)
    found = widths_by_length(tape, (1, 4))
    assert found.mean == (None, None, Fraction(7, 4))


def test_blocks_of_two_names_share_the_width_of_their_index() -> None:
    tape = unroll(parse("block G\nx[l+1] = x[l] + F(x[l]) + G(F(x[l]))"), 2)
    assert widths_by_length(tape, (8, 16)).least == (None, 8, 8, 8, 8)


def test_widths_may_be_fractions() -> None:
    half, third = Fraction(1, 2), Fraction(1, 3)
    found = widths_by_length(unroll(parse(RESNET), 2), (half, third))
    assert found.mean == (None, Fraction(5, 12), Fraction(5, 12))
    assert found.least == (None, third, third)


def test_a_length_without_a_path_has_no_width() -> None:
    found = widths_by_length(unroll(parse("x[l+1] = F(x[l])"), 2), (3, 5))
    assert found.mean == (None, None, 4)
    assert found.least == (None, None, 3)


def test_from_a_later_start_only_the_blocks_behind_it_count() -> None:
    found = widths_by_length(unroll(parse(RESNET), 3), (64, 128, 512), start=1)
    assert found.mean == (None, 320, 320)
    assert found.least == (None, 128, 128)


def test_a_start_that_is_a_block_s_output_does_not_count() -> None:
    found = widths_by_length(unroll(parse("x[l+1] = F(x[l])"), 3), (3, 5, 7), start=1)
    assert (found.mean, found.least) == ((None, None, 6), (None, None, 5))


def test_an_output_that_does_not_depend_on_the_input_has_none() -> None:
    found = widths_by_length(unroll(parse("x[l+1] = F(x[l-1])"), 3), (1, 2, 3))
    assert (found.mean, found.least) == ((), ())


def test_projections_do_not_change_the_widths() -> None:
    tape, widths = unroll(resolve("delannoy"), 7, Stages((3, 4))), (1, 2, 3, 10, 20, 30, 40)
    assert place(tape) != tape
    assert widths_by_length(place(tape), widths) == widths_by_length(tape, widths)


def test_there_is_a_width_for_each_block() -> None:
    with pytest.raises(UserError) as refusal:
        widths_by_length(unroll(parse(RESNET), 3), (64, 64))
    assert refusal.value.code == "bad-argument"
    assert "there are 2 widths for 3 blocks" in str(refusal.value)
