"""A network by a formula as a feature pyramid: states at strides 4, 8, 16 and 32."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
from timm.models._features import FeatureGetterNet
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

import recform
from recform.errors import FormulaError, UserError

STRIDES = (4, 8, 16, 32)
WHAT_WORKS = (
    "convolutional backbones with four stages work: resnet, resnext, regnet, convnext, "
    "efficientnet (recform backbones 'resnet*' lists names)"
)


def pyramid(
    formula: str, backbone: str, pretrained: bool, image_size: int, any_size: bool = False
) -> FeatureGetterNet:
    """Images (B, 3, H, W) to four states, (B, C, H/4, W/4) to (B, C', H/32, W/32).

    `pretrained` takes timm's weights for the backbone; what the formula adds starts fresh. With
    `any_size` images of other sizes must pass as well. Ends the program with a message where the
    backbone has no such states.
    """
    try:
        network = recform.build(formula, backbone, pretrained=pretrained, image_size=image_size)
    except FormulaError as error:
        raise SystemExit(str(error)) from error
    except UserError as error:
        raise SystemExit(f"{error}\n{WHAT_WORKS}") from error
    found = [info["reduction"] for info in network.feature_info]
    if not set(STRIDES) <= set(found):
        told = ", ".join(map(str, dict.fromkeys(found)))
        raise SystemExit(f"{backbone} has states at strides {told}; this needs 4, 8, 16, 32\n"
                         f"{WHAT_WORKS}")  # fmt: skip
    # of several states with one stride, the last
    last = [max(i for i, stride in enumerate(found) if stride == wanted) for wanted in STRIDES]
    states = FeatureGetterNet(network, out_indices=last)
    if any_size:
        check_other_size(states, backbone)
    return states


@torch.no_grad()
def check_other_size(states: FeatureGetterNet, backbone: str) -> None:
    """A detector's images are of any size; windows and position tables are often made for one."""
    try:
        states.eval()(torch.zeros(1, 3, 64, 96))
    except (AssertionError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise SystemExit(f"{backbone} takes images of one size only: {reason}\n"
                         f"{WHAT_WORKS}") from error  # fmt: skip


def check_places(*places: Path | None) -> None:
    """End the program with a message if a file or folder that was named is not there."""
    for place in places:
        if place is not None and not place.exists():
            raise SystemExit(f"there is no {place}")


class WithFPN(nn.Module):
    """The pyramid through torchvision's FPN, as its detectors want it."""

    def __init__(self, states: FeatureGetterNet, out_channels: int = 256) -> None:
        super().__init__()
        self.states, self.out_channels = states, out_channels
        channels = states.feature_info.channels()
        self.fpn = FeaturePyramidNetwork(channels, out_channels, LastLevelMaxPool())

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        states = self.states(images)
        return self.fpn(OrderedDict((str(level), state) for level, state in enumerate(states)))


def freeze_batch_norms(model: nn.Module) -> nn.Module:
    """Batch statistics as they are: a batch of one or two images has none worth the name."""
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
            module.requires_grad_(False)
    return model
