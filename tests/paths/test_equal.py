"""Equality of formulas: cases that a person can check by hand."""

from __future__ import annotations

import pytest

from recform.paths import equal
from recform.paths.equal import Equality

EQ_20 = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"
EQ_21 = "x[l+1] = x[0] + F(x[l])"
LEAPFROG = "x[l+1] = 2*x[l] - x[l-1] + F(x[l])\ninit x[-1] = x[0]"
SUMMED = "x[l+1] = x[l] + sum(F(x[j]) for j in 0..l)"
MOMENTUM = "x[l+1] = 19/10*x[l] - 9/10*x[l-1] + 1/10*F(x[l])\ninit x[-1] = x[0]"


def witness_of(found: Equality) -> tuple[int, int, str | None, object, object]:
    assert found.witness is not None
    seen = found.witness
    return seen.depth, seen.start, seen.word, seen.left, seen.right


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("resnet", "y[l+1] = F(y[l]) + y[l]"),
        ("x[l+1] = (x[l] - (F(x[l]) - x[l-1]))", "x[l+1] = x[l-1] + x[l] - F(x[l])"),
        ("x[l+1] = 1/2*x[l] + F(x[l]) + 1/2*x[l]", "resnet"),
        ("x[l+1] = z[l] - F(x[l-1])\nz[l] = x[l] + F(x[l])", EQ_20),
        (
            "x[l+1] = x[l] + (F(x[l]) if l % 2 == 0 else 0)",
            "x[l+1] = x[l] + (1/2 + 1/2*(-1)^l)*F(x[l])",
        ),
        ("x[l+1] = x[l] + F(2*x[l] - x[l])", "resnet"),
        ("x[l+1] = 1/(l+1)*x[l]", "x[l+1] = 1/(l+1)*x[l]"),
    ],
)
def test_the_same_in_other_words_is_always_equal(left: str, right: str):
    found = equal(left, right)
    assert (found.equal, found.witness) == ("always", None)


def test_eqs_20_and_21_are_equal_from_the_start_and_differ_by_the_empty_word_later():
    found = equal(EQ_20, EQ_21)
    assert found.equal == "from_start"
    assert witness_of(found) == (2, 1, "1", 1, 0)


@pytest.mark.parametrize(
    ("left", "right"),
    [(SUMMED, LEAPFROG), ("momentum", MOMENTUM), ("x[l+1] = x[0] + sum(F(x[i]) for i in 0..l)",
                                                  "resnet")],
)  # fmt: skip
def test_a_past_that_is_given_by_the_start_alone_is_equal_from_the_start(left: str, right: str):
    assert equal(left, right).equal == "from_start"


def test_another_start_value_is_another_formula():
    assert equal(SUMMED, LEAPFROG.replace("x[0]", "absent")).equal == "no"


def test_a_dense_sum_is_a_resnet_behind_its_first_block():
    assert equal("dense_sum", "x[l+1] = x[l] + F(x[l]) if l > 0 else F(x[l])").equal == "always"


def test_equal_counts_are_not_equal_paths():
    """F(x) and 1/2*F(2*x) have the same derivative at a linear F, and are other networks."""
    found = equal("x[l+1] = x[l] + F(x[l])", "x[l+1] = x[l] + 1/2*F[l](2*x[l])")
    assert found.equal == "no"
    assert witness_of(found) == (1, 0, "F'[0](x[0])", 1, 0)


def test_other_blocks_are_other_letters():
    found = equal("block G\nx[l+1] = x[l] + F(x[l])", "block G\nx[l+1] = x[l] + G(x[l])")
    assert witness_of(found) == (1, 0, "F'[0]", 1, 0)


def test_the_witness_is_the_first_difference():
    """One block shows it only where it is read back for the first time."""
    found = equal("x[l+1] = x[l] + F(x[l]) - F(x[l-3])", "resnet")
    assert witness_of(found) == (4, 0, "F'[0]", 0, 1)


