"""Warnings: each is there for a formula that deserves it, and not for one that does not."""

from __future__ import annotations

import re

import pytest

from recform.paths import analyze, insight, warnings_of

# code -> a formula that gets it, and one that differs in a sign, a start or a term and does not
EXAMPLES = {
    "absent-output": ("x[l+1] = F(x[l-1])", "x[l+1] = F(x[l-1]) + x[l]"),
    "no-path": (
        "x[l+1] = F(x[l])\ny[l+1] = G(y[l])\nblock G\ninput x, y\noutput y[L]",
        "x[l+1] = F(x[l])\ny[l+1] = G(y[l])\nblock G\ninput x, y",
    ),
    "unused-block": ("x[l+1] = x[l] + F(x[l-1])", "x[l+1] = x[l] + F(x[l])"),
    "untrained-block": (
        "x[l+1] = x[l] + F(x[l]) - z[l]\nz[l] = F(x[l])",
        "x[l+1] = x[l] + F(x[l]) + z[l]\nz[l] = F(x[l])",
    ),
    "plain-net": (
        "x[l+1] = x[l] + F(x[l]) - F(x[l-1])\ninit F(x[-1]) = x[0]",
        "x[l+1] = x[l] + F(x[l]) - F(x[l-1])",
    ),
    "no-short-path": ("x[l+1] = F(x[l]) + F(F(x[l]))", "x[l+1] = x[l] + F(F(x[l]))"),
    "one-path": ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "x[l+1] = x[l] + F(x[l]) + F(x[l-1])"),
    "cancels-across": (
        "x[l+1] = act(x[l] + F(x[l])) - F(x[l-1])",
        "x[l+1] = x[l] + F(x[l]) - F(x[l-1])",
    ),
    "telescopes": ("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", "x[l+1] = x[l] + F(x[l])"),
}


def codes(formula: str, depth: int = 7, **options) -> list[str]:
    start = 0 if "input x, y" not in formula or "output y" not in formula else 1
    analysis = analyze(formula, depth, start, **options)
    return [warning.code for warning in warnings_of(analysis)]


@pytest.mark.parametrize("code", EXAMPLES)
def test_a_warning_is_given_where_it_holds_and_not_beside(code: str):
    deserving, other = EXAMPLES[code]
    assert code in codes(deserving)
    assert code not in codes(other)


def test_every_code_of_the_docstring_has_an_example():
    listed = re.findall(r"^    ([a-z-]+)  +\S", insight.warnings_of.__doc__, re.MULTILINE)
    assert set(listed) == {*EXAMPLES, "plain-border"}


def test_a_border_that_the_formula_cannot_cross_is_told():
    analysis = analyze("x[l+1] = x[l] + F(F(x[l]))", stages=[2, 2])
    assert next(w.code for w in warnings_of(analysis)) == "plain-border"


def test_a_plain_network_is_not_told_that_it_is_one():
    assert codes("x[l+1] = F(x[l])") == ["no-short-path"]


def test_projections_are_crossed_where_stages_say_so():
    analysis = analyze("x[l+1] = x[l] + F(x[l]) - F(x[l-1])", stages=[2, 2])
    text = next(w.text for w in warnings_of(analysis) if w.code == "cancels-across")
    assert "projections" in text


# Counts that cancel by length are not words that cancel: nothing here is untrained or alone.
@pytest.mark.parametrize(
    "text",
    [
        "x[l+1] = x[l] + F[l](x[l]) - F[l](x[l-1])",
        "block G\nblock H\nx[l+1] = G(F(x[l])) - H(F(x[l]))",
        "x[l+1] = 1/2*x[l] + 1/2*F(x[l])\noutput 2*x[L]",
    ],
)
def test_weights_and_signs_of_paths_are_no_number_of_paths(text: str):
    assert not {"untrained-block", "one-path"} & set(codes(text))


def test_one_block_used_at_every_depth_is_no_plain_net():
    assert "plain-net" not in codes("x[l+1] = x[l] + F[0](x[l]) - x[l]")
