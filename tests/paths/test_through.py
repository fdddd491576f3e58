"""Paths through a block, on networks where one can count them on one's fingers."""

from __future__ import annotations

import pytest

from recform import analyze
from recform.formula import parse, resolve
from recform.paths import through_block
from recform.paths.polynomials import NET
from recform.tape import Stages, place, unroll

RESNET_S = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"


def test_half_of_the_paths_of_a_resnet_go_through_any_one_block() -> None:
    through = through_block(unroll(parse("x[l+1] = x[l] + F(x[l])"), 4))
    assert list(through) == ["F[0]", "F[1]", "F[2]", "F[3]"]
    assert set(through.values()) == {(0, 1, 3, 3, 1)}


def test_every_path_of_a_plain_network_goes_through_every_block() -> None:
    assert through_block(unroll(parse("x[l+1] = F(x[l])"), 2)) == {
        "F[0]": (0, 0, 1),
        "F[1]": (0, 0, 1),
    }


def test_gross_counts_the_wires_and_net_what_is_left() -> None:
    # 1 + F[1] + F[1]F[0], and F[0] twice as drawn: into x[1], and taken off again from x[2]
    tape = unroll(parse(RESNET_S), 2)
    assert through_block(tape) == {"F[0]": (0, 2, 1), "F[1]": (0, 1, 1)}
    assert through_block(tape, algebra=NET) == {"F[0]": (0, 0, 1), "F[1]": (0, 1, 1)}


def test_a_path_that_passes_a_block_twice_counts_twice() -> None:
    # (1 + F[0])^2
    tape = unroll(parse("x[l+1] = x[l] + F[0](x[l])"), 2)
    assert through_block(tape) == {"F[0]": (0, 2, 2)}


def test_blocks_of_several_names_are_told_apart() -> None:
    tape = unroll(parse("block G\nx[l+1] = x[l] + F(x[l]) + G(F(x[l]))"), 1)
    assert through_block(tape) == {"F[0]": (0, 1, 1), "G[0]": (0, 0, 1)}


def test_from_a_later_start_the_blocks_before_it_carry_nothing() -> None:
    tape = unroll(parse("x[l+1] = x[l] + F(x[l])"), 3)
    assert through_block(tape, start=2) == {"F[0]": (0,), "F[1]": (0,), "F[2]": (0, 1)}


def test_an_absent_output_has_no_blocks() -> None:
    assert through_block(unroll(parse("x[l+1] = F(x[l-1])"), 3)) == {}


def test_an_output_that_does_not_depend_on_the_start_has_no_paths() -> None:
    tape = unroll(parse("x[l+1] = F(x[l])\noutput x[1]"), 3)
    assert through_block(tape, start=2) == {"F[0]": (0,)}


@pytest.mark.parametrize("name", ["resnet_s", "delannoy", "dense_sum", "leapfrog", "injection"])
def test_projections_do_not_change_what_goes_through_a_block(name: str) -> None:
    tape = unroll(resolve(name), 9, Stages((2, 4, 3), widens=True))
    assert place(tape) != tape
    assert through_block(place(tape)) == through_block(tape)


def test_a_border_that_runs_the_backbones_own_formula_counts_as_it_runs() -> None:
    # block 1 cannot be crossed by F(F(x[l])): x[2] = x[1] + F[1](x[1])
    formula = parse("x[l+1] = x[l] + F(F(x[l]))")
    tape = unroll(formula, 2, Stages((1, 1)))
    assert tape.plain_borders == (1,)
    assert through_block(tape) == {"F[0]": (0, 0, 2, 2), "F[1]": (0, 1, 0, 1)}
    assert analyze(formula, stages=(1, 1)).gross == (1, 1, 1, 1)
