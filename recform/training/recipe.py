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
from collections.abc import Callable, Mapping
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
        for name, bounds in _BOUNDS.items():
            bounds.check(name, getattr(self, name))
        for name, choices in _CHOICES.items():
            _choose(name, getattr(self, name), choices)
        if self.optimizer not in list_optimizers():
            near = get_close_matches(self.optimizer, list_optimizers(), n=1)
            hint = f"did you mean {near[0]}?" if near else "such as momentum, adamw or lamb"
            raise UserError("bad-argument", f"timm has no optimizer {self.optimizer!r}", hint)
        if self.accumulate > self.batch_size:
            raise UserError("bad-argument",
                            f"a batch of {self.batch_size} has no {self.accumulate} pieces",
                            "--set accumulate=1")  # fmt: skip
        _check_drops(self)
        _check_rand_augment(self.rand_augment)

    def drop_shares(self) -> tuple[Fraction, ...]:
        """The shares of the run after which the rate drops, exactly."""
        return tuple(Fraction(part.strip()) for part in self.drops.split(",") if part.strip())

    @property
    def mixes(self) -> bool:
        """Whether an image may hold more than one class."""
        return self.mixup > 0 or self.cutmix > 0


# Larger ones are typing errors, which timm's and torch's arithmetic takes amiss.
MOST_COUNTED, LARGEST = 10**9, 1e30


@dataclass(frozen=True)
class Bounds:
    """What a number may be: `words` name it, `rule` its bounds, `example` is one that goes."""

    words: str
    rule: str
    holds: Callable[[float], bool]
    example: float
    most: float = LARGEST

    def check(self, name: str, value: float) -> None:
        """Raises UserError `bad-argument`."""
        if self.holds(value) and value <= self.most:
            return
        rule = self.rule if not self.holds(value) else f"{self.most:g} or less"
        raise UserError("bad-argument", f"{self.words} must be {rule}, not {value}",
                        f"--set {name}={self.example}")  # fmt: skip


def _count(words: str, example: int) -> Bounds:
    return Bounds(words, "1 or more", lambda value: value >= 1, example, MOST_COUNTED)


def _above_zero(words: str, example: float) -> Bounds:
    return Bounds(words, "a number above 0", lambda value: 0 < value < math.inf, example)


def _not_negative(words: str, example: float) -> Bounds:
    return Bounds(words, "0 or more", lambda value: 0 <= value < math.inf, example)


def _below_one(words: str, example: float) -> Bounds:
    return Bounds(words, "from 0 to below 1", lambda value: 0 <= value < 1, example)


def _share(words: str, example: float) -> Bounds:
    return Bounds(words, "from 0 to 1", lambda value: 0 <= value <= 1, example)


def _some_share(words: str, example: float) -> Bounds:
    return Bounds(words, "above 0 and up to 1", lambda value: 0 < value <= 1, example)


_BOUNDS: Mapping[str, Bounds] = {
    "epochs": _count("epochs", 30),
    "batch_size": _count("the batch size", 128),
    "accumulate": _count("the pieces of a batch", 1),
    "repeats": _count("the repeats of an image", 1),
    "learning_rate": _above_zero("the learning rate", 0.1),
    "weight_decay": _not_negative("the weight decay", 5e-4),
    "clip_norm": _not_negative("the norm to clip at", 1),
    "mixup": _not_negative("mixup", 0.2),
    "cutmix": _not_negative("cutmix", 1),
    "lighting": _not_negative("the lighting", 0.1),
    "momentum": _below_one("the momentum", 0.9),
    "warmup_share": _below_one("the warmup share", 0.1),
    "ema_decay": _below_one("the decay of the mean weights", 0.999),
    "label_smoothing": _below_one("the label smoothing", 0.1),
    "drop_path": _below_one("the chance to drop a path", 0.1),
    "crop_padding": _share("the crop padding", 0.125),
    "smallest_crop": _share("the smallest crop", 0.08),
    "cutout": _share("the cutout", 0.5),
    "color_jitter": _share("the color jitter", 0.4),
    "drop_factor": _some_share("the drop factor", 0.1),
    "train_side": _some_share("the side of training images", 1),
    "test_crop": _some_share("the test crop", 1),
}
_CHOICES = {"schedule": SCHEDULES, "loss": LOSSES, "amp": AMP}


def _choose(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UserError("bad-argument", f"there is no {name} {value!r}",
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
