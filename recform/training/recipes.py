"""The recipes of the sources, by name, each made from another.

Where a source gives epochs, a recipe keeps them as shares of the run: the rate of `liao-imagenet`
drops after 30 of 90 epochs, and after 10 where it is shortened to 30.

>>> recipe_named("rsb-a3").optimizer
'lamb'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from difflib import get_close_matches
from fractions import Fraction
from types import MappingProxyType

from recform.errors import UserError
from recform.training.recipe import Recipe


def liao_cifar() -> Recipe:
    """The recipe of Liao et al. (2021), section 5.3.1 and appendix A.6, for CIFAR-10 and -100.

    The text has lost its weight decay; 5e-4 is that of the code it builds on, as are the crop from
    4 pixels of padding and the flip (github.com/kuangliu/pytorch-cifar).
    """
    return Recipe(
        name="liao-cifar",
        epochs=200,
        batch_size=128,
        learning_rate=0.1,
        weight_decay=5e-4,
        crop_padding=1 / 8,
    )


def digits() -> Recipe:
    """liao_cifar in 8 epochs, for 1,437 digits: small batches, a warm start, nothing mirrored."""
    return replace(
        liao_cifar(),
        name="digits",
        epochs=8,
        batch_size=64,
        warmup_share=1 / 8,
        crop_padding=1 / 16,
        flip=False,
    )


def fashion() -> Recipe:
    """liao_cifar in 30 epochs, for 60,000 small grey pictures."""
    return replace(liao_cifar(), name="fashion", epochs=30, crop_padding=1 / 16)


def folder() -> Recipe:
    """liao_cifar for images of a few hundred pixels: the epochs and the decay of its ImageNet runs.

    Batches of 64 rather than 256 fit most machines; the rate shrinks with them (Goyal et al. 2017).
    """
    return replace(
        liao_cifar(),
        name="folder",
        epochs=90,
        batch_size=64,
        learning_rate=0.025,
        weight_decay=1e-4,
        warmup_share=1 / 18,
    )


def liao_imagenet() -> Recipe:
    """Liao et al. (2021), section 5.3.1: 90 epochs, batches of 256, a tenth every 30 epochs.

    Its decay, 1e-4, and its crops are those of the code it builds on (the PyTorch example).
    """
    return replace(
        liao_cifar(),
        name="liao-imagenet",
        epochs=90,
        batch_size=256,
        weight_decay=1e-4,
        schedule="drops",
        drops="1/3,2/3",
        crop_padding=0.0,
        smallest_crop=0.08,
        test_crop=224 / 256,
    )


def skipresnet_cifar() -> Recipe:
    """SkipResNet's own configuration for CIFAR (github.com/takedarts/skipresnet, configs/train)."""
    return replace(
        liao_cifar(),
        name="skipresnet-cifar",
        epochs=600,
        batch_size=256,
        learning_rate=0.2,
        warmup_share=5 / 600,
        decay_all=False,
        reflect=True,
        cutmix=1.0,
    )


def skipresnet_imagenet() -> Recipe:
    """SkipResNet's own configuration for its ResNets on ImageNet (configs/train/imagenet)."""
    return replace(
        skipresnet_cifar(),
        name="skipresnet-imagenet",
        epochs=300,
        batch_size=1024,
        learning_rate=0.4,
        weight_decay=1e-4,
        warmup_share=5 / 300,
        reflect=False,
        crop_padding=0.0,
        smallest_crop=0.08,
        test_crop=224 / 256,
    )


def mmpretrain_cifar() -> Recipe:
    """mmpretrain's cifar10_bs128: a tenth after 100 and 150 of 200 epochs, decay 1e-4."""
    return replace(
        liao_cifar(),
        name="mmpretrain-cifar",
        weight_decay=1e-4,
        schedule="drops",
        drops="1/2,3/4",
    )


def mmpretrain_imagenet() -> Recipe:
    """mmpretrain's imagenet_bs256: 100 epochs, a tenth after 30, 60 and 90."""
    return replace(liao_imagenet(), name="mmpretrain-imagenet", epochs=100, drops="3/10,6/10,9/10")


def rsb_a1() -> Recipe:
    """ResNet strikes back (Wightman et al. 2021, table 2), procedure A1: 600 epochs."""
    return replace(
        rsb_a2(),
        name="rsb-a1",
        epochs=600,
        weight_decay=0.01,
        warmup_share=5 / 600,
        label_smoothing=0.1,
        mixup=0.2,
    )


