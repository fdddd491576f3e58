"""What is analyzed is what is trained: compiled networks have the slopes that the paths predict.

Activations and norms are identities here, as in the counts. Tolerances: a derivative is a sum over
paths as drawn, each a product of constants and blocks. In float64 every operation on the way
rounds by at most u = 2^-53 of what it makes, so the error is at most m * u * M to first order,
with m the roundings on one path and M the sum of the absolute values of all paths: the gross
polynomial at the size of the blocks. A path passes each node of the graph at most once. A node
rounds twice (its constant and its product), or as often as a matrix has columns, plus one; and
what we compare with is rounded likewise, hence one factor 2 more.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from unittest.mock import patch

import numpy
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles.walk import TooManyWordsError, Walk, walk, walk_from_blocks
from torch import fx, nn

from laws.formulas import formulas
from recform import compile
from recform.errors import UserError
from recform.formula import Formula, parse
from recform.network.emit import ACTIVATIONS
from recform.paths import parameter_gradients
from recform.tape import unroll
from tests.laws.blocks import Times

LAW = settings(
    max_examples=300,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
MAX_WORDS = 1_500
ROUNDING = 2.0**-53
SIZE = 3

Letter = tuple[str, int]


class TimesPlus(nn.Module):
    """A block that multiplies by a number and adds a bias, the one parameter that it has."""

    def __init__(self, weight: float, bias: nn.Parameter) -> None:
        super().__init__()
        self.weight = weight
        self.bias = bias

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        return self.weight * state + self.bias


@LAW
@given(formulas(), st.integers(0, 5), st.sampled_from((-1.25, -0.5, 0.75, 1.5)))
def test_slope_is_the_net_polynomial_at_the_weight(text: str, depth: int, weight: float) -> None:
    formula = parse(text)
    walked = _walk_to(formula, depth)
    if not walked.has_output:
        _assert_refused(formula, walked)
        return
    network = _compile(formula, walked, lambda letter: Times(weight))
    expected = sum(float(count) * weight**length for length, count in enumerate(walked.net))
    size = sum(float(count) * abs(weight) ** length for length, count in enumerate(walked.gross))
    [[slope]] = _jacobian(network, 1)
    assert abs(slope - expected) <= _tolerance(network, size, roundings=2)


@LAW
@given(formulas(), st.integers(0, 5), st.integers(0, 2**32))
def test_jacobian_is_the_sum_of_the_words(text: str, depth: int, seed: int) -> None:
    formula = parse(text)
    walked = _walk_to(formula, depth)
    if not walked.has_output:
        _assert_refused(formula, walked)
        return
    random = numpy.random.default_rng(seed)
    weights = {letter: random.uniform(-1, 1, (SIZE, SIZE)) for letter in sorted(walked.letters)}
    network = _compile(formula, walked, lambda letter: _linear(weights[letter]))
    norm = max((abs(weight).sum(axis=1).max() for weight in weights.values()), default=0)
    size = sum(float(count) * norm**length for length, count in enumerate(walked.gross))
    difference = _jacobian(network, SIZE) - _sum_of_words(walked, weights)
    assert abs(difference).max() <= _tolerance(network, size, roundings=SIZE + 1)


@LAW
@given(formulas(), st.integers(0, 5), st.sampled_from((-1.25, -0.5, 0.75, 1.5)))
def test_gradient_of_a_bias_is_the_parameter_gradient_at_the_weight(
    text: str, depth: int, weight: float
) -> None:
    formula = parse(text)
    walked = _walk_to(formula, depth)
    if not walked.letters:
        return
    gross = walk_from_blocks(formula, walked.depth)
    biases = {letter: nn.Parameter(torch.zeros(1, dtype=torch.float64)) for letter in gross}
    network = _compile(formula, walked, lambda letter: TimesPlus(weight, biases[letter]))
    network(torch.ones(1, dtype=torch.float64)).sum().backward()
    counted = parameter_gradients(unroll(formula, walked.depth))
    assert counted.keys() == {f"{block}[{index}]" for block, index in biases}
    for (block, index), bias in biases.items():
        counts = counted[f"{block}[{index}]"]
        expected = sum(float(count) * weight**length for length, count in enumerate(counts))
        sizes = enumerate(gross[block, index].gross)
        size = sum(float(count) * abs(weight) ** length for length, count in sizes)
        slope = 0.0 if bias.grad is None else bias.grad.item()
        assert abs(slope - expected) <= _tolerance(network, size, roundings=2)


def test_an_absent_output_is_refused() -> None:
    formula = parse("x[l+1] = F(x[l-1])")
    assert not walk(formula, 3).has_output
    _assert_refused(formula, walk(formula, 3))


def test_an_output_may_be_a_negation() -> None:
    formula = parse("x[l+1] = -F(x[l])")
    walked = walk(formula, 3)
    [[slope]] = _jacobian(_compile(formula, walked, lambda letter: Times(2.0)), 1)
    assert slope == -8


def _walk_to(formula: Formula, depth: int) -> Walk:
    """The words at this depth, or at the largest below where they are few enough."""
    while True:
        try:
            return walk(formula, depth, most=MAX_WORDS)
        except TooManyWordsError:
            depth -= 1


def _compile(
    formula: Formula, walked: Walk, make_block: Callable[[Letter], nn.Module]
) -> fx.GraphModule:
    """The network with blocks of our own, and identities for all that has no weights."""
    blocks = {
        name: [make_block(letter) for letter in sorted(walked.letters) if letter[0] == name]
        for name in ("F", *formula.blocks)
    }
    with ExitStack() as stack:
        stack.enter_context(patch.dict(ACTIVATIONS, dict.fromkeys(ACTIVATIONS, torch.clone)))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("error")  # a block that nothing uses is a letter too many
        return compile(formula, blocks, depth=walked.depth, act=nn.Identity(), norm=nn.Identity)


def _assert_refused(formula: Formula, walked: Walk) -> None:
    with pytest.raises(UserError) as refusal:
        compile(formula, {"F": [], "G": []}, depth=walked.depth)
    assert refusal.value.code == "absent-output"


def _linear(weight: numpy.ndarray) -> nn.Module:
    block = nn.Linear(SIZE, SIZE, bias=False, dtype=torch.float64)
    block.weight = nn.Parameter(torch.from_numpy(weight))
    return block


def _jacobian(network: fx.GraphModule, size: int) -> numpy.ndarray:
    point = torch.linspace(-1, 1, size, dtype=torch.float64)
    return torch.autograd.functional.jacobian(network, point).numpy()


def _sum_of_words(walked: Walk, weights: Mapping[Letter, numpy.ndarray]) -> numpy.ndarray:
    total = numpy.zeros((SIZE, SIZE))
    for word, coefficient in walked.words.items():
        product = numpy.eye(SIZE)
        for call in word:
            _, block, index, _ = call.operation
            product = product @ weights[block, index]
        total += float(coefficient) * product
    return total


def _tolerance(network: fx.GraphModule, size: float, roundings: int) -> float:
    return 2 * len(network.graph.nodes) * roundings * ROUNDING * size
