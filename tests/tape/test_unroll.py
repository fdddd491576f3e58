"""A formula written out: block indices, absent terms, starts, cases and ranges, by listing.

Each listing can be checked by hand. `tape` unrolls a step of x, beside whatever else is given.
"""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recform.errors import FormulaError
from recform.formula import example_names, parse, resolve
from recform.tape import Add, Call, Map, Scale, Start, Tape, last_uses, operands, unroll
from tests.laws.formulas import formulas


def tape(text: str, depth: int = 3) -> Tape:
    return unroll(parse(text), depth)


def calls(of: Tape) -> list[str]:
    """Blocks with their indices, in the order in which they run."""
    return [f"{o.block}{o.index}" for o in of.operations if isinstance(o, Call)]


def listing(of: Tape) -> list[str]:
    """The operations without the states that they are."""
    return [row.split("#")[0].rstrip() for row in of.listing()]


# --- blocks ---


def test_resnet_s_by_hand():
    assert tape("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", 2).listing() == [
        "v0 = input            # x[0]",
        "v1 = F[0](v0)",
        "v2 = v0 + v1          # x[1]",
        "v3 = F[1](v2)",
        "v4 = v2 + v3",
        "v5 = -1*v1",
        "v6 = v4 + v5          # x[2]",
        "output v6",
    ]


def test_a_block_takes_the_largest_depth_that_it_reads():
    assert calls(tape("x[l+1] = F(x[l-2] + x[l-1] + x[0]) + x[l]", 4)) == ["F0", "F0", "F1", "F2"]


def test_a_block_on_an_older_state_is_never_computed_twice():
    assert calls(tape("x[l+1] = x[l] + F(x[l]) + F(x[l-1]) + F(x[l-2])")) == ["F0", "F1", "F2"]


def test_a_written_index_is_a_new_computation():
    assert calls(tape("x[l+1] = x[l] + F(x[l]) + F[l](x[l-1])")) == ["F0", "F1", "F1", "F2", "F2"]


def test_index_zero_shares_the_weights_over_depth():
    assert calls(tape("x[l+1] = x[l] + F[0](x[l])")) == ["F0", "F0", "F0"]


def test_a_nested_call_is_the_same_block_twice():
    assert listing(tape("x[l+1] = F(F(x[l]))", 1)) == [
        "v0 = input", "v1 = F[0](v0)", "v2 = F[0](v1)", "output v2",
    ]  # fmt: skip


def test_a_block_that_reads_the_next_depth_has_the_index_of_its_equation():
    assert calls(tape("block G; input x, y; x[l+1] = x[l]; y[l+1] = G(x[l+1])", 2)) == []
    revnet = unroll(resolve("revnet"), 2)
    assert calls(revnet) == ["F0", "G0", "F1", "G1"]


def test_a_block_before_the_start_is_absent():
    assert calls(tape("x[l+1] = x[l] + F[l-2](x[l])", 4)) == ["F0", "F1"]


def test_declared_blocks_are_others_than_f():
    assert calls(tape("block G; x[l+1] = F(x[l]) + G(x[l])", 1)) == ["F0", "G0"]


@pytest.mark.parametrize("name", example_names())
def test_every_block_of_an_example_runs_once_on_each_value(name: str):
    ran = Counter(o for o in unroll(resolve(name), 12).operations if isinstance(o, Call))
    assert set(ran.values()) == {1}


# --- one value ---


def test_equal_operations_are_one_value():
    of = tape("x[l+1] = relu(x[l]) + relu(x[l]) + 2*F(x[l]) + 2*F(x[l])", 1)
    assert listing(of) == [
        "v0 = input",
        "v1 = relu(v0)",
        "v2 = v1 + v1",
        "v3 = F[0](v0)",
        "v4 = 2*v3",
        "v5 = v2 + v4",
        "v6 = v5 + v4",
        "output v6",
    ]


def test_calls_are_equal_up_to_the_order_of_sums():
    sums = "F(x[l] + (y[l-1] + x[l-1])) + F(y[l-1] + x[l-1] + x[l])"
    assert calls(tape(f"input x, y; x[l+1] = {sums}; y[l+1] = x[l]")) == ["F0", "F1", "F2"]


