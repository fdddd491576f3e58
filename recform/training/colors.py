"""Colors changed at random: jitter of brightness, contrast and saturation, and AlexNet's lighting.

As in training/augment.py what happens to an image is drawn first, for the whole batch, and applied
wherever the batch lies. torchvision shuffles the three jitters anew for each image; here they
always come in the order of their names.
"""

# B batch, C channels (red, green, blue), S side of an image

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import v2

from recform.training.device import sent
from recform.training.recipe import Recipe

# Principal components of ImageNet's colors and their deviations, from 0 to 1 (Krizhevsky et al.
# 2012, section 4.1; the numbers of the Torch code that all later ones repeat).
DEVIATIONS = (0.2175, 0.0188, 0.0045)
COMPONENTS = (
    (-0.5675, 0.7192, 0.4009),
    (-0.5808, -0.0045, -0.8140),
    (-0.5836, -0.6948, 0.4203),
)


@dataclass(frozen=True, eq=False)
class Tints:
    """For each image the factors of brightness, contrast and saturation, B 3; its light, B 3."""

    factors: Tensor | None
    lights: Tensor | None

    def of(self, part: slice) -> Tints:
        """Those of some images of the batch."""
        return Tints(
            None if self.factors is None else self.factors[part],
            None if self.lights is None else self.lights[part],
        )


def drawn_tints(num_images: int, recipe: Recipe, chance: torch.Generator) -> Tints | None:
    """What is to happen to the colors of a batch; None where the recipe leaves them."""
    if not (recipe.color_jitter or recipe.lighting):
        return None
    factors = lights = None
    if recipe.color_jitter:
        spread = 2 * torch.rand((num_images, 3), generator=chance) - 1
        factors = 1 + recipe.color_jitter * spread
    if recipe.lighting:
        shares = recipe.lighting * torch.randn((num_images, 3), generator=chance)
        lights = (shares * torch.tensor(DEVIATIONS)) @ torch.tensor(COMPONENTS).T
    return Tints(factors, lights)


def tinted(images_BCSS: Tensor, tints: Tints) -> Tensor:
    """The images, bytes, in other colors."""
    found_BCSS = images_BCSS.float()
    if tints.factors is not None:
        factors = sent(tints.factors, images_BCSS.device).T[:, :, None, None, None]
        found_BCSS = _jittered(found_BCSS, *factors)
    if tints.lights is not None:
        found_BCSS = found_BCSS + 255 * sent(tints.lights, images_BCSS.device)[:, :, None, None]
    return found_BCSS.round().clamp(0, 255).to(images_BCSS.dtype)


def _jittered(
    images_BCSS: Tensor, brightness_B111: Tensor, contrast_B111: Tensor, saturation_B111: Tensor
) -> Tensor:
    bright_BCSS = (images_BCSS * brightness_B111).clamp(0, 255)
    mean_B111 = _gray(bright_BCSS).mean((2, 3), keepdim=True)
    plain_BCSS = (mean_B111 + contrast_B111 * (bright_BCSS - mean_B111)).clamp(0, 255)
    gray_B1SS = _gray(plain_BCSS)
    return (gray_B1SS + saturation_B111 * (plain_BCSS - gray_B1SS)).clamp(0, 255)


def _gray(images_BCSS: Tensor) -> Tensor:
    return v2.functional.rgb_to_grayscale(images_BCSS)
