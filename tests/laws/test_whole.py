"""Laws of the whole language: printing, counting, and what a compiled network's slope is."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from fractions import Fraction
from unittest.mock import patch

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from oracles import bent
from oracles.walk import TooManyWordsError
from torch import nn

from laws.whole import TERMS, whole_formulas
from recform import compile
from recform.errors import UserError
from recform.formula import parse
from recform.network.emit import ACTIVATIONS
from recform.paths import analyze
from recform.tape import Call, unroll
from tests.laws.blocks import Times

LAW = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
MAX_DEPTH = 4
FUNCTIONS = ("cat", "max", "gate", "gate_static", "attend", "gru")
ROUNDING = 2.0**-53


@LAW
@given(whole_formulas())
def test_a_printed_formula_is_read_as_the_same_formula(text: str) -> None:
    formula = parse(text)
    assert parse(str(formula)) == formula
    assert str(parse(str(formula))) == str(formula)


@pytest.mark.slow
@settings(LAW, max_examples=2_000)
@given(whole_formulas(6))
def test_two_thousand_printed_formulas_are_read_as_the_same(text: str) -> None:
    assert parse(str(parse(text))) == parse(text)


@LAW
@given(whole_formulas(), st.integers(0, MAX_DEPTH), st.integers(0, 2))
def test_counts_are_those_of_the_words_multiplied_out(text: str, depth: int, start: int) -> None:
    formula, start = parse(text), min(start, depth)
    try:
        expected = bent.count(formula, depth, start)
    except TooManyWordsError:
        return
    if expected is None:
        return
    try:
        found = analyze(formula, depth, start)
    except UserError as error:
        if "is the constant 0" in str(error):
            return
        raise
    assert _row(found.net) == expected.net
    assert _row(found.gross) == expected.gross
    assert _row(found.distinct) == expected.distinct


@LAW
@given(whole_formulas(), st.integers(0, MAX_DEPTH), st.sampled_from((-0.75, 0.5, 1.25)))
def test_slope_of_a_network_is_that_of_the_formula_with_numbers(
    text: str, depth: int, weight: float
) -> None:
    """Errors: each operation rounds by 2^-53 of what it makes, no more than `size`, which adds up
    absolute values; an output is made by at most as many operations as the tape is long, and each
    value is made of at most two others: a generous factor is the square of that length."""
    formula = parse(text)
    expected = bent.slope(formula, depth, lambda block, index: weight + index / 8, at=0.5)
    if expected is None or expected[2] > 1e9:
        return
    tape = unroll(formula, depth)
    blocks: dict[str, list[nn.Module]] = {}
    for block, index in sorted({(op.block, op.index) for op in tape.operations
                                if isinstance(op, Call)}):  # fmt: skip
        blocks.setdefault(block, []).append(Times(weight + index / 8))
    network = _compile(formula, blocks, depth)
    point = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    output = network(point)
    (gradient,) = torch.autograd.grad(output.sum() + 0 * point.sum(), point)
    tolerance = len(tape.operations) ** 2 * ROUNDING * max(expected[2], 1)
    assert abs(output.item() - expected[0]) <= tolerance
    assert abs(gradient.item() - expected[1]) <= tolerance


def test_every_term_occurs_in_random_formulas() -> None:
    texts: list[str] = []

    @settings(LAW, phases=[Phase.generate])
    @given(whole_formulas())
    def collect(text: str) -> None:
        texts.append(text)

    collect()
    signs = ("a[l]*", "b*", "(1 - a[l])", "stopgrad(", "drop(", "cat(", "max(", "gate(", "attend(",
             "gru(", "linear(", "se(", "p[l, i]", "gate_static(", "in s..l")  # fmt: skip
    for sign in signs:
        assert sum(sign in text for text in texts) >= len(texts) / 50, sign
    assert len(TERMS) > len(signs)


def _compile(formula, blocks, depth):
    """Functions of several values add up; all other functions are identities."""
    functions = dict.fromkeys(FUNCTIONS, lambda *values: sum(values[1:], values[0]))
    identity = dict.fromkeys(("drop", "linear", "se", "norm"), torch.clone)
    plain = {name: torch.clone for name in ACTIVATIONS if name != "stopgrad"}
    with ExitStack() as stack:
        stack.enter_context(patch.dict(ACTIVATIONS, plain))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")
        torch.set_default_dtype(torch.float64)
        stack.callback(torch.set_default_dtype, torch.float32)
        return compile(formula, blocks, depth=depth, functions={**functions, **identity})


def _row(counts) -> list[Fraction]:
    return [Fraction(count) for count in counts]


def test_an_absent_output_is_refused() -> None:
    with pytest.raises(UserError) as refusal:
        compile("x[l+1] = x[l-2]*F(x[l])", [nn.Identity()], depth=1)
    assert refusal.value.code == "absent-output"
