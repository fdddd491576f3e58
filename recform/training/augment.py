"""Images changed at random, a batch at a time, wherever the batch lies.

What happens to an image is drawn first, as a value for the whole batch, from a generator on the
processor; applying it is indexing, on any device. So the same images come out on every device, and
of a batch that several processes share each applies its own part.

torchvision's transforms draw once a call and from the global generator: a whole batch would share
its shift, or 50,000 calls cost 14 s an epoch.
"""

# B batch, C channels, S side of an image

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from timm.data.auto_augment import rand_augment_transform
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, pad
from torchvision.transforms import v2

from recform.training.colors import Tints, drawn_tints, tinted
from recform.training.device import sent
from recform.training.randomness import drawing_from
from recform.training.recipe import Recipe

# Aspects of a random crop, width to height (Szegedy et al. 2015).
NARROWEST, WIDEST = 3 / 4, 4 / 3


@dataclass(frozen=True, eq=False)
class Changes:
    """What happens to each image of a batch; None where the recipe does no such thing.

    `shifts` are rows and columns from the corner of the padded image, 2 B 1; `mirrored` B 1;
    `boxes` the share of the area of a crop, its aspect and its place between the edges, B 4;
    `holes` the rows and columns at which squares begin, 2 B 1; `tints` what becomes of the colors.
    """

    shifts: Tensor
    mirrored: Tensor | None
    boxes: Tensor | None
    holes: Tensor | None
    tints: Tints | None

    def of(self, part: slice) -> Changes:
        """Those of some images of the batch."""
        return Changes(
            self.shifts[:, part],
            None if self.mirrored is None else self.mirrored[part],
            None if self.boxes is None else self.boxes[part],
            None if self.holes is None else self.holes[:, part],
            None if self.tints is None else self.tints.of(part),
        )


def drawn(num_images: int, side: int, recipe: Recipe, chance: torch.Generator) -> Changes:
    """What is to happen to a batch of images of this side."""
    if recipe.smallest_crop > 0:
        # Shifts and holes are those of the images that the crops become.
        side = new_side(side, recipe)
    padding = _padding(recipe, side)
    shifts = torch.randint(2 * padding + 1, (2, num_images, 1), generator=chance)
    mirrored = boxes = holes = None
    if recipe.flip:
        mirrored = torch.randint(2, (num_images, 1), generator=chance).bool()
    if recipe.smallest_crop > 0:
        boxes = _boxes(num_images, recipe.smallest_crop, chance)
    if recipe.cutout > 0:
        # A square may hang over the edge by half, as in DeVries and Taylor (2017).
        holes = torch.randint(side, (2, num_images, 1), generator=chance) - _hole(recipe, side) // 2
    return Changes(shifts, mirrored, boxes, holes, drawn_tints(num_images, recipe, chance))


def changed(images_BCSS: Tensor, changes: Changes, recipe: Recipe) -> Tensor:
    """The images after what was drawn for them; bytes stay bytes."""
    place = images_BCSS.device
    if changes.boxes is not None:
        images_BCSS = _resized(images_BCSS, sent(changes.boxes, place), recipe)
    side = images_BCSS.shape[2]
    padding = _padding(recipe, side)
    rows_BS, columns_BS = torch.arange(side, device=place) + sent(changes.shifts, place)
    if changes.mirrored is not None:
        mirrored_B1 = sent(changes.mirrored, place)
        columns_BS = torch.where(mirrored_B1, columns_BS.flip(1), columns_BS)
    if recipe.reflect:
        rows_BS, columns_BS = (_reflected(index - padding, side) for index in (rows_BS, columns_BS))
        padded_BCSS = images_BCSS
    else:
        padded_BCSS = pad(images_BCSS, (padding,) * 4)
    batch_B11 = torch.arange(len(images_BCSS), device=place)[:, None, None]
    cut_BSSC = padded_BCSS[batch_B11, :, rows_BS[:, :, None], columns_BS[:, None, :]]
    cut_BCSS = cut_BSSC.permute(0, 3, 1, 2).contiguous()
    if changes.tints is not None:
        cut_BCSS = tinted(cut_BCSS, changes.tints)
    if changes.holes is None:
        return cut_BCSS
    return _with_holes(cut_BCSS, sent(changes.holes, place), _hole(recipe, side))


