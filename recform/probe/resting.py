"""A network as it is probed: a copy in evaluation mode, whose weights ask for no gradient.

In evaluation mode an image's path through the network does not depend on the others of its batch,
and nothing is drawn at random.
"""

# B batch, C channels, H W space, K classes

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from recform.errors import UserError
from recform.network import FormulaNetwork


def at_rest(network: FormulaNetwork) -> FormulaNetwork:
    """A copy that can be run and differentiated; the network itself stays as it is."""
    still = copy.deepcopy(network).eval().requires_grad_(False)
    # The layout that convolutions are fastest in.
    return still.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@torch.no_grad()
def with_statistics_of(network: FormulaNetwork, images_BCHW: Tensor) -> FormulaNetwork:
    """A copy whose batch norms have the means and variances of these images.

    A fresh network's have those of nothing, 0 and 1: it would normalise nothing, and its signal
    would grow from block to block.
    """
    settled = copy.deepcopy(network).train()
    norms = [module for module in settled.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    settled(images_BCHW)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return settled.train(network.training)


def head_of(network: FormulaNetwork) -> Callable[[Tensor], Tensor]:
    """What makes logits (B, K) of what the network's graph returns.

    Raises UserError `bad-argument` for a network that has features, and no `forward_head`.
    """
    if not hasattr(network, "forward_features"):
        # The graph is the whole forward.
        return lambda logits_BK: logits_BK
    head = getattr(network, "forward_head", None)
    if head is None:
        raise UserError("bad-argument", f"{type(network).__name__} has features, and no "
                        "forward_head that classifies them",
                        "give it a forward_head, as timm's models have")  # fmt: skip
    return head
