"""The steps that are foreseen are those that unrolling takes."""

from __future__ import annotations

from time import process_time

import pytest

from recform.errors import FormulaError
from recform.formula import parse
from recform.tape import unroll
from recform.tape.foresee import least_steps, most_steps, steps_of
from recform.tape.unroll import _unroller

DEPTH = 12
NO_LIMIT = 10**9
EXACT = [
    "x[l+1] = sum(sum(F(x[l-i-j]) for j in 0..l) for i in 0..l)",
    "x[l+1] = x[l] + sum(sum(1/2*F(x[i-j]) - x[i] for i in j..l) for j in 0..l)",
    "x[l+1] = x[l] + sum(sum(sum(F(x[i-m]) for i in j..l) for j in m..l) for m in 0..l)",
    "x[l+1] = x[l] + sum(sum(-F(x[i-j])/2 for i in j..l if (i*j) % 2 == 0) for j in 0..l)",
    "x[l+1] = x[l] + sum(F(x[l-i]) if i > 2 else x[l-i] + x[l] for i in 0..l)",
    "x[l+1] = mean(x[l-i]*relu(F(x[l-i])) for i in 0..l % 3) + x[l-2]",
    "z[l] = sum(F(x[l-i]) for i in 0..l)\nx[l+1] = -(x[l] - z[l])",
]


@pytest.mark.parametrize("text", EXACT)
def test_what_is_foreseen_is_what_is_spent(text):
    formula = parse(text)
    unroller = _unroller(formula, DEPTH, None)
    unroller._budget.steps_left = NO_LIMIT
    unroller.run()
    steps = steps_of(formula)
    layers = [{"l": layer, "L": DEPTH, "s": 0} for layer in range(DEPTH)]
    # The output reads no more.
    spent = NO_LIMIT - unroller._budget.steps_left
    assert sum(least_steps(steps, names, NO_LIMIT) for names in layers) == spent
    assert sum(most_steps(steps, names, NO_LIMIT) for names in layers) >= spent


@pytest.mark.parametrize(
    ("text", "depth"),
    [
        ("x[l+1] = x[l] + sum(sum(1/2*F(x[i-j]) - x[i] for i in j..l) for j in 0..l)", 120),
        ("x[l+1] = x[l] + sum(sum(F(x[i-j]) for i in j..l if (i*j) % 2 == 0) for j in 0..l)", 130),
        ("x[l+1] = x[l] + sum(sum(F(x[i-j]) if i > j else x[i] for i in j..l) for j in 0..l)", 110),
    ],
)
def test_sums_just_beyond_the_budget_are_refused_at_once(text, depth):
    began = process_time()
    with pytest.raises(FormulaError, match="too many steps"):
        unroll(parse(text), depth)
    assert process_time() - began < 8
