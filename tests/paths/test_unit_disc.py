"""Miller's test and exact signs, on polynomials whose roots are known because they are products."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations_with_replacement

import pytest
from flint import fmpq_poly, fmpz_poly

from recform.paths.algebraic import Root, roots_of
from recform.paths.number_field import Field
from recform.paths.unit_disc import is_simple_von_neumann

RATIONAL = Field.rational(Fraction(0))
INSIDE = [[0, 1], [-1, 2], [1, 0, 2], [1, 1, 2], [2, 1, -4]]
ON_CIRCLE = [[-1, 1], [1, 1], [1, 0, 1], [1, 1, 1], [5, -6, 5], [1, 1, 1, 1, 1]]
# The last two have roots on the circle and, in pairs z and 1/z, off it: Lehmer's polynomial, whose
# largest root is 1.176, and one of degree 4.
OUTSIDE = [
    [-2, 1], [1, 2, 1, 3, 0, 1], [2, -5, 2], [-1, -1, 1],
    [1, -1, -1, -1, 1], [1, 1, 0, -1, -1, -1, -1, -1, 0, 1, 1],
]  # fmt: skip


def holds(polynomial: fmpq_poly, field: Field = RATIONAL) -> bool:
    return is_simple_von_neumann([fmpq_poly([c]) for c in polynomial.coeffs()], field)


@pytest.mark.parametrize("coefficients", [*INSIDE, *ON_CIRCLE])
def test_roots_in_the_closed_disc_are_found_there(coefficients: list[int]) -> None:
    assert holds(fmpq_poly(coefficients))


@pytest.mark.parametrize("coefficients", OUTSIDE)
def test_a_root_outside_is_found(coefficients: list[int]) -> None:
    assert not holds(fmpq_poly(coefficients))


def test_products_hold_iff_no_root_on_the_circle_is_double() -> None:
    for factors in combinations_with_replacement([*INSIDE, *ON_CIRCLE], 3):
        product = fmpq_poly([1])
        for factor in factors:
            product *= fmpq_poly(factor)
        double = any(factors.count(factor) > 1 for factor in ON_CIRCLE)
        assert holds(product) != double, factors


def test_a_constant_has_no_root_outside() -> None:
    assert holds(fmpq_poly([3]))


def root(*coefficients: int, largest: bool = True) -> Root:
    real = [r for r in roots_of(fmpz_poly(list(coefficients))) if r.is_real]
    return (max if largest else min)(real, key=Root.to_float)


def test_roots_of_a_polynomial_with_irrational_coefficients() -> None:
    # 1 - a x + x^2 for a = sqrt(2): eighth roots of unity; for a = sqrt(5): (sqrt(5) +- 1)/2
    one, linear = fmpq_poly([1]), fmpq_poly([0, -1])
    assert is_simple_von_neumann([one, linear, one], Field(root(-2, 0, 1)))
    assert not is_simple_von_neumann([one, linear, one], Field(root(-5, 0, 1)))


def test_a_double_root_on_the_circle_is_seen_over_the_field() -> None:
    # (1 - a x + x^2)^2 for a = sqrt(2)
    field = Field(root(-2, 0, 1))
    a = fmpq_poly([0, 1])
    squared = [fmpq_poly([1]), -2 * a, 2 + a * a, -2 * a, fmpq_poly([1])]
    assert not is_simple_von_neumann([field.reduce(c) for c in squared], field)


def test_signs_are_exact_however_close_to_zero() -> None:
    # p/q from the continued fraction of sqrt(2): p - q sqrt(2) changes its sign and falls to 1/q
    field = Field(root(-2, 0, 1))
    p, q = 1, 1
    for place in range(400):
        assert field.sign(fmpq_poly([p, -q])) == (-1) ** (place + 1)
        p, q = p + 2 * q, p + q


def test_signs_know_which_root_is_meant() -> None:
    a = fmpq_poly([0, 1])
    assert Field(root(-2, 0, 1)).sign(a) == 1
    assert Field(root(-2, 0, 1, largest=False)).sign(a) == -1


def test_an_inverse_times_its_element_is_one() -> None:
    field = Field(root(-2, 0, 0, 1))
    element = fmpq_poly([1, 2, 3])
    assert field.product(element, field.inverse(element)) == 1


def test_zero_is_recognised_though_no_enclosure_tells_it() -> None:
    field = Field(root(-2, 0, 0, 1))
    assert field.sign(field.reduce(fmpq_poly([-2, 0, 0, 1]))) == 0
