"""Recipes: how a network is trained.

A recipe is the complete, frozen choice of what happens in training, apart from the network, the
data and the seed. A new one is an old one with some fields replaced (training/recipes.py), so what
a recipe changes can be read off its one line. training/descent.py has what torch and timm make of
it.

>>> Recipe(name="short", epochs=1, batch_size=128, learning_rate=0.1).schedule
'cosine'
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from timm.data.auto_augment import rand_augment_transform
from timm.optim import list_optimizers

from recform.errors import UserError

SCHEDULES = ("cosine", "linear", "drops", "constant")
LOSSES = ("softmax", "binary")
AMP = ("none", "bf16", "fp16")


@dataclass(frozen=True)
class Recipe:
    """Everything is a share of the run or of an image's side, so that a recipe may be shortened.

    Steps. `batch_size` images a step, in `accumulate` pieces one after the other if they do not fit
    at once, all processes together. `optimizer` is timm's name (momentum, nesterov, adamw, lamb,
    ...). `decay_all` decays norms and biases too. Gradients longer than `clip_norm` are shortened
    (0: never). `ema_decay` above 0 judges and keeps a running mean of the weights.

    Rate. It climbs linearly over `warmup_share` of all steps, then falls along half a cosine, a
    line, not at all, or by `drop_factor` after each share of the run in `drops` ("1/3,2/3").

    Images. Either a random piece of the old size is cut out of an image padded by `crop_padding`
    (1/8 is 4 pixels of 32; with black, or with its own mirror image where `reflect`), or, where
    `smallest_crop` is above 0, a random piece of that share of the area or more is scaled to
    `train_side` of the size. `flip` mirrors every other image; where `alternate_flip`, each image
    every other epoch. `rand_augment` is timm's notation (rand-m7-mstd0.5-inc1). `cutout` blackens a
    square of that share of the side. `color_jitter` changes brightness, contrast and saturation by
    up to that share, `lighting` is the deviation of AlexNet's shifts along the principal colors.
    `repeats` shows an image so often in an epoch, and the others not. Test images are the middle
    `test_crop` of the shorter side.

    Targets. `loss` is softmax cross-entropy, or a binary one for each class, whose targets are all
    classes in the picture. `label_smoothing` is taken from the right class and dealt out evenly.
    `mixup` and `cutmix` are the parameters of the beta distribution of the shares (0: never); with
    both, a batch is mixed in one of the two ways.

    `drop_path` is the chance to leave out a block, which grows to it with depth; the network is
    built with it. `amp` is the precision of autocast.
    """

    name: str
    epochs: int
    batch_size: int
    learning_rate: float
    momentum: float = 0.9
    weight_decay: float = 0.0
    warmup_share: float = 0.0
    crop_padding: float = 0.0
    flip: bool = True
    optimizer: str = "momentum"
    decay_all: bool = True
    schedule: str = "cosine"
    drops: str = ""
    drop_factor: float = 0.1
    clip_norm: float = 0.0
    accumulate: int = 1
    ema_decay: float = 0.0
    reflect: bool = False
    smallest_crop: float = 0.0
    train_side: float = 1.0
    alternate_flip: bool = False
    rand_augment: str = ""
    cutout: float = 0.0
    color_jitter: float = 0.0
    lighting: float = 0.0
    repeats: int = 1
    test_crop: float = 1.0
    loss: str = "softmax"
    label_smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    drop_path: float = 0.0
    amp: str = "none"

    def __post_init__(self) -> None:
        for name, words in _COUNTS.items():
            value = getattr(self, name)
            _demand(value >= 1, f"{words} must be 1 or more, not {value}")
        for name, words in _ABOVE_ZERO.items():
            value = getattr(self, name)
            _demand(0 < value < math.inf, f"{words} must be a number above 0, not {value}")
        for name, words in _NOT_NEGATIVE.items():
            value = getattr(self, name)
            _demand(0 <= value < math.inf, f"{words} must be 0 or more, not {value}")
        for name, words in _BELOW_ONE.items():
            value = getattr(self, name)
            _demand(0 <= value < 1, f"{words} must be from 0 to below 1, not {value}")
        for name, words in _SHARES.items():
            value = getattr(self, name)
            _demand(0 <= value <= 1, f"{words} must be from 0 to 1, not {value}")
        for name, choices in _CHOICES.items():
            _choose(name, getattr(self, name), choices)
        if self.optimizer not in list_optimizers():
            near = get_close_matches(self.optimizer, list_optimizers(), n=1)
            hint = f"did you mean {near[0]}?" if near else "such as momentum, adamw or lamb"
            raise UserError("bad-argument", f"timm has no optimizer {self.optimizer}", hint)
        _demand(
            self.accumulate <= self.batch_size,
            f"a batch of {self.batch_size} has no {self.accumulate} pieces",
        )
        _check_drops(self)
        _check_rand_augment(self.rand_augment)

    def drop_shares(self) -> tuple[Fraction, ...]:
        """The shares of the run after which the rate drops, exactly."""
        return tuple(Fraction(part.strip()) for part in self.drops.split(",") if part.strip())

    @property
    def mixes(self) -> bool:
        """Whether an image may hold more than one class."""
        return self.mixup > 0 or self.cutmix > 0


_COUNTS = {
    "epochs": "epochs",
    "batch_size": "the batch size",
    "accumulate": "the pieces of a batch",
    "repeats": "the repeats of an image",
}
_ABOVE_ZERO = {
    "learning_rate": "the learning rate",
    "train_side": "the side of training images",
    "test_crop": "the test crop",
    "drop_factor": "the drop factor",
}
_NOT_NEGATIVE = {
    "weight_decay": "the weight decay",
    "clip_norm": "the norm to clip at",
    "mixup": "mixup",
    "cutmix": "cutmix",
    "lighting": "the lighting",
}
_BELOW_ONE = {
    "momentum": "the momentum",
    "warmup_share": "the warmup share",
    "ema_decay": "the decay of the mean weights",
    "label_smoothing": "the label smoothing",
    "drop_path": "the chance to drop a path",
}
_SHARES = {
    "crop_padding": "the crop padding",
    "smallest_crop": "the smallest crop",
    "cutout": "the cutout",
    "color_jitter": "the color jitter",
    "drop_factor": "the drop factor",
    "train_side": "the side of training images",
    "test_crop": "the test crop",
}
_CHOICES = {"schedule": SCHEDULES, "loss": LOSSES, "amp": AMP}


def _choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError("bad-argument", f"there is no {name} {value}",
                        f"--set {name}={choices[0]}; there are {', '.join(choices)}")  # fmt: skip


def _check_drops(recipe: Recipe) -> None:
    try:
        shares = recipe.drop_shares()
    except (ValueError, ZeroDivisionError):
        shares = (Fraction(-1),)
    ordered = all(
        a < b for a, b in zip((Fraction(0), *shares), (*shares, Fraction(1)), strict=True)
    )
    if not ordered:
        raise UserError("bad-argument", f"{recipe.drops!r} is no list of shares of the run",
                        "write growing shares between 0 and 1: --set drops=1/2,3/4")  # fmt: skip
    if (recipe.schedule == "drops") != bool(shares):
        raise UserError("bad-argument", "the schedule drops and a list of drops go together",
                        "--set schedule=drops --set drops=1/2,3/4")  # fmt: skip


def _check_rand_augment(text: str) -> None:
    if not text:
        return
    try:
        if not text.startswith("rand-"):
            raise ValueError(text)
        rand_augment_transform(text, {})
    except (AssertionError, KeyError, NotImplementedError, ValueError) as error:
        raise UserError("bad-argument", f"{text!r} is no RandAugment in timm's notation",
                        "--set rand_augment=rand-m7-mstd0.5-inc1") from error  # fmt: skip


def _demand(holds: bool, message: str) -> None:
    if not holds:
        raise UserError("bad-argument", message)