def test_calls_on_different_sums_are_different():
    assert calls(tape("x[l+1] = F[0](x[l] + x[l]) + F[0](2*x[l])", 1)) == ["F0", "F0"]


def test_factors_on_factors_are_one_factor():
    assert listing(tape("x[l+1] = 2*(3*(x[l]/4))", 1)) == ["v0 = input", "v1 = 3/2*v0", "output v1"]


def test_a_factor_of_one_is_nothing():
    assert tape("x[l+1] = 1*x[l] + (2/2)*F(x[l])") == tape("x[l+1] = x[l] + F(x[l])")


def test_what_the_output_does_not_need_is_left_out():
    assert calls(tape("z[l] = F(x[l]); x[l+1] = x[l]")) == []


# --- absent ---


def test_an_absent_term_is_dropped_from_a_sum():
    assert listing(tape("x[l+1] = x[l-1] + x[l]", 1)) == ["v0 = input", "output v0"]


def test_a_mean_divides_by_what_is_there():
    of = tape("x[l+1] = mean(x[l], x[l-1], x[l-2])", 2)
    assert [o.factor for o in of.operations if isinstance(o, Scale)] == [Fraction(1, 2)]


def test_a_product_with_an_absent_factor_is_absent():
    assert tape("x[l+1] = 2*x[l-1] - F(x[l-1])/2", 1).output is None


def test_a_call_of_something_absent_is_absent():
    assert tape("x[l+1] = relu(F(x[l-1]))", 1).output is None


def test_a_call_of_something_partly_absent_is_a_call_of_the_rest():
    assert listing(tape("x[l+1] = F[l](x[l] + x[l-1])", 1)) == [
        "v0 = input", "v1 = F[0](v0)", "output v1",
    ]  # fmt: skip


def test_an_auxiliary_quantity_is_absent_before_depth_zero():
    of = tape("z[l] = F(x[l]); x[l+1] = x[l] + z[l-1]", 2)
    assert listing(of)[-2:] == ["v2 = v0 + v1", "output v2"]


# --- starts ---


def test_a_start_value_stands_before_the_first_depth():
    of = tape("x[l+1] = 2*x[l] - x[l-1]; init x[-1] = x[0]", 1)
    assert listing(of) == [
        "v0 = input", "v1 = 2*v0", "v2 = x[-1] = v0", "v3 = -1*v2", "v4 = v1 + v3", "output v4",
    ]  # fmt: skip


def test_the_start_of_a_block_replaces_its_output():
    of = tape("x[l+1] = x[l] + F(x[l]) - F(x[l-1]); init F(x[-1]) = x[0]", 1)
    assert [o for o in of.operations if isinstance(o, Start)] == [Start("F(x[-1])", 0)]
    assert calls(of) == ["F0"]


def test_a_zero_start_is_dropped_from_sums():
    of = tape("v[l+1] = 1/2*v[l] + F(x[l]); x[l+1] = x[l] + v[l+1]; init v[0] = 0", 1)
    assert listing(of) == ["v0 = input", "v1 = F[0](v0)", "v2 = v0 + v1", "output v2"]


def test_zero_is_a_value_and_absent_is_none():
    """A mean over a zero start divides by two, over an absent one by one."""
    text = "v[l+1] = v[l]; x[l+1] = mean(x[l], v[l]); init v[0] = "
    assert listing(tape(text + "0", 1))[-2] == "v1 = 1/2*v0"
    assert listing(tape(text + "absent", 1))[-1] == "output v0"


def test_states_of_the_input_line_start_as_the_stem():
    of = tape("input x, y; x[l+1] = x[l] + y[l]; y[l+1] = y[l]", 1)
    assert listing(of) == ["v0 = input", "v1 = v0 + v0", "output v1"]


def test_the_main_state_is_absent_if_another_starts_from_the_stem():
    assert (
        listing(tape("input y; y[l+1] = F(y[l]); x[l+1] = x[l] + y[l]; init x[0] = absent", 1))[-1]
        == "output v0"
    )


# --- cases, ranges, outputs ---


def test_a_case_chooses_at_each_depth():
    assert calls(tape("x[l+1] = F(x[l]) if l % 2 == 0 else x[l]", 5)) == ["F0", "F2", "F4"]


def test_a_case_reads_only_what_it_chooses():
    assert calls(tape("x[l+1] = x[0] if l < 2 else x[l-2] + F(x[l])")) == ["F2"]


