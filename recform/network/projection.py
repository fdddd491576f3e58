"""Projections: an older value brought to the shape behind a stage border.

    conv        a 1x1 convolution with stride, no bias, and a norm (Liao et al. 2021, A.5)
    pad         average pooling, and channels of zeros: no weights (He et al. 2016a, option A)
    pool-conv   average pooling, then a 1x1 convolution and a norm (He et al. 2019, ResNet-D)

Channels last and tokens are brought into the form of an image, projected, and brought back; tokens
that belong to no place (class tokens) are not pooled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from timm.layers import ConvNormAct
from torch import nn
from torch.nn import functional

from recform.errors import UserError
from recform.network.shape import Shape

PROJECTIONS = ("conv", "pad", "pool-conv")

# B batch, C channels, H W space, N tokens, P prefix tokens

NormMaker = Callable[[int], nn.Module]


def make_projection(
    before: Shape, after: Shape, norm: NormMaker = nn.BatchNorm2d, kind: str | None = None
) -> nn.Module:
    """The module that brings a value from one shape to another.

    `kind` is one of `PROJECTIONS`; None is `conv` for images and `pool-conv` for other layouts.

    Raises UserError `no-projection` where a shape has no place and channels to be brought along.
    """
    for shape in (before, after):
        if len(shape.sizes) not in (2, 3):
            raise UserError("no-projection", f"a state of shape {shape} has no projection",
                            "use a formula that reads x[l] and F(x[l]) only")  # fmt: skip
    is_image = all(len(s.sizes) == 3 and s.is_channels_first for s in (before, after))
    image = _project_image(before, after, norm, kind or ("conv" if is_image else "pool-conv"))
    return image if is_image else AsImage(image, before, after)


class AsImage(nn.Module):
    """A projection of images, for channels last and for tokens.

    `before` and `after` say the layouts. The grid of tokens is taken to have its proportions at
    whatever resolution comes. Prefix tokens go past the projection, cut or filled up with zeros
    where the number of channels changes.
    """

    def __init__(self, project: nn.Module, before: Shape, after: Shape) -> None:
        super().__init__()
        self.project = project
        self._before, self._after = before, after

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        image_BCHW, prefix_BPC = to_image(state, self._before)
        return _from_image(self.project(image_BCHW), prefix_BPC, self._after)


class PoolAndPad(nn.Module):
    """Average pooling by `stride`, then channels cut or filled up with zeros. No weights."""

    def __init__(self, pool: nn.Module, channels: int) -> None:
        super().__init__()
        self.pool = pool
        self._channels = channels

    def forward(self, image_BCHW: torch.Tensor) -> torch.Tensor:
        return _fit_channels(self.pool(image_BCHW), self._channels, axis=1)


def _project_image(before: Shape, after: Shape, norm: NormMaker, kind: str) -> nn.Module:
    stride = _stride(before, after)
    if kind == "pad":
        return PoolAndPad(_pool(before, after, stride), after.channels)
    if kind == "conv" and stride is not None:
        return _convolution(before.channels, after.channels, stride, norm)
    pool = _pool(before, after, stride)
    return nn.Sequential(pool, _convolution(before.channels, after.channels, (1, 1), norm))


def _stride(before: Shape, after: Shape) -> tuple[int, int] | None:
    """The stride of a 1x1 convolution between two resolutions, if there is one."""
    pairs = ((before.height, after.height), (before.width, after.width))
    strides = [max(1, round(old / new)) for old, new in pairs]
    fits = all(-(-old // s) == new for (old, new), s in zip(pairs, strides, strict=True))
    return (strides[0], strides[1]) if fits else None


def _pool(before: Shape, after: Shape, stride: tuple[int, int] | None) -> nn.Module:
    if stride == (1, 1):
        return nn.Identity()
    if stride is None:
        # No whole stride leads there: the resolution is that of the image size at building.
        return nn.AdaptiveAvgPool2d((after.height, after.width))
    return nn.AvgPool2d(stride, stride, ceil_mode=True, count_include_pad=False)


def _convolution(old: int, new: int, stride: tuple[int, int], norm: NormMaker) -> nn.Module:
    # timm's annotation says int; a pair is what its convolution takes.
    options: dict[str, Any] = {"stride": stride, "norm_layer": norm, "apply_act": False}
    projection = ConvNormAct(old, new, kernel_size=1, **options)
    weight = projection.get_parameter("conv.weight")
    nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
    return projection


def to_image(state: torch.Tensor, shape: Shape) -> tuple[torch.Tensor, torch.Tensor | None]:
    """A state as an image B C H W, and its prefix tokens B P C, if it has any."""
    if not shape.is_tokens:
        return (state if shape.is_channels_first else state.permute(0, 3, 1, 2)), None
    tokens_BNC = state.transpose(1, 2) if shape.is_channels_first else state
    prefix_BPC, grid_BNC = tokens_BNC[:, : shape.prefix], tokens_BNC[:, shape.prefix :]
    # A tracer has a number here that cannot be rounded.
    area = int(grid_BNC.shape[1])
    height = round((area * shape.height / shape.width) ** 0.5)
    image_BCHW = grid_BNC.transpose(1, 2).unflatten(2, (height, area // height))
    return image_BCHW, prefix_BPC if shape.prefix else None


def _from_image(
    image_BCHW: torch.Tensor, prefix_BPC: torch.Tensor | None, shape: Shape
) -> torch.Tensor:
    if not shape.is_tokens:
        return image_BCHW if shape.is_channels_first else image_BCHW.permute(0, 2, 3, 1)
    tokens_BNC = image_BCHW.flatten(2).transpose(1, 2)
    if prefix_BPC is not None:
        prefix_BPC = _fit_channels(prefix_BPC, shape.channels, axis=2)
        tokens_BNC = torch.cat([prefix_BPC, tokens_BNC], dim=1)
    return tokens_BNC.transpose(1, 2) if shape.is_channels_first else tokens_BNC


def _fit_channels(tensor: torch.Tensor, channels: int, axis: int) -> torch.Tensor:
    missing = channels - tensor.shape[axis]
    if missing <= 0:
        return tensor.narrow(axis, 0, channels)
    # functional.pad counts the axes from the last one
    padding = [0, 0] * (tensor.ndim - 1 - axis) + [0, missing]
    return functional.pad(tensor, padding)
