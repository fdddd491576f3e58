"""What a formula costs each step, counted by hand."""

from __future__ import annotations

import pytest

from recform.design.cost import Cost, cost_of, upkeep_of
from recform.formula import parse, resolve

BY_HAND = {
    "x[l+1] = F(x[l])": (1, 1, 1, 1),
    "x[l+1] = x[l] + F(x[l])": (1, 1, 1, 1),
    "x[l+1] = x[l] + F(x[l]) - F(x[l-1])": (1, 2, 1, 1),
    "x[l+1] = x[0] + F(x[l])": (1, 2, 1, 1),
    "x[l+1] = x[l] + F(x[l]) - F[l](x[l-1])": (1, 2, 2, 1),
    "x[l+1] = 2*x[l] - x[l-1] + F(x[l])\ninit x[-1] = x[0]": (1, 2, 1, 1),
    "x[l+1] = x[l] + F(F(x[l]))": (1, 1, 2, 1),
    "x[l+1] = x[l-2]": (0, 3, 0, 1),
    "x[l+1] = x[l]\noutput x[L] + F(x[L-1])": (1, 2, 1, 1),
    "block G\nx[l+1] = x[l] + F(x[l]) + G(x[l])": (2, 1, 2, 1),
}


@pytest.mark.parametrize("text", BY_HAND)
def test_the_cost_is_the_one_counted_by_hand(text):
    assert cost_of(parse(text)) == Cost(*BY_HAND[text])


def test_revnet_keeps_two_states_and_calls_two_blocks():
    assert cost_of(resolve("revnet")) == Cost(parameters=2, states_kept=2, calls=2, equations=2)


def test_what_is_kept_has_names():
    found = upkeep_of(parse("x[l+1] = F[l](x[l-1]) + F(x[l]) - F(x[l-2])"))
    assert found.kept == ("x[l]", "x[l-1]", "F(x[l-1])", "F(x[l-2])")
    assert found.calls == ("F[l](x[l-1])", "F(x[l])")


def test_blocks_inside_blocks_and_states_of_one_step_before_are_named_plainly():
    nested = upkeep_of(parse("x[l+1] = F(x[l]) - F(F(x[l-2]))"))
    assert nested.calls == ("F(x[l])", "F(F(x[l]))")
    assert nested.kept == ("x[l]", "F(F(x[l-1]))", "F(F(x[l-2]))")
    assert upkeep_of(parse("x[l+1] = F(x[l-1]) + x[l]")).kept == ("x[l]", "F(x[l-1])")