def augment(images_BCSS: Tensor, recipe: Recipe, chance: torch.Generator) -> Tensor:
    """Each image shifted by its own amount within its padding, mirrored or not, and so on."""
    num_images, _, _, side = images_BCSS.shape
    return changed(images_BCSS, drawn(num_images, side, recipe, chance), recipe)


def alternating(changes: Changes, coins_B: Tensor, epoch: int) -> Changes:
    """Mirrored by a coin of each image in the first epoch, and then by turns."""
    return replace(changes, mirrored=(coins_B[:, None] + epoch) % 2 == 1)


def _padding(recipe: Recipe, side: int) -> int:
    return round(recipe.crop_padding * side)


def _hole(recipe: Recipe, side: int) -> int:
    return round(recipe.cutout * side)


def _reflected(index: Tensor, side: int) -> Tensor:
    """Places beyond an edge, at the mirror image of the edge: -1 is 1."""
    inside = index.abs()
    return torch.where(inside < side, inside, 2 * (side - 1) - inside).clamp(0)


def _with_holes(images_BCSS: Tensor, holes: Tensor, hole: int) -> Tensor:
    steps = torch.arange(images_BCSS.shape[2], device=images_BCSS.device)
    rows_BS, columns_BS = ((steps >= start) & (steps < start + hole) for start in holes)
    inside_B1SS = (rows_BS[:, :, None] & columns_BS[:, None, :])[:, None]
    return images_BCSS.masked_fill(inside_B1SS, 0)


def _boxes(num_images: int, smallest: float, chance: torch.Generator) -> Tensor:
    area, aspect, row, column = torch.rand((4, num_images), generator=chance)
    ratio = NARROWEST * (WIDEST / NARROWEST) ** aspect
    return torch.stack((smallest + (1 - smallest) * area, ratio, row, column), 1)


def box_in(box: Sequence[float], height: int, width: int) -> tuple[float, float, float, float]:
    """Left, upper, right and lower edge of a crop in an image of this size, in pixels.

    Where the crop's aspect does not fit, as much of it as does.
    """
    area, ratio, row, column = box
    tall = min(height, math.sqrt(area * height * width / ratio))
    wide = min(width, math.sqrt(area * height * width * ratio))
    left, upper = column * (width - wide), row * (height - tall)
    return left, upper, left + wide, upper + tall


def new_side(side: int, recipe: Recipe) -> int:
    """The side of a training image, where test images have this one."""
    return max(1, round(side * recipe.train_side))


def _resized(images_BCSS: Tensor, boxes_B4: Tensor, recipe: Recipe) -> Tensor:
    """The boxes, scaled to squares by bilinear interpolation."""
    num_images, num_channels, side, _ = images_BCSS.shape
    area, ratio, row, column = boxes_B4.unbind(1)
    height, width = (area / ratio).sqrt().clamp(max=1), (area * ratio).sqrt().clamp(max=1)
    nothing = torch.zeros_like(height)
    # affine_grid counts from -1 at one edge to 1 at the other, and names a box by its middle.
    to_row, to_column = (2 * row - 1) * (1 - height), (2 * column - 1) * (1 - width)
    frames = torch.stack((width, nothing, to_column, nothing, height, to_row), 1)
    shape = [num_images, num_channels, *[new_side(side, recipe)] * 2]
    grid = affine_grid(frames.reshape(num_images, 2, 3), shape, align_corners=False)
    found = grid_sample(images_BCSS.float(), grid, padding_mode="border", align_corners=False)
    return found.round().clamp(0, 255).to(images_BCSS.dtype)


def rand_augmented(images_BCSS: Tensor, recipe: Recipe, seeds: Sequence[int]) -> Tensor:
    """Each image after timm's RandAugment (Cubuk et al. 2020), drawn from its own seed.

    It works on one picture at a time, on the processor: meant for the processes that load files.
    """
    side = images_BCSS.shape[2]
    settings = {"translate_const": int(side * 0.45), "img_mean": (124, 116, 104)}
    policy = rand_augment_transform(recipe.rand_augment, settings)
    found = []
    for image_CSS, seed in zip(images_BCSS.cpu(), seeds, strict=True):
        with drawing_from(seed):
            picture = policy(v2.functional.to_pil_image(image_CSS))
        found.append(v2.functional.pil_to_tensor(picture))
    return torch.stack(found).to(images_BCSS.device)
