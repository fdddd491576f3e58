"""Nets that are not timm's: torchvision's, and such as people write by hand."""

import copy

import pytest
import torch
from torch import nn

import recform
from recform.errors import UserError
from recform.network import check_identity

torchvision = pytest.importorskip("torchvision")


def regnet() -> nn.Module:
    from torchvision.models.regnet import BlockParams, RegNet

    params = BlockParams.from_init_params(
        depth=5, w_0=16, w_a=12.0, w_m=2.0, group_width=8, se_ratio=0.25
    )
    return RegNet(params, num_classes=5)


def convnext() -> nn.Module:
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    return ConvNeXt([CNBlockConfig(16, 24, 2), CNBlockConfig(24, None, 2)], 0.1, num_classes=5)


def swin() -> nn.Module:
    from torchvision.models import SwinTransformer

    return SwinTransformer([4, 4], 16, [2, 2], [2, 2], [2, 2], num_classes=5)


def vit() -> nn.Module:
    from torchvision.models import VisionTransformer

    return VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)


def efficientnet() -> nn.Module:
    from torchvision.models.efficientnet import EfficientNet, MBConvConfig

    blocks = [MBConvConfig(2, 3, 1, 16, 16, 2, 1, 1), MBConvConfig(2, 5, 2, 16, 24, 3, 1, 1)]
    return EfficientNet(blocks, dropout=0.1, num_classes=5, last_channel=32)


class Mlp(nn.Module):
    """A residual MLP whose forward is a loop: `x = x + f(x)`."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(3 * 32 * 32, 16)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(16), nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))
            for _ in range(4)
        )
        self.last = nn.Linear(16, 5)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.stem(images.flatten(1))
        for block in self.blocks:
            x = x + block(x)
        return self.last(x)


class Relus(Mlp):
    """The loop with an activation behind the sum, which `act` then places."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.stem(images.flatten(1))
        for block in self.blocks:
            x = torch.relu(x + block(x))
        return self.last(x)


class Wide(nn.Module):
    """A unit in a module of its own, with a shortcut where the width changes, and a scale."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.f = nn.Sequential(nn.Conv2d(before, after, 3, 2, 1), nn.ReLU(True),
                               nn.Conv2d(after, after, 3, 1, 1))  # fmt: skip
        self.shortcut = nn.Conv2d(before, after, 1, 2)
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.shortcut(x) + self.scale * self.f(x))


def convnet() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), Wide(8, 12), Wide(12, 16), nn.Flatten(),
                         nn.Linear(1024, 5))  # fmt: skip


NETS = {"torchvision resnet18": (torchvision.models.resnet18, 8), "torchvision regnet": (regnet, 5),
        "torchvision convnext": (convnext, 4), "torchvision swin": (swin, 8),
        "torchvision vit": (vit, 4), "torchvision efficientnet": (efficientnet, 4),
        "a loop over blocks": (Mlp, 4),
        "a loop with activations": (Relus, 4), "units with shortcuts": (convnet, 2)}  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_the_own_formula_is_the_net_to_the_bit(name):
    make, num_units = NETS[name]
    found = check_identity(make(), image_size=32)
    assert found.differences == ()
    assert found.num_units == num_units


@pytest.mark.parametrize("name", NETS)
def test_another_formula_reaches_every_parameter(name):
    network = recform.build("x[l+1] = act(x[l] + F(x[l])) - F(x[l-1])", NETS[name][0](),
                            image_size=32)  # fmt: skip
    network(torch.randn(2, 3, 32, 32)).square().mean().backward()
    assert [key for key, p in network.named_parameters() if p.grad is None] == []


def test_an_activation_in_a_loop_is_the_units_and_no_border():
    network = recform.build("x[l+1] = act(x[l] + F(F(x[l])))", Relus(), image_size=32)
    assert network.architecture.plain_borders == ()
    assert network.code.count("torch.relu(") == 4


class Decides(Mlp):
    """What comes next hangs on the numbers: no graph says so."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        x = self.stem(images.flatten(1))
        for block in self.blocks:
            x = x + block(x) if x.sum() > 0 else x
        return self.last(x)


class Early(Mlp):
    """Every state is read at the end: no chain, for later ways do not pass the earlier sums."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        states = [self.stem(images.flatten(1))]
        for block in self.blocks:
            states.append(block(states[-1]))
        return self.last(torch.stack(states).sum(0))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (Decides, "cannot be followed: it decides by the numbers in a tensor"),
        (Early, "a plain net|concatenates|chain"),
    ],
)
def test_what_is_no_chain_is_refused_in_words(make, words):
    with pytest.raises(UserError, match=words) as refusal:
        recform.build("resnet", make(), image_size=32)
    assert refusal.value.code == "no-units"


def test_images_of_a_size_that_a_net_does_not_take_are_named():
    with pytest.raises(UserError, match="cannot be followed") as refusal:
        recform.build("resnet", Mlp(), image_size=7)
    assert "images of 3x7x7 were tried" in str(refusal.value)


def test_the_chain_of_one_stage_is_built_where_the_model_branches():
    timm = pytest.importorskip("timm")
    model = timm.create_model("cs3darknet_focus_s", num_classes=5).eval()
    images = torch.randn(2, 3, 64, 64)
    given = {}
    for place, stage in enumerate(model.stages):
        stage.blocks.register_forward_hook(
            lambda _, arguments, __, place=place: given.update({place: arguments[0].shape})
        )
    with torch.no_grad():
        expected = model(images)
        built = copy.deepcopy(model)
        for place, stage in enumerate(built.stages):
            recform.build("x[l+1] = act(x[l] + F(x[l]))", stage.blocks,
                          in_chans=given[place][1], image_size=given[place][2])  # fmt: skip
        assert torch.equal(built(images), expected)


def test_a_model_that_follows_a_formula_is_not_built_again():
    built = recform.build("resnet", Mlp(), image_size=32)
    with pytest.raises(UserError, match="follows a formula already"):
        recform.build("resnet_s", built, image_size=32)
