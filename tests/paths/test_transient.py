"""First values of an output that is made of older values: those of the formula at each depth."""

from __future__ import annotations

import pytest

from recform.formula import parse
from recform.paths import analyze
from recform.paths.generating import NET_READING, generating_function
from recform.paths.polynomials import coefficients
from recform.paths.rows import row
from recform.paths.settle import settle

DEEPEST = 9
OUTPUTS = [
    "x[l+1] = x[l] + F(x[l])\noutput x[L] - F(x[L-1])",
    "x[l+1] = x[l] + F(x[l-1])\noutput 2*x[L] - 1/3*(x[L-2] + F(F(x[L-1])))",
    "x[l+1] = x[l] + F(x[l])\noutput F[L-2](x[L-1]) + x[L-4] - x[L-5]",
    "x[l+1] = F(y[l])\ny[l+1] = x[l] + F(x[l])\ninit y[0] = 2*x[0]\noutput y[L] + x[L-1]",
    "z[l] = F(x[l])\nx[l+1] = x[l] + z[l]\noutput x[L] + 3*z[L-1] + z[L-2]",
    # Not as one more state: a block of the start, a depth that is fixed, a range.
    "x[l+1] = x[l] + F(x[l-1])\ninit x[-1] = F(x[0])\noutput x[L] + x[L-1]",
    "x[l+1] = x[l] + F(x[l])\noutput x[L] + x[0]",
    "x[l+1] = x[l] + F(x[l])\noutput sum(x[L-i] for i in 0..2)",
]


@pytest.mark.parametrize("start", [0, 2])
@pytest.mark.parametrize("text", OUTPUTS)
def test_rows_near_the_start_are_those_of_the_formula_at_their_depth(text, start):
    formula = parse(text)
    function = generating_function(settle(formula), NET_READING, start)
    for depth in range(start, DEEPEST):
        found = analyze(formula, depth, start=start).net
        assert coefficients(row(function, depth)) == found
