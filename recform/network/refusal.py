"""Why a model is no chain of residual units, and what to try."""

from __future__ import annotations

from torch import nn


def why_not(model: nn.Module) -> str:
    """A hint for a model that was refused."""
    return ("recform backbones names what works, such as resnet50, convnext_tiny, "
            "vit_tiny_patch16_224")  # fmt: skip
