"""Ten formulas as different as can be on ten families: a network is what its pair says.

Here some pairs, one of each formula and of each family at least; all hundred by `make test-zoo`.
"""

from __future__ import annotations

import copy
import pickle
import shutil
from itertools import product

import pytest
import torch

import recform
from tests.network.small import FAMILIES, FORMULAS, side_of, small

ALL = [(family, name) for name, family in product(FORMULAS, FAMILIES)]
# Formula number k on family number k, and on the next one where both are quick.
DIAGONAL = [
    *zip(FAMILIES, FORMULAS, strict=True),
    ("resnet", "cat"),
    ("vit", "gates"),
    ("swin", "cat"),
    ("convnext", "older"),
    ("resnetv2", "hyper-connections"),
]
ROUNDING = {"rtol": 1e-4, "atol": 1e-5}


def pairs(quick: list[tuple[str, str]], more: list[tuple[str, str]]) -> list:
    """The quick pairs, and the others with the mark that leaves them to `make test-zoo`."""
    rest = [pytest.param(*pair, marks=pytest.mark.zoo) for pair in more if pair not in quick]
    return [*(pytest.param(*pair) for pair in quick), *rest]


def images_for(family: str) -> torch.Tensor:
    side = side_of(family)
    return torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name"), pairs(DIAGONAL, ALL))
def test_a_pair_learns_and_its_twins_compute_the_same(family, name, tmp_path):
    torch.manual_seed(0)
    network, images = small(family, name), images_for(family)
    network(images).square().mean().backward()
    gradients = {key: parameter.grad for key, parameter in network.named_parameters()}
    assert [key for key, gradient in gradients.items() if gradient is None] == []
    assert all(gradient.isfinite().all() for gradient in gradients.values())
    recform.save_network(network, tmp_path)
    with torch.no_grad():
        expected = network.eval()(images)
        for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network)),
                     recform.load_network(tmp_path).eval()):  # fmt: skip
            assert torch.equal(twin(images), expected)


@pytest.mark.slow
@pytest.mark.parametrize(("family", "name"), pairs(DIAGONAL[:1], DIAGONAL[:10]))
def test_torch_compiles_and_exports_a_pair_whole(family, name):
    network, images = small(family, name).eval(), images_for(family)
    with torch.no_grad():
        expected = network(images)
        compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
        assert torch.allclose(compiled(images), expected, **ROUNDING)
        exported = torch.export.export(network, (images,)).module()
        assert torch.allclose(exported(images), expected, **ROUNDING)


@pytest.mark.zoo
@pytest.mark.skipif(not shutil.which("c++"), reason="inductor needs a C++ compiler")
@pytest.mark.parametrize(
    ("family", "name"), [("resnet", "gates"), ("vit", "learned"), ("swin", "cat")]
)
def test_inductor_compiles_a_pair(family, name):
    network, images = small(family, name).eval(), images_for(family)
    with torch.no_grad():
        compiled = torch.compile(network, fullgraph=True, backend="inductor")
        assert torch.allclose(compiled(images), network(images), rtol=1e-3, atol=1e-4)
