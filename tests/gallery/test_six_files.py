"""The six formulas that people copy first work as printed: each is one of the gallery, by value.

What the gallery's tests show of a formula, networks and gradients included, so holds for the text
as it stands here.
"""

from __future__ import annotations

import pytest

from recform.formula import parse, resolve
from recform.paths import analyze

SIX = {
    "highway": """
# Highway network, eq. (1)
block T = sigmoid_conv1x1(bias=-2)
x[l+1] = T(x[l]) * F(x[l]) + (1 - T(x[l])) * x[l]
""",
    "skip_resnet": """
# SkipResNet (takedarts/skipresnet)
history stage
x[l+1] = act(gate(F(x[l]), x[l - 2^k + 1] for k in 0..))
""",
    "densenet": """
# DenseNet: every block reads all earlier outputs of its stage
history stage
y[l] = F[l](cat(x[s], y[i] for i in s..l-1))
x[l+1] = cat(x[s], y[i] for i in s..l)
""",
    "rk4": """
# Runge-Kutta 4 with four blocks a step
block G
block H
block K
a[l] = F(x[l])
b[l] = G(x[l] + 1/2*a[l])
c[l] = H(x[l] + 1/2*b[l])
d[l] = K(x[l] + c[l])
x[l+1] = x[l] + 1/6*a[l] + 1/3*b[l] + 1/3*c[l] + 1/6*d[l]
""",
    "hyper_connections": """
# Hyper-connections, static, four streams
stream h[4] = input
param r[l, 4] = one_hot(l % 4)
param w[l, 4] = 1
param A[l, 4, 4] = identity
h[l+1] = A[l] @ h[l] + w[l] * F(r[l] @ h[l])
output sum(h[L])
""",
    "attention_residuals": """
# Attention over depth: each block reads a softmax mixture of all earlier outputs
v[l] = F[l](attend(x[0], v[i] for i in 0..l-1))
x[l+1] = attend(x[0], v[i] for i in 0..l)
""",
}


@pytest.mark.parametrize("name", SIX)
def test_the_text_is_the_formula_of_the_gallery(name: str):
    assert parse(SIX[name]) == resolve(name)


@pytest.mark.parametrize(
    ("name", "gross"),
    [
        # T and F on one input, each beside what the other makes, and the skip beside both
        ("highway", 4),
        # a stage's first block: the block, and the state that it reads
        ("skip_resnet", 2),
        # F of the input, and the input itself
        ("densenet", 2),
        # 1 + 1 + 1/2 + 1/6 + 1/24: a method of order four has the exponential series so far
        ("rk4", "65/24"),
        # the input, and one block of it
        ("attention_residuals", 2),
    ],
)
def test_paths_through_one_block(name: str, gross: object):
    total = sum(analyze(parse(SIX[name]), 1).gross or ())
    assert str(total) == str(gross)
