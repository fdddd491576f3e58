"""Formulas with roots in their coefficients: what is told, and what is told to be too much."""

from __future__ import annotations

import json

import pytest

from recform.paths import analyze, equal, to_json

# With each prime depth the products of roots double: 2^5 of them at depth 11.
GROWING = "x[l+1] = x[l] + x[l]/sqrt(l+1) + F(x[l])"


@pytest.fixture
def few_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recform.tape.radicals.MAX_TERMS", 2**4)
    monkeypatch.setattr("recform.paths.radicals.MAX_RADICALS", 2**4)


@pytest.mark.usefixtures("few_roots")
def test_sums_of_too_many_roots_are_told_as_a_reason():
    analysis = analyze(GROWING, depth=12)
    assert analysis.distinct is None
    assert analysis.distinct_reason == "coefficients are sums of too many roots"
    assert to_json(analysis)["distinct"] is None


@pytest.mark.usefixtures("few_roots")
def test_formulas_are_compared_as_deep_as_roots_allow():
    found = equal(GROWING, "x[l+1] = F(x[l]) + x[l] + (l+1)^(-1/2)*x[l]")
    assert (found.equal, found.witness) == ("undecided", None)
    assert found.checked_depth == 10


def test_what_is_not_counted_is_not_written_out():
    # 2^40 words: writing them was tried where counting them was given up.
    analysis = analyze("x[l+1] = x[l] + F(x[l])", depth=40)
    object.__setattr__(analysis, "distinct", None)
    assert sorted(analysis.expansions) == [1, 2, 3, 4]


def test_json_has_every_digit_of_a_root():
    # One path through no block: 10^(40 * 200) times the root of two.
    text = "x[l+1] = 10^40*x[l] + F(x[l])\noutput sqrt(2)*x[L]"
    (shortest, *_) = json.loads(json.dumps(to_json(analyze(text, depth=200))))["net"]
    assert shortest == f"1{'0' * 8000}*sqrt(2)"
