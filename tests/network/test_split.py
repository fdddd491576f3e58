"""Where a network is cut: residual additions, and what is none."""

import pytest
import timm
import torch
from torch import nn

import recform
from recform.errors import UserError
from recform.network.backbone import take_apart


def cut(name: str, side: int = 224):
    with torch.device("meta"):
        model = timm.create_model(name)
    return take_apart(model, (3, side, side))


@pytest.mark.parametrize(
    ("name", "units", "borders"),
    [
        ("resnet18", 8, (2, 4, 6)),
        ("vit_tiny_patch16_224", 24, ()),
        ("convnext_atto", 12, (2, 4, 10)),
        ("swin_tiny_patch4_window7_224", 24, (4, 8, 20)),
        ("davit_tiny", 48, (8, 16, 40)),
        ("regnetx_002", 13, (0, 1, 2, 6)),
        # Hidden states of every stage go to the head as well.
        ("efficientvim_m1", 24, (8, 16)),
    ],
)
def test_units_and_borders_are_those_of_the_architecture(name, units, borders):
    backbone = cut(name)
    assert backbone.depth == units
    assert backbone.borders == borders


def test_shapes_know_where_channels_stand_and_which_tokens_have_no_place():
    assert cut("resnet18").reads[-1].channels == 512
    assert cut("swin_tiny_patch4_window7_224").reads[0].channels == 96
    tokens = cut("vit_tiny_patch16_224").reads[0]
    assert (tokens.channels, tokens.prefix, tokens.height, tokens.width) == (192, 1, 14, 14)


def test_coverage_is_the_share_of_parameters_in_branches_and_shortcuts():
    # ConvMixer adds around its depthwise convolutions only: 768*49 + 3*768 of 621,312 a block.
    backbone = cut("convmixer_768_32")
    total = sum(parameter.numel() for parameter in backbone.model.parameters())
    assert backbone.coverage == pytest.approx(32 * (768 * 49 + 768 + 2 * 768) / total)


class Pieces(nn.Module):
    """One layer in two pieces, as RepVGG has while it trains."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(4, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.wide(x) + self.narrow(x)


class Twice(nn.Module):
    """Both sides share a layer behind x: no unit is cut there."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.first(x)
        return self.second(inner) + inner + x


@pytest.mark.parametrize(
    ("block", "words"),
    [(Pieces, "1 sums of states"), (nn.Identity, "a plain net")],
)
def test_what_is_no_unit_is_refused_with_what_was_found(block, words):
    model = nn.Sequential(nn.Conv2d(3, 4, 1), block(), nn.Conv2d(4, 4, 1))
    with pytest.raises(UserError, match=words) as caught:
        recform.build("resnet", model, image_size=8)
    assert caught.value.code == "no-units"


def test_a_sum_whose_sides_meet_again_is_cut_at_the_outer_one():
    model = nn.Sequential(nn.Conv2d(3, 4, 1), Twice())
    backbone = take_apart(model, (3, 8, 8))
    assert backbone.depth == 1
    assert {str(node.target) for node in backbone.units[0].branch} >= {"1.first", "1.second"}


class Places(nn.Module):
    """Patches, and the number of each: whole numbers, which are made from images like the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 4, 4, 4)

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        return tokens, torch.arange(tokens.shape[1], device=tokens.device)


class Placed(nn.Module):
    """Every unit reads the places: they are context, and the units a chain."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Places()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(3))
        self.table = nn.Embedding(16, 4)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x, places = self.stem(images)
        for layer in self.layers:
            x = x + layer(x) * self.table(places)
        return x


def test_whole_numbers_made_from_images_are_context():
    assert take_apart(Placed(), (3, 16, 16)).depth == 3


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("densenet121", r"concatenates \(62 times\)"),
        ("vgg11", "a plain net"),
        ("crossvit_9_240", "branches beside one another"),
        ("hrnet_w18_small", r"chain of 1 unit, which holds 0\.2%"),
        ("mobilevit_xxs", r"chain of \d units, which holds"),
    ],
)
def test_a_net_that_is_no_chain_is_refused_with_the_reason(name, words):
    with pytest.raises(UserError, match=words):
        cut(name, 256 if "mobile" in name else 240 if "cross" in name else 224)


def test_taking_apart_changes_nothing_and_draws_no_random_numbers():
    model = timm.create_model("resnet18")
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    before = torch.get_rng_state()
    take_apart(model, (3, 64, 64))
    assert torch.equal(before, torch.get_rng_state())
    assert model.training
    assert all(torch.equal(value, weights[key]) for key, value in model.state_dict().items())


def test_the_batch_and_the_image_may_have_another_size_later():
    network = recform.build("resnet_s", "convnext_atto", num_classes=5).eval()
    for shape in ((1, 3, 224, 224), (3, 3, 96, 160)):
        assert network(torch.randn(shape)).shape == (shape[0], 5)