def rsb_a2() -> Recipe:
    """ResNet strikes back (Wightman et al. 2021, table 2), procedure A2: 300 epochs."""
    return replace(
        rsb_a3(),
        name="rsb-a2",
        epochs=300,
        learning_rate=5e-3,
        warmup_share=5 / 300,
        train_side=1.0,
        rand_augment="rand-m7-mstd0.5-inc1",
        repeats=3,
        drop_path=0.05,
    )


def rsb_a3() -> Recipe:
    """ResNet strikes back (Wightman et al. 2021, table 2), procedure A3: 100 epochs, 160 pixels."""
    return Recipe(
        name="rsb-a3",
        epochs=100,
        batch_size=2048,
        learning_rate=8e-3,
        weight_decay=0.02,
        optimizer="lamb",
        decay_all=False,
        warmup_share=5 / 100,
        smallest_crop=0.08,
        train_side=160 / 224,
        test_crop=0.95,
        rand_augment="rand-m6-mstd0.5-inc1",
        loss="binary",
        mixup=0.1,
        cutmix=1.0,
    )


def fast_cifar() -> Recipe:
    """What speed runs on CIFAR-10 teach where the architecture is given (Jordan 2024, airbench).

    Few epochs, a triangle of rates with Nesterov's momentum, smoothed labels, no decay of norms and
    biases, shifts of 2 pixels, and each image mirrored in every other epoch rather than at random.
    """
    return replace(
        liao_cifar(),
        name="fast-cifar",
        epochs=24,
        batch_size=512,
        learning_rate=0.4,
        optimizer="nesterov",
        decay_all=False,
        schedule="linear",
        warmup_share=0.2,
        crop_padding=2 / 32,
        alternate_flip=True,
        label_smoothing=0.2,
    )


RECIPES: Mapping[str, Callable[[], Recipe]] = MappingProxyType(
    {
        make().name: make
        for make in (
            liao_cifar,
            liao_imagenet,
            skipresnet_cifar,
            skipresnet_imagenet,
            mmpretrain_cifar,
            mmpretrain_imagenet,
            rsb_a1,
            rsb_a2,
            rsb_a3,
            fast_cifar,
            digits,
            fashion,
            folder,
        )
    }
)


def recipe_named(name: str) -> Recipe:
    """The recipe of this name. Raises UserError `bad-argument`, with the nearest name."""
    if name in RECIPES:
        return RECIPES[name]()
    near = get_close_matches(name, RECIPES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(RECIPES)}"
    raise UserError("bad-argument", f"there is no recipe {name}", hint)


def with_settings(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """The recipe with fields set as text: "epochs=30", "crop_padding=1/8", "flip=no".

    A later setting of a field wins. Raises UserError `bad-argument`.

    >>> with_settings(liao_cifar(), ["epochs=30", "warmup_share=1/4"]).warmup_share
    0.25
    """
    kinds = {field.name: type(getattr(recipe, field.name)) for field in fields(recipe)}
    changes = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        key = key.strip()
        if not equals:
            raise UserError("bad-argument", f"{setting!r} sets nothing", "--set epochs=30")
        if key not in kinds:
            near = get_close_matches(key, kinds, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(kinds)}"
            raise UserError("bad-argument", f"a recipe has no {key!r}", hint)
        changes[key] = _value(kinds[key], key, text.strip())
    return replace(recipe, **changes)


def _value(kind: type, key: str, text: str) -> str | int | float | bool:
    try:
        return _READERS[kind](text)
    except (KeyError, ValueError, ZeroDivisionError, OverflowError):
        raise UserError("bad-argument", f"{key} cannot be {text!r}",
                        f"it is {_KINDS[kind]}") from None  # fmt: skip


_TRUTHS = {"yes": True, "true": True, "on": True, "1": True,
           "no": False, "false": False, "off": False, "0": False}  # fmt: skip
_READERS: Mapping[type, Callable[[str], str | int | float | bool]] = MappingProxyType(
    {
        bool: lambda text: _TRUTHS[text.lower()],
        int: int,
        float: lambda text: float(Fraction(text)) if "/" in text else float(text),
        str: str,
    }
)
_KINDS = {bool: "yes or no", int: "a whole number", float: "a number such as 0.1 or 1/8",
          str: "a word"}  # fmt: skip
