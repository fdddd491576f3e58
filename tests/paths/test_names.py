"""Blocks of several names, each a variable of its own."""

from __future__ import annotations

from fractions import Fraction

from recform.formula import parse, resolve
from recform.paths import polynomials_by_block
from recform.paths.polynomials import GROSS
from recform.tape import Stages, place, unroll

TRANSFORMER = "block G\ny[l] = x[l] + F(x[l])\nx[l+1] = y[l] + G(y[l])"


def test_a_transformer_layer_is_one_factor_for_each_of_its_blocks() -> None:
    # (1 + F)(1 + G)
    found = polynomials_by_block(unroll(parse(TRANSFORMER), 1))
    assert found.blocks == ("F", "G")
    assert str(found) == "1 + F + G + F*G"


def test_its_layers_multiply() -> None:
    found = polynomials_by_block(unroll(parse(TRANSFORMER), 2))
    assert str(found) == "1 + 2*F + 2*G + F^2 + 4*F*G + G^2 + 2*F^2*G + 2*F*G^2 + F^2*G^2"
    assert found.by_length() == (1, 4, 6, 4, 1)


def test_net_counts_with_sign_and_gross_without() -> None:
    tape = unroll(parse("block G\nx[l+1] = 1/2*F(x[l]) - G(x[l])"), 1)
    assert str(polynomials_by_block(tape)) == "1/2*F - G"
    assert str(polynomials_by_block(tape, algebra=GROSS)) == "1/2*F + G"
    assert polynomials_by_block(tape).counts == {(1, 0): Fraction(1, 2), (0, 1): -1}


def test_names_that_cancel_are_gone() -> None:
    tape = unroll(parse("block G\nx[l+1] = G(F(x[l])) - F(G(x[l]))"), 1)
    assert str(polynomials_by_block(tape)) == "0"
    assert str(polynomials_by_block(tape, algebra=GROSS)) == "2*F*G"


def test_only_blocks_behind_the_start_are_counted() -> None:
    tape = unroll(parse(TRANSFORMER), 3)
    assert str(polynomials_by_block(tape, start=2)) == "1 + F + G + F*G"


def test_a_network_without_blocks_has_a_constant() -> None:
    assert str(polynomials_by_block(unroll(parse("x[l+1] = 2*x[l]"), 3))) == "8"


def test_an_absent_output_has_no_paths() -> None:
    found = polynomials_by_block(unroll(parse("x[l+1] = F(x[l-1])"), 3))
    assert str(found) == "0"
    assert found.by_length() == (0,)


def test_projections_do_not_change_the_polynomial() -> None:
    tape = unroll(resolve("revnet"), 7, Stages((3, 4)))
    assert place(tape) != tape
    assert polynomials_by_block(place(tape)) == polynomials_by_block(tape)
