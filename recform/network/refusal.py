"""Why a model is no chain of residual units, told by what its forward pass does.

Sums of two states are counted, and concatenations: DenseNet concatenates where ResNet adds, HRNet
and CrossViT add on branches beside one another, VGG does neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

HINT = (
    "choose one such as resnet50 or vit_tiny_patch16_224 (recform backbones 'resnet*'), or build "
    "on a part that is a chain: recform.build(formula, model.stages[1].blocks, in_chans=..., "
    "image_size=...)"
)
_NUMBERS_ASKED = "on meta tensors"
_SUMS = (torch.add, torch.Tensor.add, torch.Tensor.add_, torch.Tensor.__add__)
_SUMS_IN_PLACE = (torch.Tensor.__iadd__, torch.Tensor.__radd__)
_CONCATENATIONS = (torch.cat, torch.concat)


def why_no_chain(ghost: nn.Module, method: str, images: torch.Tensor) -> str:
    """The rest of a sentence that begins with the model's name."""
    with torch.no_grad(), _Counts() as counts:
        getattr(ghost.eval(), method)(images)
    if not counts.sums and not counts.concatenations:
        return "adds no value to an earlier one: it is a plain net"
    if counts.concatenations > counts.sums:
        return (f"concatenates ({counts.concatenations} times) where residual units add "
                f"({counts.sums} sums of states)")  # fmt: skip
    return (f"has no chain of residual units: its {counts.sums} sums of states lie on branches "
            "beside one another, none of which every way through the model passes")  # fmt: skip


def why_not_followed(reason: str, image_size: tuple[int, int, int]) -> tuple[str, str]:
    """The rest of a sentence that ends with the reason, and what to try.

    `reason` is the message of the error that images of `image_size` met.
    """
    if _NUMBERS_ASKED in reason:
        return ("it decides by the numbers in a tensor",
                f"let it decide by shapes and settings only; or {HINT}")  # fmt: skip
    tried = "x".join(str(size) for size in image_size)
    return (reason.split(". ")[0].rstrip("."),
            f"images of {tried} were tried: give those it takes (image_size=, in_chans=; "
            f"--image-size); or {HINT}")  # fmt: skip


class _Counts(TorchFunctionMode):
    """Counts sums of two images or lists of tokens, and concatenations of such."""

    def __init__(self) -> None:
        super().__init__()
        self.sums = self.concatenations = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if func in (*_SUMS, *_SUMS_IN_PLACE):
            self.sums += len(args) > 1 and _are_states(args[:2])
        elif func in _CONCATENATIONS:
            self.concatenations += _are_states(args[0])
        return func(*args, **(kwargs or {}))


def _are_states(values: Any) -> bool:
    tensors = [value for value in values if isinstance(value, torch.Tensor) and value.ndim > 2]
    return len(tensors) == len(values) and len({tensor.ndim for tensor in tensors}) == 1
