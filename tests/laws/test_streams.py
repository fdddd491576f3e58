"""Streams mixed by matrices are what numpy makes of them, and so are their slopes."""

from __future__ import annotations

import warnings

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recform import compile
from recform.paths import analyze
from tests.laws.blocks import Times

TEXT = """
stream h[{n}] = input
param r[l, {n}] = 1
param w[l, {n}] = 1
param A[l, {n}, {n}] = 1
h[l+1] = A[l] @ h[l] + w[l] * F(r[l] @ h[l])
output sum(h[L])
"""


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


DECLARED = """stream h[{n}] = input
param A[l, {n}, {n}] = 1
param r[l, {n}] = 1
param w[l, {n}] = 1
param a[l] = 1
param e = 1
"""
TERMS = ("A[l] @ h[l]", "h[l]", "1/2*h[l-1]", "h[0]", "a[l]*h[l]", "w[l]*F(r[l] @ h[l])",
         "w[l]*mean(h[l])", "e*w[l]*F(sum(h[l]))", "w[l]*F[l](r[l] @ h[l-1])",
         "w[l]*sum(F(r[i] @ h[i]) for i in 0..l)", "(h[l] if l % 2 == 0 else a[l]*h[0])",
         "A[l] @ (h[l] - h[l-1])", "w[l]*(F(sum(h[l])) - sum(h[l-1]))")  # fmt: skip
OUTPUTS = ("sum(h[L])", "mean(h[L])", "r[0] @ h[L]", "sum(h[L]) + F(sum(h[L-1]))")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from("+-"), st.sampled_from(TERMS)), min_size=1, max_size=3),
    st.sampled_from(OUTPUTS),
    st.integers(1, 3),
    st.integers(1, 3),
    st.sampled_from((-0.5, 1.5)),
)
def test_the_slope_of_random_streams_is_their_net_polynomial(
    terms: list[tuple[str, str]], output: str, num_streams: int, depth: int, weight: float
) -> None:
    """Coefficients are 1 in the network as in the counts, and each block multiplies by a weight."""
    right = "".join(f" {sign} {term}" for sign, term in terms)
    text = DECLARED.format(n=num_streams) + f"h[l+1] = 0*h[l]{right}\noutput {output}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        network = compile(text, [Times(weight) for _ in range(depth)], depth=depth).double()
    point = torch.ones(1, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(network(point).sum() + 0 * point.sum(), point)
    net = analyze(text, depth).net
    assert net is not None
    expected = sum(float(count) * weight**length for length, count in enumerate(net))
    assert slope.item() == pytest.approx(expected, rel=1e-9, abs=1e-9)
