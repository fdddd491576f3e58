"""The recipes of the sources, by name, each made from another.

Where a source gives epochs, a recipe keeps them as shares of the run: the rate of `liao-imagenet`
drops after 30 of 90 epochs, and after 10 where it is shortened to 30. Each says what it was
compared with, on 2026-11-25, and where it still differs.

>>> recipe_named("rsb-a3").optimizer
'lamb'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from types import MappingProxyType

from recform.errors import UserError
from recform.training.recipe import Recipe


def liao_cifar() -> Recipe:
    """The recipe of Liao et al. (2021), section 5.3.1 and appendix A.6, for CIFAR-10 and -100.

    The text has lost its weight decay; 5e-4 is that of the code it builds on, as are the crop from
    4 pixels of padding and the flip (main.py of github.com/kuangliu/pytorch-cifar).
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

    Its decay, 1e-4, and its crops are those of the code it builds on (imagenet/main.py of
    github.com/pytorch/examples).
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
    """SkipResNet's own configuration for its ResNets on CIFAR-10 and -100.

    configs/train/cifar10/ResNet-110.txt, src/datasets/cifar.py and src/utils/optimizer.py of
    github.com/takedarts/skipresnet at 6fc0643: Nesterov's momentum, reflected padding, cutmix in
    every batch. There the rate is set once an epoch, and its cosine begins before the warmup.
    """
    return replace(
        liao_cifar(),
        name="skipresnet-cifar",
        epochs=600,
        batch_size=256,
        learning_rate=0.2,
        optimizer="nesterov",
        warmup_share=5 / 600,
        decay_all=False,
        reflect=True,
        cutmix=1.0,
    )


def skipresnet_imagenet() -> Recipe:
    """SkipResNet's own configuration for its ResNets on ImageNet.

    configs/train/imagenet/ResNet-50.txt and src/datasets/imagenet.py of the same: random crops,
    colors jittered by 0.4, lighting of 0.1.
    """
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
        color_jitter=0.4,
        lighting=0.1,
        test_crop=224 / 256,
    )


def mmpretrain_cifar() -> Recipe:
    """mmpretrain's cifar10_bs128: a tenth after 100 and 150 of 200 epochs, decay 1e-4.

    configs/_base_/schedules/cifar10_bs128.py and datasets/cifar10_bs16.py of
    github.com/open-mmlab/mmpretrain (eight processes of 16 images).
    """
    return replace(
        liao_cifar(),
        name="mmpretrain-cifar",
        weight_decay=1e-4,
        schedule="drops",
        drops="1/2,3/4",
    )


def mmpretrain_imagenet() -> Recipe:
    """mmpretrain's imagenet_bs256: 100 epochs, a tenth after 30, 60 and 90.

    configs/_base_/schedules/imagenet_bs256.py and datasets/imagenet_bs32.py of the same.
    """
    return replace(liao_imagenet(), name="mmpretrain-imagenet", epochs=100, drops="3/10,6/10,9/10")


def rsb_a1() -> Recipe:
    """ResNet strikes back (Wightman et al. 2021, table 2), procedure A1: 600 epochs.

    Compared with mmpretrain's resnet50_8xb256-rsb-a1-600e_in1k.py and OpenMixup's RSB A1; the
    smoothing, 0.1, stands in OpenMixup's and in an earlier version of mmpretrain's.
    """
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
    """ResNet strikes back (Wightman et al. 2021, table 2), procedure A2: 300 epochs.

    Compared with mmpretrain's resnet50_8xb256-rsb-a2-300e_in1k.py, and with commands for timm's
    train.py that ML-Decoder publishes (repeats of 3, a threshold of 0.2 for what is in a picture).
    """
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
    """ResNet strikes back (Wightman et al. 2021, table 2), procedure A3: 100 epochs, 160 pixels.

    Compared with mmpretrain's resnet50_8xb256-rsb-a3-100e_in1k.py, its schedule
    imagenet_bs2048_rsb.py and data imagenet_bs256_rsb_a3.py, which tests the middle 224 of 236
    pixels. There images are scaled bicubically. The paper itself was not at hand.
    """
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
    """What speed runs on CIFAR-10 teach where the architecture is given.

    Epochs, batch, decay and the triangle of rates with Nesterov's momentum are those of Page
    (2018) for a small ResNet (dawn.py of github.com/davidcpage/cifar10-fast). From airbench94.py
    of github.com/KellerJordan/cifar10-airbench (Jordan 2024): smoothed labels, shifts of 2 pixels
    with reflected edges, each image mirrored in every other epoch rather than at random. What
    else makes airbench fast belongs to its network (whitened first layer, scaled biases), or to
    its tests: it judges by several looks at each image, which here would add 1 % to a small
    ResNet, where mean weights add nothing (docs/training.md). Test images are seen once here.
    """
    return replace(
        liao_cifar(),
        name="fast-cifar",
        epochs=24,
        batch_size=512,
        learning_rate=0.4,
        optimizer="nesterov",
        schedule="linear",
        warmup_share=5 / 24,
        crop_padding=2 / 32,
        reflect=True,
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
    raise UserError("bad-argument", f"there is no recipe {name!r}", hint)
