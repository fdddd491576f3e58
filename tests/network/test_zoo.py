"""Recform's own backbones: what timm would say of them is true."""

from collections.abc import Callable

import pytest
import torch
from timm.models.res2net import Bottle2neck
from timm.models.resnet import Bottleneck
from torch import nn

from recform.network import CIFAR_NETS


def on_meta(name: str, **keywords: object) -> nn.Module:
    with torch.device("meta"):
        return CIFAR_NETS[name](**keywords)


@pytest.mark.parametrize("name", sorted(CIFAR_NETS))
def test_features_have_the_channels_and_strides_that_it_says(name):
    network = on_meta(name)
    shapes = {}

    def keep(module: str) -> Callable[..., None]:
        return lambda _, read, made: shapes.update({module: made.shape})

    for info in network.feature_info:
        network.get_submodule(info["module"]).register_forward_hook(keep(info["module"]))
    network.eval()(torch.zeros(1, 3, 32, 32, device="meta"))
    for info in network.feature_info:
        side = 32 // info["reduction"]
        assert shapes[info["module"]] == (1, info["num_chs"], side, side)
    assert network.num_features == network.feature_info[-1]["num_chs"]


@pytest.mark.parametrize("name", sorted(CIFAR_NETS))
def test_it_takes_the_keywords_of_a_timm_model(name):
    network = on_meta(name, num_classes=7, in_chans=1, drop_rate=0.1, global_pool="max")
    assert network(torch.zeros(2, 1, 32, 32, device="meta")).shape == (2, 7)
    network.reset_classifier(0)
    assert network(torch.zeros(2, 1, 32, 32, device="meta")).shape == (2, network.num_features)
    config = network.default_cfg
    assert network.get_submodule(config["first_conv"]).in_channels == config["input_size"][0] == 1
    assert network.get_classifier() is not None
    assert (config["input_size"], config["num_classes"]) == ((1, 32, 32), 7)


@pytest.mark.parametrize("name", ["resnet18_cifar", "resnet50_cifar", "resnext29_2x64d_cifar"])
def test_branches_start_as_they_are_unless_asked_for(name):
    def last_norms(**keywords: object) -> list[torch.Tensor]:
        network = CIFAR_NETS[name](**keywords)
        return [m.weight for path, m in network.named_modules() if path.endswith(_last(network))]

    assert all(weight.eq(1).all() for weight in last_norms())
    assert all(weight.eq(0).all() for weight in last_norms(zero_init_last=True))


def _last(network: nn.Module) -> str:
    return "bn3" if any(isinstance(module, Bottleneck) for module in network.modules()) else "bn2"


# Xie et al. (2017): cardinality x width; Gao et al. (2021): cardinality, width, scale.
@pytest.mark.parametrize(
    ("name", "groups", "width", "scale"),
    [
        ("resnext29_2x64d_cifar", 2, 64, 1),
        ("resnext29_4x64d_cifar", 4, 64, 1),
        ("res2next29_6c24w4s_cifar", 6, 24, 4),
        ("res2next29_8c25w4s_cifar", 8, 25, 4),
    ],
)
def test_groups_are_as_many_and_as_wide_as_the_name_says(name, groups, width, scale):
    block = on_meta(name).layer1[0]
    grouped = block.convs[0] if isinstance(block, Bottle2neck) else block.conv2
    assert grouped.groups == groups
    assert grouped.out_channels == groups * width
    assert block.conv1.out_channels == groups * width * scale


def test_a_wide_net_is_pre_activated():
    network = on_meta("wrn28_10_cifar")
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d)]
    # 1 + 3 * 4 * 2 and three shortcuts are 28; the classifier is one too in timm's class.
    assert len(convolutions) == 28 + 1
    assert [type(child).__name__ for child in network.stem.children()] == ["Conv2d", "Identity"]


def test_layers_of_three_stages_are_numbered_as_timm_numbers_them():
    matcher = on_meta("resnet20_cifar").group_matcher()
    assert matcher == {"stem": r"^conv1|bn1", "blocks": r"^layer(\d+)\.(\d+)"}
