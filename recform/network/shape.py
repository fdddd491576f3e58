"""What a state looks like: channels, and where they stand.

Three layouts occur: channels first (B C H W), channels last (B H W C), and tokens (B N C): a grid
that is written out row by row, behind a few prefix tokens that belong to no place (class tokens).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from timm.layers import LayerNorm2d, RmsNorm2d
from torch import nn

MAX_PREFIX = 8
_FIRST = (nn.Conv2d, nn.BatchNorm2d, nn.GroupNorm, nn.InstanceNorm2d, LayerNorm2d, RmsNorm2d)
_LAST = (nn.Linear, nn.LayerNorm, nn.RMSNorm)


@dataclass(frozen=True)
class Shape:
    """What a unit reads or hands on, without the batch.

    `sizes` are as the tensor has them. `channel_axis` counts in them; `prefix` is the number of
    tokens before the grid, which is `height` times `width`.
    """

    sizes: tuple[int, ...]
    channel_axis: int
    prefix: int
    height: int
    width: int

    @property
    def channels(self) -> int:
        return self.sizes[self.channel_axis]

    @property
    def is_channels_first(self) -> bool:
        return self.channel_axis == 0

    @property
    def is_tokens(self) -> bool:
        return len(self.sizes) == 2

    def __str__(self) -> str:
        return "x".join(map(str, self.sizes))


def shape_of(
    state: torch.Tensor, readers: Iterable[nn.Module], image_size: tuple[int, int], num_prefix: int
) -> Shape:
    """The shape of a state. `readers` are the modules that read it first, in order.

    They tell where the channels stand: a convolution wants them first, a linear layer last. A list
    of tokens is a grid with the proportions of the image, behind up to `MAX_PREFIX` others.
    """
    sizes = tuple(state.shape[1:])
    axis = _channel_axis(sizes, readers)
    if len(sizes) == 3:
        height, width = sizes[1:] if axis == 0 else sizes[:2]
        return Shape(sizes, axis, 0, height, width)
    if len(sizes) == 2:
        num_tokens = sizes[1 - axis]
        prefix, height, width = _grid(num_tokens, image_size, num_prefix)
        return Shape(sizes, axis, prefix, height, width)
    return Shape(sizes, 0, 0, 1, 1)


def _channel_axis(sizes: tuple[int, ...], readers: Iterable[nn.Module]) -> int:
    last = len(sizes) - 1
    for module in readers:
        for inner in module.modules():
            if isinstance(inner, (*_FIRST, *_LAST)):
                likely, other = (0, last) if isinstance(inner, _FIRST) else (last, 0)
                width = _width(inner)
                if sizes[likely] == width or sizes[other] != width:
                    return likely
                return other
    return last if len(sizes) == 2 else 0


def _width(module: nn.Module) -> int | None:
    """The number of channels that a module reads."""
    for name in ("in_channels", "num_features", "num_channels", "in_features"):
        if hasattr(module, name):
            return getattr(module, name)
    shape = getattr(module, "normalized_shape", None)
    return shape[-1] if shape else None


def _grid(num_tokens: int, image_size: tuple[int, int], num_prefix: int) -> tuple[int, int, int]:
    """(prefix tokens, height, width); all tokens in one row if they are no grid."""
    likely = [num_prefix, *(count for count in range(MAX_PREFIX + 1) if count != num_prefix)]
    for prefix in likely:
        area = num_tokens - prefix
        height = round((area * image_size[0] / image_size[1]) ** 0.5) if area > 0 else 0
        width = area // height if height else 0
        if height * width == area > 0 and height * image_size[1] == width * image_size[0]:
            return prefix, height, width
    return 0, 1, num_tokens
