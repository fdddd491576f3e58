"""Simpler formulas with the same paths."""

from __future__ import annotations

import pytest

from recform.formula import example_names, parse, resolve
from recform.paths.equal import equal
from recform.paths.simplicity import simplicity
from recform.paths.telescope import telescope, telescopes_to


@pytest.mark.parametrize(
    ("text", "simpler", "verdict"),
    [
        ("resnet_s", "x[l+1] = x[0] + F(x[l])", "from_start"),
        ("resnet_s_net", "x[l+1] = x[0] + F(x[l])", "from_start"),
        ("dense_sum", "x[l+1] = x[l] + F(x[l]) if l > 0 else F(x[l])", "always"),
        (
            "momentum",
            "x[l+1] = 19/10*x[l] - 9/10*x[l-1] + 1/10*F(x[l])\ninit x[-1] = x[0]",
            "from_start",
        ),
        (
            "x[l+1] = x[l] + sum(F(x[j]) for j in 0..l)",
            "x[l+1] = 2*x[l] - x[l-1] + F(x[l])\ninit x[-1] = x[0]",
            "from_start",
        ),
        ("x[l+1] = x[0] + sum(F(x[i]) for i in 0..l)", "x[l+1] = x[l] + F(x[l])", "from_start"),
        ("input x, y\nx[l+1] = y[l] + F(x[l])\ny[l+1] = y[l]", "x[l+1] = x[0] + F(x[l])",
         "always"),
        ("x[l+1] = x[l] + F(F(x[l])) - F(F(x[l-1]))", "x[l+1] = x[0] + F(F(x[l]))", "from_start"),
        ("x[l+1] = x[l] + F[l](x[l-1]) - F[l-1](x[l-2])", "x[l+1] = x[0] + F[l](x[l-1])",
         "from_start"),
        ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])\ninit F(x[-1]) = x[0]", "x[l+1] = F(x[l])",
         "from_start"),
    ],
)  # fmt: skip
def test_a_formula_telescopes(text: str, simpler: str, verdict: str):
    found = telescope(text)
    assert found is not None
    assert str(found.formula) == str(parse(simpler))
    assert found.equality.equal == verdict


@pytest.mark.parametrize("name", ["resnet", "plain", "injection", "leapfrog", "revnet",
                                  "delannoy", "resnet_s_code"])  # fmt: skip
def test_what_has_nothing_simpler_telescopes_to_nothing(name: str):
    assert telescopes_to(name) is None


@pytest.mark.parametrize("name", example_names())
def test_the_answer_is_simpler_and_has_no_simpler_one(name: str):
    found = telescopes_to(name)
    if found is not None:
        assert simplicity(found) < simplicity(resolve(name))
        assert equal(found, name).equal in ("always", "from_start")
        assert telescopes_to(found) is None


def test_blocks_are_declared():
    found = telescopes_to("block G\nx[l+1] = x[l] + F(x[l]) - F(x[l-1]) + G(x[l]) - G(x[l-1])")
    assert str(found) == "block G\nx[l+1] = x[0] + F(x[l]) + G(x[l])"


@pytest.mark.parametrize(
    "text",
    ["x[l+1] = x[l]/(l+1)", "x[l+1] = x[l] + F(x[l]) - F(x[l-20])",
     "x[l+1] = x[l] + F(x[l]) - F(x[l]) if l < 30 else x[l]",
     "x[l+1] = x[l] + (F(x[l]) if l % 2 == 0 else 0)"],
)  # fmt: skip
def test_what_is_not_searched_has_no_answer(text: str):
    assert telescopes_to(text) is None


def test_simplicity_counts_what_is_carried_read_and_old():
    measure = simplicity(parse("x[l+1] = x[l] + F(x[l]) - F(x[l-1])"))
    assert (measure.rank, measure.num_terms, measure.num_older) == (2, 3, 1)
    summed = simplicity(parse("x[l+1] = sum(F(x[i]) for i in 0..l)"))
    assert (summed.rank, summed.num_terms, summed.num_older) == (2, 3, 1)
