"""Numbers with roots: by hand, and against sympy."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from recform.tape.radicals import Exact, Irrational, root, sign_of

NUMBERS = st.builds(
    lambda parts: sum((Fraction(c) * root(Fraction(n, d), Fraction(1, p)) for c, n, d, p in parts),
                      Fraction(0)),
    st.lists(st.tuples(st.integers(-3, 3), st.integers(1, 12), st.integers(1, 6),
                       st.sampled_from((1, 2, 3, 4))), max_size=3),
)  # fmt: skip


def to_sympy(number: Exact) -> sympy.Expr:
    return sympy.sympify(str(number), rational=True)


def test_a_root_that_comes_out_is_a_whole_number():
    assert root(12) * root(3) == 6
    assert root(16, Fraction(1, 4)) == 2
    assert isinstance(root(Fraction(9, 4)), Fraction)


def test_a_root_in_a_divisor_is_brought_up():
    half = root(2)
    assert isinstance(half, Irrational)
    assert str(half.inverse()) == "sqrt(2)/2"
    assert half.inverse() * half == 1


def test_different_roots_do_not_cancel():
    assert root(2) + root(3) != root(5)
    assert root(2) + root(3) - root(3) == root(2)
    assert root(8) - 2 * root(2) == 0


def test_the_sign_of_a_small_difference_is_found():
    # a convergent of sqrt(2), from above
    near = Fraction(577, 408)
    assert sign_of(root(2) - near) == -1
    assert root(2) < near < root(2) + Fraction(1, 10**5)


def test_no_root_is_taken_of_a_negative_number():
    with pytest.raises(ValueError, match="positive"):
        root(-2)


@settings(max_examples=60, deadline=None)
@given(NUMBERS, NUMBERS)
def test_arithmetic_is_sympys(left: Exact, right: Exact):
    for ours, theirs in (
        (left + right, to_sympy(left) + to_sympy(right)),
        (left * right, to_sympy(left) * to_sympy(right)),
    ):
        assert abs(sympy.N(to_sympy(ours) - theirs, 40)) < 1e-30


@settings(max_examples=60, deadline=None)
@given(NUMBERS)
def test_order_and_floats_are_those_of_the_number(number: Exact):
    value = float(sympy.N(to_sympy(number), 30))
    assert float(number) == pytest.approx(value, abs=1e-12)
    assert sign_of(number) == (0 if number == 0 else 1 if value > 0 else -1)


def test_a_number_beyond_what_python_prints_is_told_by_its_size():
    huge = root(2) * 10**5000
    assert isinstance(huge, Irrational)
    assert str(huge) == "(a number of 16,610 bits)*sqrt(2)"
    assert huge.to_text(lambda integer: str(integer % 7)) == f"{10**5000 % 7}*sqrt(2)"
