"""Older values across stage borders, in each layout."""

import pytest
import torch
from torch import nn

import recform
from recform.errors import UserError
from recform.network.projection import PROJECTIONS, make_projection
from recform.network.shape import Shape

IMAGE = Shape((8, 14, 14), 0, 0, 14, 14)
SMALL_IMAGE = Shape((16, 7, 7), 0, 0, 7, 7)
LAST = Shape((14, 14, 8), 2, 0, 14, 14)
TOKENS = Shape((197, 8), 1, 1, 14, 14)
SMALL_TOKENS = Shape((50, 16), 1, 1, 7, 7)


@pytest.mark.parametrize("kind", PROJECTIONS)
@pytest.mark.parametrize("after", [SMALL_IMAGE, SMALL_TOKENS], ids=["image", "tokens"])
@pytest.mark.parametrize("before", [IMAGE, LAST], ids=["first", "last"])
def test_a_projection_leads_from_shape_to_shape(before, after, kind):
    if after.prefix:
        after = Shape((49, 16), 1, 0, 7, 7)
    made = make_projection(before, after, kind=kind)
    assert made(torch.randn(2, *before.sizes)).shape == (2, *after.sizes)


def test_pad_pools_and_adds_channels_of_zeros_without_weights():
    made = make_projection(IMAGE, SMALL_IMAGE, kind="pad")
    image = torch.randn(2, 8, 14, 14)
    projected = made(image)
    assert not list(made.parameters())
    # By hand: the mean of the first square of four, and nothing in the new channels.
    assert torch.allclose(projected[:, :, 0, 0][:, :8], image[:, :, :2, :2].mean(dim=(2, 3)))
    assert projected[:, 8:].abs().max() == 0


def test_class_tokens_are_carried_and_the_others_pooled_on_their_grid():
    made = make_projection(TOKENS, SMALL_TOKENS, kind="pad")
    tokens = torch.randn(2, 197, 8)
    projected = made(tokens)
    assert torch.equal(projected[:, 0, :8], tokens[:, 0])
    # Row 0, column 1 of the small grid is rows 0, 1 and columns 2, 3 of the large one.
    corner = tokens[:, [1 + 2, 1 + 3, 1 + 14 + 2, 1 + 14 + 3]].mean(dim=1)
    assert torch.allclose(projected[:, 2, :8], corner, atol=1e-6)


def test_a_resolution_that_no_stride_leads_to_is_pooled():
    made = make_projection(Shape((4, 15, 15), 0, 0, 15, 15), Shape((4, 7, 7), 0, 0, 7, 7))
    assert made(torch.randn(1, 4, 15, 15)).shape == (1, 4, 7, 7)


def test_the_projection_is_the_one_that_was_asked_for():
    padded = recform.build("resnet_s_net", "resnet20_cifar", project="pad")
    plain = recform.build("plain", "resnet20_cifar")
    added = [name for name, _ in padded.named_parameters() if name.startswith("formula")]
    assert added == []
    assert padded.architecture.projections
    assert not plain.architecture.projections
    pooled = recform.build("resnet_s_net", "resnet20_cifar", project="pool-conv")
    assert any(isinstance(module, nn.AvgPool2d) for module in pooled.formula.modules())


def test_a_saved_network_keeps_projection_and_unit(tmp_path):
    network = recform.build("resnet_s", "test_vit", project="pad", unit="block")
    recform.save_network(network, tmp_path)
    again = recform.load_network(tmp_path)
    assert again.architecture.plan == network.architecture.plan
    assert again.architecture.num_blocks == network.architecture.num_blocks


@pytest.mark.parametrize("choice", [{"project": "conf"}, {"unit": "layer"}])
def test_an_unknown_choice_is_refused_with_those_there_are(choice):
    with pytest.raises(UserError, match=r"pool-conv|block"):
        recform.build("resnet", "resnet20_cifar", **choice)


@pytest.mark.parametrize(
    "formula",
    [
        "resnet_s",
        "revnet",
        "x[l+1] = x[l] + F(F(x[l]))",
        "x[l+1] = x[l] - x[l-1] + F(x[l-2])",
        "x[l+1] = act(x[l] + F(x[l-1]) + F(norm(x[l])))",
        "block G\nx[l+1] = x[l] + F(x[l]) - G(x[l-1])",
    ],
)
@pytest.mark.parametrize("backbone", ["mobilenetv3_small_050", "test_vit", "pvt_v2_b0"])
def test_formulas_reach_every_parameter_on_other_families(backbone, formula):
    network = recform.build(formula, backbone, num_classes=3)
    side = 160 if backbone == "test_vit" else 224
    network(torch.randn(2, 3, side, side)).square().mean().backward()
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