def test_both_ends_of_a_range_are_included():
    of = tape("x[l+1] = F[l](sum(x[i] for i in 1..l-1)) + x[l]", 4)
    assert calls(of) == ["F2", "F3"]


def test_a_filter_drops_indices():
    text = "x[l+1] = x[l] + sum(F(x[i]) for i in 0..l if i % 2 == l % 2)"
    assert tape(text, 3) == tape("x[l+1] = x[l] + (F(x[l]) if l < 2 else F(x[l-2]) + F(x[l]))", 3)


def test_an_open_range_ends_where_history_does():
    text = "x[l+1] = F(x[l]) + sum(x[l - 2^k + 1] for k in 0..)"
    # l = 3 reads x[3], x[2], x[0]; 3 - 8 + 1 < 0 ends the range
    step = "F(x[l]) + (x[0] if l == 0 else x[l] + x[l-1] if l < 3 else x[l] + x[l-1] + x[0])"
    # a group of a sum is added first, so the ranges compare as groups
    assert tape(text, 4) == tape(f"x[l+1] = {step}", 4)


def test_an_open_range_passes_a_start_value():
    of = tape("x[l+1] = sum(x[l-k] for k in 0..); init x[-1] = x[0]", 1)
    assert listing(of)[1:3] == ["v1 = x[-1] = v0", "v2 = v0 + v1"]


def test_an_output_may_be_any_value():
    assert listing(tape("x[l+1] = F(x[l]); output x[L] - x[0]", 1)) == [
        "v0 = input", "v1 = F[0](v0)", "v2 = -1*v0", "v3 = v1 + v2", "output v3",
    ]  # fmt: skip


def test_act_belongs_to_the_block_that_it_follows():
    of = tape("x[l+1] = act(x[l] + F(x[l])) + relu(x[l])", 2)
    assert [(o.function, o.index) for o in of.operations if isinstance(o, Map)] == [
        ("act", 0), ("relu", None), ("act", 1), ("relu", None),
    ]  # fmt: skip


def test_depth_zero_hands_the_stem_through():
    assert listing(tape("x[l+1] = x[l] + F(x[l])", 0)) == ["v0 = input", "output v0"]


@pytest.mark.parametrize("text", ["2*l", "2^l", "(l - 1)", "1/(l+1)", "L", "(-1)^(l+1)"])
def test_a_coefficient_is_exact_at_each_depth(text: str):
    of = tape(f"z[l] = F(x[l]); x[l+1] = {text}*F[l](x[0])", 5)
    (scale,) = [o for o in of.operations if isinstance(o, Scale)]
    assert scale.factor == eval(text.replace("^", "**"), {"l": Fraction(4), "L": Fraction(5)})


# --- the tape as data ---


@given(formulas(), st.integers(0, 6))
def test_a_tape_is_made_of_earlier_values_each_needed_and_none_twice(text: str, depth: int):
    of = unroll(parse(text), depth)
    for value, operation in enumerate(of.operations):
        assert all(operand < value for operand in operands(operation))
    assert len(set(of.operations)) == len(of.operations)
    assert all(last > value for value, last in enumerate(last_uses(of)))


@given(formulas(), st.integers(0, 5))
def test_a_tape_is_found_again(text: str, depth: int):
    first, again = unroll(parse(text), depth), unroll(parse(text), depth)
    assert (first, hash(first), str(first)) == (again, hash(again), str(again))


def test_the_listing_tells_which_states_a_value_is():
    rows = tape("z[l] = x[l]; x[l+1] = z[l]", 1).listing()
    assert rows == ["v0 = input            # x[0], z[0], x[1]", "output v0"]


def test_the_listing_tells_an_absent_output():
    assert tape("x[l+1] = x[l-1]", 1).listing() == ["output absent"]


def test_sums_are_added_from_left_to_right():
    of = tape("x[l+1] = x[l] + F(x[l]) + relu(x[l])", 1)
    assert [o for o in of.operations if isinstance(o, Add)] == [Add(0, 1), Add(2, 3)]


def test_what_goes_wrong_at_some_depth_names_it():
    with pytest.raises(FormulaError) as caught:
        tape("x[l+1] = 1/(l-2)*x[l]", 5)
    assert "at l = 2" in str(caught.value)
