"""Backbones for CIFAR-sized images, by name: `resnet20_cifar`, `resnet18_cifar`, ...

Two families, both with a 3x3 stem and without pooling, and both made of timm's blocks:

    resnet20/32/44/56/110_cifar   three stages of 16, 32, 64 channels (He et al. 2016a, section 4.2,
                                  with projections where the shape changes)
    resnet18/34/50/101_cifar      the ImageNet nets, four stages of 64 to 512 channels
                                  (as in Liao et al. 2021, table 9)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from timm.layers import create_classifier
from timm.models.resnet import BasicBlock, Bottleneck, ResNet, downsample_conv
from torch import nn

CIFAR_INPUT = (3, 32, 32)
CIFAR_MEAN, CIFAR_STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)


def four_stages(
    block: type[BasicBlock] | type[Bottleneck],
    layers: tuple[int, int, int, int],
    num_classes: int = 10,
    in_chans: int = 3,
    **keywords: object,
) -> ResNet:
    """timm's ResNet with a 3x3 stem of stride 1 and no pooling, for 32x32 images.

    Further keywords go to `timm.models.resnet.ResNet`.
    """
    model = ResNet(block, layers, num_classes=num_classes, in_chans=in_chans, **keywords)  # type: ignore[arg-type]
    model.conv1 = nn.Conv2d(in_chans, 64, kernel_size=3, stride=1, padding=1, bias=False)
    nn.init.kaiming_normal_(model.conv1.weight, mode="fan_out", nonlinearity="relu")
    model.maxpool = nn.Identity()
    config = _config(num_classes, in_chans, "fc")
    model.pretrained_cfg = model.default_cfg = config  # type: ignore[assignment]
    return model


class ThreeStageResNet(nn.Module):
    """The CIFAR ResNet of He et al. (2016a), section 4.2, around timm's blocks.

    timm's own class names four stages and starts at 64 channels, hence this one. Its surface is
    timm's: forward_features, forward_head, get_classifier, reset_classifier.
    """

    def __init__(
        self,
        num_blocks: int,
        num_classes: int = 10,
        in_chans: int = 3,
        channels: tuple[int, ...] = (16, 32, 64),
        drop_rate: float = 0.0,
        zero_init_last: bool = False,
    ) -> None:
        super().__init__()
        self.num_classes, self.in_chans, self.drop_rate = num_classes, in_chans, drop_rate
        self.num_features = self.head_hidden_size = channels[-1]
        self.conv1 = nn.Conv2d(in_chans, channels[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels[0])
        self.act1 = nn.ReLU(inplace=True)
        width = channels[0]
        for stage, planes in enumerate(channels):
            self.add_module(f"layer{stage + 1}", _stage(width, planes, num_blocks, stage))
            width = planes
        self._num_stages = len(channels)
        self.global_pool, self.fc = create_classifier(self.num_features, num_classes)  # type: ignore[misc]
        self.pretrained_cfg = self.default_cfg = _config(num_classes, in_chans, "fc")
        self._init_weights(zero_init_last)

    def _init_weights(self, zero_init_last: bool) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if zero_init_last and isinstance(module, BasicBlock):
                module.zero_init_last()

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


def _stage(in_channels: int, channels: int, num_blocks: int, stage: int) -> nn.Sequential:
    stride = 1 if stage == 0 else 2
    project = None
    if stride != 1 or in_channels != channels:
        project = downsample_conv(in_channels, channels, kernel_size=1, stride=stride)
    first = BasicBlock(in_channels, channels, stride=stride, downsample=project)
    return nn.Sequential(first, *(BasicBlock(channels, channels) for _ in range(num_blocks - 1)))


def _config(num_classes: int, in_chans: int, classifier: str) -> dict[str, object]:
    return {
        "num_classes": num_classes,
        "input_size": (in_chans, *CIFAR_INPUT[1:]),
        "mean": CIFAR_MEAN,
        "std": CIFAR_STD,
        "first_conv": "conv1",
        "classifier": classifier,
    }


# name -> what builds it; depth n = 6*blocks + 2 for the three-stage nets
CIFAR_NETS: dict[str, Callable[..., nn.Module]] = {
    **{
        f"resnet{6 * num_blocks + 2}_cifar": partial(ThreeStageResNet, num_blocks)
        for num_blocks in (3, 5, 7, 9, 18)
    },
    "resnet18_cifar": partial(four_stages, BasicBlock, (2, 2, 2, 2)),
    "resnet34_cifar": partial(four_stages, BasicBlock, (3, 4, 6, 3)),
    "resnet50_cifar": partial(four_stages, Bottleneck, (3, 4, 6, 3)),
    "resnet101_cifar": partial(four_stages, Bottleneck, (3, 4, 23, 3)),
}
