"""Blocks whose derivative is known: each multiplies by a number."""

import torch
from torch import nn


class Times(nn.Module):
    """A block that multiplies by a number."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, state: torch.Tensor) -> torch.Tensor:
        return self.weight * state
