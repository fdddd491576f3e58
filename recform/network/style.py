"""What new parts look like on a backbone: its own normalisation, and the activation beside it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from timm.layers import LayerNorm2d
from torch import nn

from recform.network.backbone import Backbone
from recform.network.functions import GateStyle
from recform.network.projection import NormMaker


def norm_of_images(backbone: Backbone) -> NormMaker:
    """The backbone's own normalisation of images, made from a number of channels."""
    own = (nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, LayerNorm2d)
    for module in _modules_of_branches(backbone):
        if isinstance(module, own):
            return _maker(module)
        if isinstance(module, nn.LayerNorm):
            return LayerNorm2d
    return nn.BatchNorm2d


def gate_style(backbone: Backbone, reduction: int) -> GateStyle:
    """LayerNorm and GELU where the backbone's branches have LayerNorm, else BatchNorm and ReLU.

    So it is in takedarts/skipresnet, where ConvNeXt and Swin have the former.
    """
    for module in _modules_of_branches(backbone):
        if isinstance(module, nn.LayerNorm):
            return GateStyle(reduction, partial(nn.LayerNorm, eps=module.eps), nn.GELU)
    return GateStyle(reduction)


def _modules_of_branches(backbone: Backbone) -> Iterator[nn.Module]:
    for unit in backbone.units:
        for node in unit.branch:
            if node.op == "call_module":
                yield from backbone.model.get_submodule(str(node.target)).modules()


def _maker(norm: nn.Module) -> NormMaker:
    if type(norm) is nn.GroupNorm:
        return lambda channels: nn.GroupNorm(min(norm.num_groups, channels), channels)
    for plain in (nn.BatchNorm2d, nn.InstanceNorm2d, LayerNorm2d):
        if isinstance(norm, plain) and type(norm).__name__.endswith("Act2d"):
            return plain
    return type(norm)