def test_a_coefficient_is_that_of_the_whole_path():
    """2 from the argument, times 1 and 3."""
    found = equal("x[l+1] = x[l] + F(2*x[l])", "x[l+1] = x[l] + 3*F(2*x[l])")
    assert witness_of(found) == (1, 0, "F'[0]", 2, 6)


def test_the_witness_is_told_in_words():
    found = equal("x[l+1] = 1/2*x[l] + F(x[l])", "resnet")
    assert found.witness is not None
    assert found.witness.text == ("at depth 1, the path 1 has the coefficient 1/2 in the first "
                                  "formula and 1 in the second")  # fmt: skip


def test_a_formula_that_does_not_exist_at_a_depth_differs_from_one_that_does():
    found = equal("x[l+1] = F(x[l])\noutput x[2]", "x[l+1] = F(x[l])\noutput x[L]")
    assert found.witness is not None
    assert found.witness.text == "at depth 0 only the second formula exists"


def test_without_a_recurrence_no_difference_is_no_proof():
    found = equal("x[l+1] = x[l]/(l+1) + F(x[l])", "x[l+1] = F(x[l]) + x[l]/(1+l)")
    assert (found.equal, found.checked_depth) == ("undecided", 24)
    assert found.reason == "a coefficient changes with the depth"


def test_what_settles_too_late_is_undecided():
    found = equal("x[l+1] = x[l] if l < 900 else F(x[l])", "x[l+1] = F(x[l]) if l >= 900 else x[l]")
    assert (found.equal, found.checked_depth) == ("undecided", 24)
    assert found.reason is not None
    assert found.reason.startswith("it would have to be followed to depth")


def test_a_long_memory_is_compared_from_the_start_only():
    found = equal("x[l+1] = x[l] + F(x[l-60])", "x[l+1] = F(x[l-60]) + x[l]")
    assert (found.equal, found.witness) == ("from_start", None)
    assert found.reason == "starts later than x[100] would have to be compared"


def test_without_a_recurrence_a_difference_is_a_no():
    found = equal("x[l+1] = x[l]/(l+1) + F(x[l])", "x[l+1] = x[l]/(l+2) + F(x[l])")
    assert witness_of(found)[:2] == (1, 0)


def test_what_occurs_again_by_another_way_is_not_called_always():
    """-1*x[0] is x[1], so d x[L]/d x[1] has it at every depth, and forms do not say so."""
    left = "x[l+1] = F(x[l]) - x[0] if l > 0 else -1*x[0]"
    found = equal(left, "x[l+1] = (F(x[l]) if l > 0 else 0) - x[0]")
    assert found.equal == "from_start"
    assert found.reason == "x[1] occurs again at later depths, by another way"


def test_two_names_for_one_sequence_are_one():
    twice = "input x, y\nx[l+1] = x[l] + F[0](y[l])\ny[l+1] = x[l] + F[0](x[l])"
    assert equal("x[l+1] = x[l] + F[0](x[l])", twice).equal == "always"


# --- what breaks an equality -------------------------------------------------------------------


def test_an_activation_between_terms_that_cancel_breaks_it():
    assert "activation" in equal("resnet_s_net", EQ_21).breaks
    assert "activation" not in equal(EQ_20, EQ_21).breaks


def test_an_activation_at_the_same_place_breaks_nothing():
    assert equal("resnet", "x[l+1] = act(F(x[l]) + x[l])").breaks == ()


def test_a_norm_breaks_it():
    found = equal("x[l+1] = norm(x[l] + F(x[l])) - F(x[l-1])", EQ_21)
    assert "norm" in found.breaks
    assert "activation" not in found.breaks


def test_a_projection_breaks_what_telescopes():
    """Behind a border eq. (20) has shortcut(x[l]) - project(F(x[l-1])), eq. (21) project(x[0])."""
    assert equal(EQ_20, EQ_21).breaks == ("projection",)
    assert equal("x[l+1] = x[l] + F(x[l])", "x[l+1] = F(x[l]) + x[l]").breaks == ()


def test_what_differs_anyway_breaks_nowhere():
    assert equal("resnet", "plain").breaks == ()
