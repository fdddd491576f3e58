"""A network by a formula as a feature pyramid: states at strides 4, 8, 16 and 32."""

from __future__ import annotations

from collections import OrderedDict

from timm.models._features import FeatureGetterNet
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

import recform

STRIDES = (4, 8, 16, 32)


def pyramid(formula: str, backbone: str, pretrained: bool, image_size: int) -> FeatureGetterNet:
    """Images (B, 3, H, W) to four states, (B, C, H/4, W/4) to (B, C', H/32, W/32).

    `pretrained` takes timm's weights for the backbone; what the formula adds starts fresh.
    """
    network = recform.build(formula, backbone, pretrained=pretrained, image_size=image_size)
    found = [info["reduction"] for info in network.feature_info]
    if not set(STRIDES) <= set(found):
        raise SystemExit(f"{backbone} has states at strides {found}; this needs {STRIDES}")
    # of several states with one stride, the last
    last = [max(i for i, stride in enumerate(found) if stride == wanted) for wanted in STRIDES]
    return FeatureGetterNet(network, out_indices=last)


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
