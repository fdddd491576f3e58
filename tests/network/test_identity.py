"""The backbone's own formula gives the backbone back, bit for bit and key for key."""

import copy

import pytest
import timm
import torch
from torch import nn

import recform
from recform.network import CIFAR_NETS

OWN_FORMULA = "x[l+1] = act(x[l] + F(x[l]))"
BACKBONES = (
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet50d",
    "seresnet50",
    "seresnext26d_32x4d",
    "resnext50_32x4d",
    "wide_resnet50_2",
    "ecaresnet26t",
)


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def perturb(model: nn.Module) -> None:
    """Random weights and statistics everywhere: norms at zero would hide a wrong branch."""
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point() and tensor.ndim > 1:
                tensor.mul_(1 + 0.1 * torch.randn_like(tensor))
            elif tensor.is_floating_point():
                tensor.add_(0.1 * torch.rand_like(tensor))


def pair(backbone: str) -> tuple[nn.Module, nn.Module]:
    plain = timm.create_model(backbone)
    built = recform.build(OWN_FORMULA, backbone=copy.deepcopy(plain))
    return plain, built


def outputs_and_gradients(model: nn.Module, images: torch.Tensor) -> list[torch.Tensor]:
    model.zero_grad()
    output = model(images)
    assert output.isfinite().all(), "numbers that overflowed compare as different"
    output.square().mean().backward()
    return [output.detach(), *(parameter.grad for parameter in model.parameters())]


@pytest.mark.slow
@pytest.mark.parametrize("is_perturbed", [False, True], ids=["as made", "perturbed"])
@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_own_formula_is_the_backbone_to_the_bit(backbone, is_perturbed):
    plain, built = pair(backbone)
    if is_perturbed:
        perturb(plain)
        built.load_state_dict(plain.state_dict())
    assert list(built.state_dict()) == list(plain.state_dict())
    images = torch.randn(2, 3, 64, 64)
    for training in (True, False):
        plain.train(training)
        built.train(training)
        expected = outputs_and_gradients(plain, images)
        for mine, timms in zip(outputs_and_gradients(built, images), expected, strict=True):
            assert torch.equal(mine, timms)
    # the running statistics went the same way
    for mine, timms in zip(built.buffers(), plain.buffers(), strict=True):
        assert torch.equal(mine, timms)


@pytest.mark.parametrize("name", sorted(CIFAR_NETS))
def test_the_own_formula_is_the_cifar_net_to_the_bit(name):
    plain = CIFAR_NETS[name]()
    built = recform.build(OWN_FORMULA, backbone=copy.deepcopy(plain))
    perturb(plain)
    built.load_state_dict(plain.state_dict())
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(built(images), plain(images))


def test_stochastic_depth_draws_the_same_masks():
    plain = timm.create_model("resnet18", drop_path_rate=0.5)
    built = recform.build(OWN_FORMULA, backbone=copy.deepcopy(plain))
    images = torch.randn(4, 3, 64, 64)
    torch.manual_seed(1)
    expected = plain.train()(images)
    torch.manual_seed(1)
    assert torch.equal(built.train()(images), expected)
