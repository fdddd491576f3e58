"""The invariant that proves two recurrences equal, and does not prove what is false."""

from __future__ import annotations

import pytest

from recform.formula import parse
from recform.paths.forever import Joint
from recform.paths.histories import Unrolled
from recform.paths.jets import Jets, LetterTable
from recform.paths.settle import settle

RESNET = "x[l+1] = x[l] + F(x[l])"
# A block's output that reaches x only four depths later.
LATE = """
x[l+1] = x[l] + F(x[l]) + r[l]
p[l+1] = F(x[l])
q[l+1] = p[l]
r[l+1] = q[l]
init p[0] = absent
init q[0] = absent
init r[0] = absent
"""
LATE_TWICE = LATE.replace("+ r[l]", "+ 1/2*r[l] + 1/2*r[l]")


def agreement(left: str, right: str, depth: int) -> tuple[bool, bool]:
    """Whether the outputs agree down to a depth, and whether that is proved to go on."""
    joint = Joint((settle(parse(left)), settle(parse(right))))
    jets = Jets(LetterTable())
    first, second = (Unrolled(side, depth, jets).history() for side in joint.sides)
    return first.rows == second.rows, joint.holds_forever(first, second)


@pytest.mark.parametrize("depth", [2, 3])
def test_what_agrees_only_so_far_is_not_proved(depth: int):
    assert agreement(RESNET, LATE, depth) == (True, False)


def test_what_differs_is_not_proved():
    assert agreement(RESNET, LATE, depth=12) == (False, False)


@pytest.mark.parametrize("depth", [10, 14])
def test_what_is_the_same_is_proved(depth: int):
    assert agreement(LATE, LATE_TWICE, depth) == (True, True)


def test_blocks_are_matched_by_their_arguments():
    left = "x[l+1] = x[l] + F(x[l]) - F(x[l-1])"
    assert agreement(left, "x[l+1] = x[0] + F(x[l])", depth=10) == (True, True)
    # F[l] is applied to what is x[l] in one formula, and in the other becomes another value.
    other = "x[l+1] = x[0] + F[l](2*x[l] - y[l])\ny[l+1] = x[0] + 1/2*F(y[l])\ninit y[0] = x[0]"
    assert agreement(left, other, depth=10) == (False, False)


def test_a_letter_may_be_made_a_depth_earlier():
    """F[l-1](x[l]) is F(w[l-1]) where w[l] is x[l+1]."""
    ahead = "w[l] = x[l] + F(w[l-1])\nx[l+1] = w[l]"
    assert agreement("x[l+1] = x[l] + F[l-1](x[l])", ahead, depth=10) == (True, True)
