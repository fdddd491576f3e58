"""The backbone's own formula gives the backbone back, bit for bit and key for key.

The wide sweep, one model of each of timm's families, is benchmarks/identity.py.
"""

import copy

import pytest
import timm
import torch
from torch import nn

import recform
from recform.network import CIFAR_NETS, check_identity
from recform.network.identity import OWN_FORMULA, perturb

# Small models, each of another kind: what it is there for.
BACKBONES = {
    "resnet18": "ReLU behind the sum",
    "seresnext26d_32x4d": "squeeze-and-excitation, groups, pooled shortcuts",
    "ecaresnet26t": "a deep stem",
    "resnetv2_18": "activations before the branch and its shortcut",
    "regnetx_002": "a border in the first unit",
    "res2net50_14w_8s": "sums inside of a branch",
    "nf_ecaresnet26": "gains that are changed in place",
    "mobilenetv3_small_050": "blocks without a shortcut between units",
    "ghostnet_050": "shortcuts of depthwise convolutions",
    "convnext_atto": "permuted branches, scales at almost zero",
    "fastvit_t8": "layers in several pieces, which are no units",
    "edgenext_xx_small": "convolutions and attention mixed",
    "test_vit": "two units a block, a class token",
    "xcit_nano_12_p16_224": "three units a block, heads with units of their own",
    "pvt_v2_b0": "height and width as arguments",
    "gmlp_ti16_224": "gates",
    "efficientvit_m0": "attention in a cascade",
    "mobilevitv2_050": "images unfolded to tokens",
    "tiny_vit_5m_224": "images and tokens by turns",
    "starnet_s050": "products of two branches",
    "efficientvim_m1": "results of every stage for the head",
    "levit_128s": "attention that shrinks a state",
    "test_maxvit": "convolutions, windows and grids",
    "test_nfnet": "norms in the weights",
    "test_mambaout": "gated convolutions",
}


@pytest.mark.slow
@pytest.mark.parametrize("backbone", BACKBONES)
def test_the_own_formula_is_the_backbone_to_the_bit(backbone):
    assert check_identity(backbone).differences == ()


def test_the_check_finds_what_differs(monkeypatch):
    monkeypatch.setattr("recform.network.identity.OWN_FORMULA", "x[l+1] = x[l] + act(F(x[l]))")
    found = check_identity("resnet18", image_size=32)
    assert not found.holds
    assert "output in training, weights perturbed" in found.differences
    assert "keys" not in found.differences


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


def test_a_model_of_torchvision_is_its_own_formula():
    torchvision = pytest.importorskip("torchvision")
    plain = torchvision.models.resnet18().eval()
    built = recform.build(OWN_FORMULA, backbone=copy.deepcopy(plain), image_size=64).eval()
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(built(images), plain(images))
    assert list(built.state_dict()) == list(plain.state_dict())


class Block(nn.Module):
    """A hand-written unit with a scale, dropout by function, and a sum in place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        branch = torch.relu(self.layer(x)) * self.scale
        branch = nn.functional.dropout(branch, 0.5, self.training)
        branch += x
        return torch.tanh(branch)


def test_a_hand_written_net_is_its_own_formula_in_both_modes():
    plain = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(2), *(Block(64) for _ in range(3)))
    built = recform.build(OWN_FORMULA, backbone=copy.deepcopy(plain), image_size=32)
    assert built.architecture.num_blocks == 3
    images = torch.randn(2, 3, 32, 32)
    for training in (True, False):
        torch.manual_seed(1)
        expected = plain.train(training)(images)
        torch.manual_seed(1)
        assert torch.equal(built.train(training)(images), expected)


def test_a_whole_block_as_unit_is_the_backbone_up_to_rounding():
    plain = timm.create_model("test_vit").eval().double()
    built = recform.build(OWN_FORMULA, backbone=copy.deepcopy(plain), unit="block").eval()
    sums = recform.build(OWN_FORMULA, backbone=copy.deepcopy(plain)).architecture.num_blocks
    assert built.architecture.num_blocks == sums // 2
    images = torch.randn(2, 3, 160, 160).double()
    with torch.no_grad():
        # x + (A + M) and (x + A) + M differ by two roundings a block, some 1e-16 each.
        assert torch.allclose(built(images), plain(images), rtol=0, atol=1e-12)
