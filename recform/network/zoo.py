"""Backbones for CIFAR-sized images, by name: `resnet20_cifar`, `resnet18_cifar`, ...

All have a 3x3 stem without pooling, and all are made of timm's blocks, in timm's classes where
these reach:

    resnet18/34/50/101/152_cifar  the ImageNet nets, four stages of 64 to 512 channels
                                  (as in Liao et al. 2021, table 9)
    seresnet18/34/50/101_cifar    the same with squeeze and excitation (Hu et al. 2018)
    resnet20/32/44/56/110_cifar   three stages of 16, 32, 64 channels (He et al. 2016a, section 4.2,
                                  with projections where the shape changes)
    resnext29_2x64d/4x64d_cifar   three stages of grouped bottlenecks (Xie et al. 2017)
    res2next29_6c24w4s/8c25w4s_cifar  three stages of Res2Net bottlenecks: cardinality, width and
                                  scale as in Gao et al. (2021)
    wrn28_10/40_10_cifar          wide and pre-activated (Zagoruyko and Komodakis 2016)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from timm.layers import BatchNormAct2d, SEModule, create_classifier, create_conv2d
from timm.models.res2net import Bottle2neck
from timm.models.resnet import BasicBlock, Bottleneck, ResNet, make_blocks
from timm.models.resnetv2 import ResNetV2
from torch import nn

CIFAR_INPUT = (3, 32, 32)
CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def four_stages(
    block: type[BasicBlock] | type[Bottleneck],
    layers: tuple[int, int, int, int],
    num_classes: int = 10,
    in_chans: int = 3,
    zero_init_last: bool = False,
    **keywords: Any,
) -> ResNet:
    """timm's ResNet with a 3x3 stem of stride 1 and no pooling, for 32x32 images.

    Branches start as they are, as in the code that Liao et al. (2021) build on; timm's own start at
    zero. Further keywords go to `timm.models.resnet.ResNet`.
    """
    model = ResNet(block, layers, num_classes=num_classes, in_chans=in_chans,  # type: ignore[arg-type]
                   zero_init_last=zero_init_last, **keywords)  # fmt: skip
    model.conv1 = _stem(in_chans, int(model.feature_info[0]["num_chs"]))
    model.maxpool = nn.Identity()
    _finish(model, "conv1", "fc")
    return model


def wide(num_blocks: int, width: int, num_classes: int = 10, in_chans: int = 3,
         **keywords: Any) -> ResNetV2:  # fmt: skip
    """The pre-activated Wide ResNet of depth 6 n + 4: timm's ResNetV2 in three stages.

    Zagoruyko and Komodakis (2016), table 1: 16, 32, 64 channels times `width`, a stem of 16, no
    dropout. Further keywords go to `timm.models.resnetv2.ResNetV2`.
    """
    settings: dict[str, Any] = {
        "channels": (16 * width, 32 * width, 64 * width), "stem_chs": 16, "basic": True,
        "bottle_ratio": 1.0, "conv_layer": create_conv2d, "norm_layer": BatchNormAct2d,
        **keywords,
    }  # fmt: skip
    model = ResNetV2([num_blocks] * 3, num_classes=num_classes, in_chans=in_chans, **settings)
    model.stem.conv = _stem(in_chans, model.feature_info[0]["num_chs"])
    model.stem.pool = nn.Identity()
    _finish(model, "stem.conv", "head.fc")
    return model


class ThreeStageResNet(nn.Module):
    """A ResNet of three stages around timm's blocks (He et al. 2016a, section 4.2).

    timm's own class runs through four stages by name, hence this one. Its surface is timm's:
    feature_info, forward_features, forward_head, get_classifier, reset_classifier, group_matcher.
    `channels` are those of the blocks, before their expansion; further keywords go to the blocks.
    """

    def __init__(
        self,
        num_blocks: int,
        num_classes: int = 10,
        in_chans: int = 3,
        channels: tuple[int, ...] = (16, 32, 64),
        drop_rate: float = 0.0,
        drop_path_rate: float = 0.0,
        zero_init_last: bool = False,
        global_pool: str = "avg",
        block: type[nn.Module] = BasicBlock,
        stem_width: int | None = None,
        **block_args: Any,
    ) -> None:
        super().__init__()
        stem_width = channels[0] if stem_width is None else stem_width
        self.in_chans, self.drop_rate = in_chans, drop_rate
        self.conv1 = nn.Conv2d(in_chans, stem_width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem_width)
        self.act1 = nn.ReLU(inplace=True)
        self.feature_info = [{"num_chs": stem_width, "reduction": 4, "module": "act1"}]
        self._num_stages = len(channels)
        self._add_stages((block,) * len(channels), channels, (num_blocks,) * len(channels),
                         stem_width, drop_path_rate=drop_path_rate, **block_args)  # fmt: skip
        self.num_features = self.head_hidden_size = self.feature_info[-1]["num_chs"]
        self.reset_classifier(num_classes, global_pool)
        self._init_weights(zero_init_last)
        _finish(self, "conv1", "fc")

    def _add_stages(self, *of_stages: Any, **block_args: Any) -> None:
        """timm's stages, layer1 and so on, with what they say of their features."""
        stages, info = make_blocks(*of_stages, norm_layer=nn.BatchNorm2d, **block_args)
        for name, stage in stages:
            self.add_module(name, stage)
        self.feature_info += info

    def _init_weights(self, zero_init_last: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if zero_init_last and isinstance(module, BasicBlock | Bottleneck | Bottle2neck):
                module.zero_init_last()

    def group_matcher(self, coarse: bool = False) -> dict[str, str]:
        """Patterns of parameter names by layer, as timm's ResNet has them."""
        blocks = r"^layer(\d+)" if coarse else r"^layer(\d+)\.(\d+)"
        return {"stem": r"^conv1|bn1", "blocks": blocks}

    def get_classifier(self) -> nn.Module:
        return self.fc

    def reset_classifier(self, num_classes: int, global_pool: str = "avg") -> None:
        self.num_classes = num_classes
        self.global_pool, self.fc = create_classifier(  # type: ignore[misc]
            self.num_features, num_classes, global_pool
        )

    def forward_features(self, x: torch.Tensor) -> torch.Tensor:
        """Images (B, in_chans, H, W) to features (B, 64, H/4, W/4)."""
        x = self.act1(self.bn1(self.conv1(x)))
        for stage in range(self._num_stages):
            x = self.get_submodule(f"layer{stage + 1}")(x)
        return x

    def forward_head(self, x: torch.Tensor, pre_logits: bool = False) -> torch.Tensor:
        """Features to logits (B, num_classes), or to what the classifier reads."""
        x = self.global_pool(x)
        if self.drop_rate:
            x = nn.functional.dropout(x, self.drop_rate, self.training)
        return x if pre_logits else self.fc(x)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.forward_head(self.forward_features(x))


def _stem(in_chans: int, width: int) -> nn.Conv2d:
    convolution = nn.Conv2d(in_chans, width, kernel_size=3, stride=1, padding=1, bias=False)
    nn.init.kaiming_normal_(convolution.weight, mode="fan_out", nonlinearity="relu")
    return convolution


def _finish(model: Any, first_conv: str, classifier: str) -> None:
    """What timm says of a model: its configuration, and its features with their true strides."""
    # The stem has stride 1 where timm's has 4, and its own features are of full size.
    model.feature_info = [
        {**info, "reduction": max(1, info["reduction"] // 4)} for info in model.feature_info
    ]
    model.pretrained_cfg = model.default_cfg = {
        "num_classes": model.num_classes,
        "input_size": (model.in_chans, *CIFAR_INPUT[1:]),
        "mean": CIFAR_MEAN,
        "std": CIFAR_STD,
        "first_conv": first_conv,
        "classifier": classifier,
    }


_BASIC, _BOTTLENECK = partial(four_stages, BasicBlock), partial(four_stages, Bottleneck)
_FOUR_STAGES: dict[str, Callable[..., nn.Module]] = {
    "resnet18": partial(_BASIC, (2, 2, 2, 2)),
    "resnet34": partial(_BASIC, (3, 4, 6, 3)),
    "resnet50": partial(_BOTTLENECK, (3, 4, 6, 3)),
    "resnet101": partial(_BOTTLENECK, (3, 4, 23, 3)),
    "resnet152": partial(_BOTTLENECK, (3, 8, 36, 3)),
}
# Hu et al. (2018): a sixteenth of the channels in between, not rounded up to a multiple of 8.
_SE = {"block_args": {"attn_layer": partial(SEModule, rd_ratio=1 / 16, rd_divisor=1)}}

# name -> what builds it; depth n = 6*blocks + 2 for the three-stage nets of two-layer blocks
CIFAR_NETS: dict[str, Callable[..., nn.Module]] = {
    **{
        f"resnet{6 * num_blocks + 2}_cifar": partial(ThreeStageResNet, num_blocks)
        for num_blocks in (3, 5, 7, 9, 18)
    },
    **{f"{name}_cifar": builder for name, builder in _FOUR_STAGES.items()},
    **{
        f"se{name}_cifar": partial(_FOUR_STAGES[name], **_SE)
        for name in ("resnet18", "resnet34", "resnet50", "resnet101")
    },
    # timm's blocks are channels * base_width / 64 * cardinality wide, and 4 * channels outside.
    "resnext29_2x64d_cifar": partial(
        ThreeStageResNet, 3, channels=(64, 128, 256), block=Bottleneck, cardinality=2, base_width=64
    ),
    "resnext29_4x64d_cifar": partial(
        ThreeStageResNet, 3, channels=(128, 256, 512), block=Bottleneck, stem_width=64,
        cardinality=4, base_width=32,
    ),
    "res2next29_6c24w4s_cifar": partial(
        ThreeStageResNet, 3, channels=(96, 192, 384), block=Bottle2neck, cardinality=6,
        base_width=16, scale=4,
    ),
    "res2next29_8c25w4s_cifar": partial(
        ThreeStageResNet, 3, channels=(100, 200, 400), block=Bottle2neck, cardinality=8,
        base_width=16, scale=4,
    ),
    "wrn28_10_cifar": partial(wide, 4, 10),
    "wrn40_10_cifar": partial(wide, 6, 10),
}  # fmt: skip
