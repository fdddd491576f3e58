"""Recipes: how a network is trained.

A recipe is the complete, frozen choice of what happens in training, apart from the network, the
data and the seed. A new one is an old one with some fields replaced, so what a recipe changes can
be read off its one line. Optimizer and schedule are made from it by torch and timm.

>>> replace(liao_cifar(), epochs=1).learning_rate
0.1
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from timm.scheduler.cosine_lr import CosineLRScheduler
from torch import nn
from torch.optim import SGD, Optimizer

from recform.errors import UserError


@dataclass(frozen=True)
class Recipe:
    """Stochastic gradient descent with momentum, and a rate that falls along half a cosine.

    `warmup_share` is the share of all steps in which the rate first climbs, linearly, from nearly
    nothing; `crop_padding` is the share of an image's side by which it is padded with black before
    a random piece of the old size is cut out (1/8 is 4 pixels of 32); `flip` mirrors every other
    image. The rate changes with each step.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float
    weight_decay: float
    warmup_share: float
    crop_padding: float
    flip: bool

    def __post_init__(self) -> None:
        _demand(self.epochs >= 1, f"epochs must be 1 or more, not {self.epochs}")
        _demand(self.batch_size >= 1, f"the batch size must be 1 or more, not {self.batch_size}")
        _demand(
            0 < self.learning_rate < math.inf,
            f"the learning rate must be a number above 0, not {self.learning_rate}",
        )
        _demand(
            0 <= self.momentum < 1, f"the momentum must be from 0 to below 1, not {self.momentum}"
        )
        _demand(
            0 <= self.weight_decay < math.inf,
            f"the weight decay must be 0 or more, not {self.weight_decay}",
        )
        _demand(
            0 <= self.warmup_share < 1,
            f"the warmup share must be from 0 to below 1, not {self.warmup_share}",
        )
        _demand(
            0 <= self.crop_padding <= 1,
            f"the crop padding must be from 0 to 1, not {self.crop_padding}",
        )


def liao_cifar() -> Recipe:
    """The recipe of Liao et al. (2021), section 5.3.1 and appendix A.6, for CIFAR-10 and -100.

    The text has lost its weight decay; 5e-4 is that of the code it builds on, as are the crop from
    4 pixels of padding and the flip (github.com/kuangliu/pytorch-cifar).
    """
    return Recipe(
        epochs=200,
        batch_size=128,
        learning_rate=0.1,
        momentum=0.9,
        weight_decay=5e-4,
        warmup_share=0,
        crop_padding=1 / 8,
        flip=True,
    )


def digits() -> Recipe:
    """liao_cifar in 8 epochs, for 1,437 digits: small batches, a warm start, nothing mirrored."""
    return replace(
        liao_cifar(),
        epochs=8,
        batch_size=64,
        warmup_share=1 / 8,
        crop_padding=1 / 16,
        flip=False,
    )


def folder() -> Recipe:
    """liao_cifar for images of a few hundred pixels: the epochs and the decay of its ImageNet runs.

    Batches of 64 rather than 256 fit most machines; the rate shrinks with them (Goyal et al. 2017).
    """
    return replace(
        liao_cifar(),
        epochs=90,
        batch_size=64,
        learning_rate=0.025,
        weight_decay=1e-4,
        warmup_share=1 / 18,
    )


def optimizer(recipe: Recipe, model: nn.Module) -> SGD:
    """Decays every weight, norms and biases too, as the paper does."""
    return SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )


def schedule(recipe: Recipe, descent: Optimizer, num_steps: int) -> CosineLRScheduler:
    """The rate as a function of the step, for a whole run of `num_steps` steps."""
    num_warmup = int(recipe.warmup_share * num_steps)
    return CosineLRScheduler(
        descent,
        t_initial=num_steps - num_warmup,
        warmup_t=num_warmup,
        warmup_lr_init=recipe.learning_rate / max(1, num_warmup),
        warmup_prefix=True,
        t_in_epochs=False,
    )


def _demand(holds: bool, message: str) -> None:
    if not holds:
        raise UserError("bad-argument", message)
