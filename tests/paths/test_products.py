"""Formulas with products of values, compared to a depth: beside blocks that are numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from random import Random

import pytest

from recform.formula import parse
from recform.paths import equal
from recform.tape import Parameter, fold, unroll

HIGHWAY = "block T\nx[l+1] = x[l] + T(x[l])*(F(x[l]) - x[l])"
SAME = [
    (HIGHWAY, "block T\nx[l+1] = T(x[l])*F(x[l]) + (1 - T(x[l]))*x[l]"),
    ("x[l+1] = x[l]*F(x[l])", "x[l+1] = F(x[l])*x[l]"),
    ("x[l+1] = x[l]*(x[l]*F(x[l]))", "z[l] = x[l]*x[l]\nx[l+1] = F(x[l])*z[l]"),
    ("param a[l] = 1\nx[l+1] = a[l]*(x[l] + F(x[l]))",
     "param a[l] = 0\nx[l+1] = a[l]*F(x[l]) + x[l]*a[l]"),
    ("x[l+1] = sqrt(2)*x[l]*F(x[l])/2", "x[l+1] = 1/sqrt(2)*F(x[l])*x[l]"),
    ("x[l+1] = (x[l] + F(x[l]))*(x[l] - F(x[l]))", "x[l+1] = x[l]*x[l] - F(x[l])*F(x[l])"),
]  # fmt: skip
DIFFERENT = [
    (HIGHWAY, "block T\nx[l+1] = x[l] + T(x[l])*F(x[l])"),
    ("x[l+1] = x[l]*x[l]", "x[l+1] = x[l]*F(x[l])"),
    ("param a[l] = 1\nx[l+1] = a[l]*x[l] + F(x[l])", "param a = 1\nx[l+1] = a*x[l] + F(x[l])"),
    # Alike down to depth 1.
    ("x[l+1] = x[l]*F(x[l])", "x[l+1] = x[l]*F(x[l]) + F(x[l-1])*x[l-1]*x[l-1]"),
]


class Numbers:
    """Every block a polynomial of its own of degree 2, every coefficient a number of its own."""

    def input(self) -> Fraction:
        return Fraction(3, 7)

    def zero(self) -> Fraction:
        return Fraction(0)

    def one(self) -> Fraction:
        return Fraction(1)

    def call(self, block: str, index: int, argument: Fraction) -> Fraction:
        a, b = (Random(f"{block}{index}{k}").randint(2, 99) for k in range(2))
        return a * argument * argument + b * argument

    def map(self, function: str, index: int | None, argument: Fraction) -> Fraction:
        return argument

    def scale(self, factor, argument):
        return argument * factor

    def add(self, left, right):
        return left + right

    def start(self, label: str, argument):
        return argument

    def project(self, border: int, label: str, is_shortcut: bool, argument):
        return argument

    def parameter(self, parameter: Parameter) -> Fraction:
        return Fraction(Random(f"{parameter.param.name}{parameter.place}").randint(2, 99))

    def multiply(self, left, right):
        return left * right

    def combine(self, function: str, index: int | None, arguments: Sequence):
        raise AssertionError("no law is known")

    def part(self, number: int, count: int, argument):
        raise AssertionError("no law is known")

    def drop(self, rate: Fraction, index: int, argument):
        return argument


def values(text: str, depth: int):
    return fold(unroll(parse(text), depth), Numbers())


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_is_the_same_function_has_no_difference(one, other):
    found = equal(one, other)
    assert (found.equal, found.witness, found.breaks) == ("undecided", None, ())
    assert found.checked_depth >= 2
    assert "which proves nothing of deeper ones" in found.reason
    depths = range(min(found.checked_depth, 4) + 1)
    assert [values(one, n) for n in depths] == [values(other, n) for n in depths]


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_the_depth_of_a_difference_is_the_first_at_which_numbers_differ(one, other):
    found = equal(one, other)
    assert found.equal == "no"
    differ = [values(one, n) != values(other, n) for n in range(found.checked_depth + 1)]
    assert differ == [False] * found.checked_depth + [True]
    assert found.witness.depth == found.checked_depth


def test_the_witness_is_a_product_with_its_coefficients():
    witness = equal(HIGHWAY, "block T\nx[l+1] = x[l] + T(x[l])*F(x[l])").witness
    assert (witness.word, witness.left, witness.right) == ("x[0]*T[0](x[0])", -1, 0)
    assert witness.to_json()["a"] == -1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x[l+1] = max(x[l], F(x[l]))", "x[l+1] = max(F(x[l]), x[l])"),
        ("x[l+1] = x[l]*F(x[l])", "x[l+1] = x[l]*F(x[l]) + stopgrad(x[l])"),
        (
            "param a[l, i] = 0 in softmax(i)\nx[l+1] = sum(a[l, i]*x[0] for i in 0..l) + F(x[l])",
            "x[l+1] = x[0] + F(x[l])",
        ),
    ],
)
def test_where_functions_and_coefficients_obey_laws_nothing_is_concluded(one, other):
    found = equal(one, other)
    assert (found.equal, found.witness) == ("undecided", None)
    assert found.reason.endswith("which may yet come to the same paths")


def test_what_activations_and_norms_tell_apart_is_named():
    gated, plain = "x[l+1] = norm(x[l])*sigmoid(F(x[l]))", "x[l+1] = x[l]*F(x[l])"
    found = equal(gated, plain)
    assert (found.equal, found.breaks) == ("undecided", ("activation", "norm"))


def test_only_the_formula_itself_is_proved_equal():
    assert equal("highway", "highway").equal == "always"
