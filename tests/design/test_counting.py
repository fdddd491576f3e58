"""What expressions are worth, by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from recform.design.counting import value
from recform.design.notation import read

AT = {"n": 5, "k": 2}

BY_HAND = {
    "2 + 3*4": 14,
    "2^3^2": 512,
    "-2^2": -4,
    "2**3": 8,
    "7 - 2 - 1": 4,
    "n/2": Fraction(5, 2),
    "n//2": 2,
    "-n//2": -3,
    "-n % 3": 1,
    "floor(-n/2)": -3,
    "floor(sqrt(n))": 2,
    "binomial(n, k)": 10,
    "binomial(k, n)": 0,
    "binomial(-1, 0)": 0,
    "binomial(n, -1)": 0,
    "factorial(n)": 120,
    "fibonacci(n)": 5,
    "fibonacci(0)": 0,
    "fibonacci(-2)": -1,
    "1 if k*k <= n else 0": 1,
    "1 if k <= sqrt(n) else 0": 1,
    "1 if k > sqrt(n) else 0": 0,
    "1 if sqrt(n) >= k else 0": 1,
    "1 if -3 < sqrt(n) else 0": 1,
    "1 if k == 2 and not n < 5 or k > 9 else 0": 1,
    "1 if 0 < k < n <= 5 else 0": 1,
    "sum(j for j in 0..n)": 15,
    "sum(j for j in 0..n if j % 2 == 1)": 9,
    "sum(1, 2, j for j in 3..4)": 10,
    "prod(j for j in 1..n)": 120,
    "sum(j for j in 3..2)": 0,
    "0^0": 1,
}


@pytest.mark.parametrize("text", BY_HAND)
def test_an_expression_is_worth_what_it_says(text):
    assert value(read(text), AT) == BY_HAND[text]
