"""Products, coefficients and functions by hand: what counts, and what cancels."""

from __future__ import annotations

import pytest

from recform.errors import UserError
from recform.formula import parse
from recform.paths import analyze, equal, through_block, words, words_to_text
from recform.paths.closed import closed_forms
from recform.tape import unroll

HIGHWAY = "block T\nx[l+1] = T(x[l]) * F(x[l]) + (1 - T(x[l])) * x[l]"


def test_the_two_ways_through_a_gate_cancel_in_net_and_not_in_distinct():
    analysis = analyze(HIGHWAY, 1)
    # T*F' + F*T' - x*T' + (1 - T): with frozen factors 1 the two through T' cancel
    assert (analysis.net, analysis.gross, analysis.distinct) == ((1, 1), (1, 3), (1, 2))


def test_words_name_the_factors_that_stand_still():
    tape = unroll(parse(HIGHWAY), 1)
    assert words_to_text(tape) == "[1-T[0]] - [x[0]]T'[0] + [T[0]]F'[0] + [F[0]]T'[0]"


def test_learned_coefficients_count_as_one():
    plain, rezero = (
        analyze("x[l+1] = x[l] + F(x[l])", 5),
        analyze("param a[l] = 0\nx[l+1] = x[l] + a[l]*F(x[l])", 5),
    )
    assert rezero.net == plain.net
    assert rezero.closed is not None


def test_a_product_in_another_order_is_the_same():
    text = "x[l+1] = x[l] + x[l]*F(x[l])*x[0] - x[0]*(F(x[l])*x[l])"
    assert analyze(text, 3).distinct == (1,)


def test_products_of_different_factors_do_not_cancel():
    text = "param a[l] = 1\nparam b[l] = 1\nx[l+1] = x[l] + a[l]*F(x[l]) - b[l]*F(x[l])"
    analysis = analyze(text, 2)
    assert analysis.net == (1,)
    assert analysis.distinct == (1, 2, 1)


def test_nothing_passes_stopgrad():
    assert analyze("x[l+1] = x[l] + F(stopgrad(x[l]))", 3).gross == (1,)
    gradients = analyze("x[l+1] = x[l] + stopgrad(F(x[l]))", 2).parameter_gradients
    assert gradients == {"F[0]": (0,), "F[1]": (0,)}


def test_each_argument_of_a_function_is_a_letter():
    text = "x[l+1] = cat(x[l], x[l]) - cat(x[l], F(x[l]))"
    assert analyze(text, 1).net == (1, -1)
    assert analyze(text, 1).distinct == (3, 1)


def test_a_linear_map_with_weights_does_not_cancel():
    assert analyze("x[l+1] = linear(x[l]) - x[l] + F(x[l])", 1).distinct == (2, 1)


def test_the_same_function_of_the_same_value_is_one_value():
    assert analyze("x[l+1] = linear(x[l]) - linear(x[l]) + F(x[l])", 2).distinct == (0, 0, 1)


def test_paths_of_skipresnet_past_all_blocks_are_the_compositions_into_powers_of_two():
    # A023359
    counts = [analyze("skip_resnet_sum", depth).net[0] for depth in range(9)]
    assert counts == [1, 1, 2, 3, 6, 10, 18, 31, 56]


def test_the_four_entries_of_revnet_are_every_other_fibonacci_number():
    # A001519
    totals = [sum(analyze("revnet_split", depth).net) for depth in range(1, 6)]
    assert totals == [5, 13, 34, 89, 233]


def test_closed_forms_of_gates_agree_with_the_tape():
    text = "param a[l] = 0\nx[l+1] = (1 - a[l])*x[l] + a[l]*x[l-1] + F(x[l])*x[l]"
    closed = closed_forms(parse(text))
    for depth in range(2, 8):
        assert closed.net.row(depth) == analyze(text, depth).net


def test_formulas_with_products_differ_where_their_paths_do():
    assert equal(HIGHWAY, "x[l+1] = x[l] + F(x[l])").equal == "no"
    assert equal(HIGHWAY, HIGHWAY).equal == "always"


def test_counts_may_have_roots():
    analysis = analyze("x[l+1] = (x[l] + F(x[l]))/sqrt(2)", 3)
    assert [str(count) for count in analysis.net] == [
        "sqrt(2)/4", "3*sqrt(2)/4", "3*sqrt(2)/4", "sqrt(2)/4",
    ]  # fmt: skip
    assert analysis.distinct == (1, 3, 3, 1)


def test_roots_that_cancel_are_gone():
    text = "x[l+1] = x[l] + sqrt(8)*F(x[l]) - 2*sqrt(2)*F(x[l])"
    assert analyze(text, 2).distinct == (1,)


def test_what_is_not_counted_with_roots_says_so():
    tape = unroll(parse("x[l+1] = sqrt(2)*F(x[l])"), 2)
    with pytest.raises(UserError) as refusal:
        through_block(tape)
    assert refusal.value.code == "irrational"


def test_a_start_in_the_middle_is_an_input_of_its_own():
    assert analyze(HIGHWAY, 3, start=2).distinct == (1, 2)
    assert words(unroll(parse(HIGHWAY), 2), 2)


def test_a_later_start_of_streams_is_all_of_them():
    text = "stream h[2] = input\nh[l+1] = h[l] + F(sum(h[l]))\noutput sum(h[L])"
    # from h[1]: each of two streams once past the block, and each to both through it
    assert analyze(text, 2, start=1).net == (2, 4)
