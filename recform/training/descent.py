"""What torch and timm make of a recipe: optimizer, schedule, loss, mixed batches, mean weights."""

# B batch, C channels, S side of an image, K classes

from __future__ import annotations

import torch
from timm.optim import create_optimizer_v2
from timm.scheduler.cosine_lr import CosineLRScheduler
from timm.scheduler.multistep_lr import MultiStepLRScheduler
from timm.scheduler.poly_lr import PolyLRScheduler
from timm.scheduler.scheduler import Scheduler
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, one_hot
from torch.optim import Optimizer
from torchvision.transforms import v2

from recform.training.recipe import Recipe

# A class that fills less of a mixed picture than this is not in it (Wightman et al. 2021, timm's
# --bce-target-thresh).
IN_THE_PICTURE = 0.2


def optimizer(recipe: Recipe, model: nn.Module) -> Optimizer:
    """timm's optimizer of the recipe's name, over all weights that are trained."""
    return create_optimizer_v2(
        model,
        opt=recipe.optimizer,
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        momentum=recipe.momentum,
        filter_bias_and_bn=not recipe.decay_all,
    )


def schedule(recipe: Recipe, descent: Optimizer, num_steps: int) -> Scheduler:
    """The rate as a function of the step, for a whole run of `num_steps` steps."""
    num_warmup = int(recipe.warmup_share * num_steps)
    shared = {
        "warmup_t": num_warmup,
        "warmup_lr_init": recipe.learning_rate / max(1, num_warmup),
        "warmup_prefix": True,
        "t_in_epochs": False,
    }
    num_falling = num_steps - num_warmup
    # One step cannot fall, and timm would complain of it: such a rate is constant.
    if recipe.schedule == "cosine" and num_falling > 1:
        return CosineLRScheduler(descent, t_initial=num_falling, **shared)
    if recipe.schedule == "linear" and num_falling > 1:
        return PolyLRScheduler(descent, t_initial=num_falling, power=1.0, **shared)
    # timm lets the rate drop one step before the one that is named (timm #2745).
    drops = [round(share * num_steps) + 1 - num_warmup for share in recipe.drop_shares()]
    return MultiStepLRScheduler(descent, decay_t=drops, decay_rate=recipe.drop_factor, **shared)


def mean_weights(recipe: Recipe, model: nn.Module, sharded: bool = False) -> ModelEmaV3 | None:
    """A running mean of the weights, if the recipe keeps one."""
    if recipe.ema_decay <= 0:
        return None
    # Many tensors at once must be of one kind; `sharded` ones stand beside whole buffers.
    return ModelEmaV3(model, decay=recipe.ema_decay, foreach=not sharded)


def mixed(
    images_BCSS: Tensor, labels_B: Tensor, num_classes: int, recipe: Recipe, seed: int
) -> tuple[Tensor, Tensor]:
    """The batch with each image mixed with its neighbour, and the share of each class, B K.

    `seed` decides how; torch's own generator is left as it was.
    """
    ways: list[nn.Module] = []
    if recipe.mixup > 0:
        ways.append(v2.MixUp(alpha=recipe.mixup, num_classes=num_classes))
    if recipe.cutmix > 0:
        ways.append(v2.CutMix(alpha=recipe.cutmix, num_classes=num_classes))
    with torch.random.fork_rng(devices=[]):
        # Not torch.manual_seed: it would seed the generators of all devices.
        torch.default_generator.manual_seed(seed)
        way = ways[int(torch.randint(len(ways), ()))]
        return way(images_BCSS, labels_B)


def loss_of(recipe: Recipe, logits_BK: Tensor, targets: Tensor) -> Tensor:
    """The mean loss of a batch; `targets` are classes, or a share of each class.

    Softmax: `cross_entropy` of torch. Binary: the mean over images and classes, of a target that is
    1 for each class in the picture.
    """
    smoothing = recipe.label_smoothing
    if recipe.loss == "softmax":
        return cross_entropy(logits_BK, targets, label_smoothing=smoothing)
    num_classes = logits_BK.shape[1]
    shares_BK = one_hot(targets, num_classes) if targets.ndim == 1 else targets
    present_BK = (shares_BK > IN_THE_PICTURE).to(logits_BK.dtype)
    wanted_BK = present_BK * (1 - smoothing) + smoothing / num_classes
    return binary_cross_entropy_with_logits(logits_BK, wanted_BK)
