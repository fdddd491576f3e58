"""Streams mixed by matrices are what numpy makes of them, and so are their slopes."""

from __future__ import annotations

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from recform import compile
from recform.paths import analyze

TEXT = """
stream h[{n}] = input
param r[l, {n}] = 1
param w[l, {n}] = 1
param A[l, {n}, {n}] = 1
h[l+1] = A[l] @ h[l] + w[l] * F(r[l] @ h[l])
output sum(h[L])
"""


class Times(nn.Module):
    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        return self.weight * state


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(0, 4), st.integers(0, 2**32 - 1))
def test_slope_is_a_product_of_matrices(num_streams: int, depth: int, seed: int) -> None:
    random = numpy.random.default_rng(seed)
    weights = random.uniform(-1, 1, depth)
    network = compile(TEXT.format(n=num_streams), [Times(weight) for weight in weights]).double()
    streams = numpy.ones(num_streams)
    for layer in range(depth):
        numbers = {
            "A": random.uniform(-1, 1, (num_streams, num_streams)),
            "r": random.uniform(-1, 1, num_streams),
            "w": random.uniform(-1, 1, num_streams),
        }
        for name, value in numbers.items():
            network.get_parameter(f"formula.{name}.{layer}").data = torch.from_numpy(value)
        read = numbers["r"] @ streams
        streams = numbers["A"] @ streams + numbers["w"] * weights[layer] * read
    point = torch.ones(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network(point).sum(), point)
    assert slope.item() == pytest.approx(streams.sum(), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("num_streams", [1, 2, 3])
@pytest.mark.parametrize("weight", [-0.5, 2])
def test_with_all_coefficients_one_the_slope_is_the_net_polynomial(
    num_streams: int, weight: float
) -> None:
    text = TEXT.format(n=num_streams)
    network = compile(text, [Times(weight) for _ in range(3)]).double()
    point = torch.ones(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network(point).sum(), point)
    counts = analyze(text, 3).net
    assert counts is not None
    assert slope.item() == sum(count * weight**length for length, count in enumerate(counts))
