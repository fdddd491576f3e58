"""The images of an epoch, batch by batch.

Each batch is a function of its number: which images, and how they are shifted and mirrored,
follows from (seed, epoch, step). So an epoch can be taken up at any step, and it does not matter
how many processes prepare it.

Shifts and mirror images are drawn for each image. torchvision's transforms draw once a call and
from the global generator: a whole batch would share its shift, or 50,000 calls cost 14 s an epoch.
"""

# B batch, C channels, S side of an image

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision.transforms import v2

from recform.errors import UserError
from recform.training.dataset import DataSet, Images
from recform.training.device import Device
from recform.training.randomness import generator
from recform.training.recipe import Recipe

Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class TrainingBatches(TorchDataset):
    """All images in a new order, cut into batches of one size; what is left over waits."""

    images: Images
    order: Tensor
    recipe: Recipe
    seed: int
    epoch: int

    def __len__(self) -> int:
        return num_training_batches(len(self.order), self.recipe)

    def __getitem__(self, step: int) -> Batch | UserError:
        size = self.recipe.batch_size
        batch = _fetched(self.images, self.order[step * size :][:size])
        if isinstance(batch, UserError):
            return batch
        return augment(batch[0], self.recipe, generator(self.seed, self.epoch, step)), batch[1]


@dataclass(frozen=True, eq=False)
class EvaluationBatches(TorchDataset):
    """All images in their own order, the last batch smaller where they do not divide."""

    images: Images
    batch_size: int

    def __len__(self) -> int:
        return -(-len(self.images.labels) // self.batch_size)

    def __getitem__(self, step: int) -> Batch | UserError:
        first = step * self.batch_size
        last = min(first + self.batch_size, len(self.images.labels))
        return _fetched(self.images, torch.arange(first, last))


def num_training_batches(num_images: int, recipe: Recipe) -> int:
    """Full batches only, so that all steps weigh the same; one batch of all where there is none."""
    return max(1, num_images // recipe.batch_size)


def training_batches(images: Images, recipe: Recipe, seed: int, epoch: int) -> TrainingBatches:
    order = torch.randperm(len(images.labels), generator=generator(seed, epoch))
    return TrainingBatches(images, order, recipe, seed, epoch)


def load(
    batches: TrainingBatches | EvaluationBatches, device: Device, first: int = 0
) -> Iterator[Batch]:
    """The batches from number `first` on, on the device. Raises UserError `damaged-data`."""
    loader = DataLoader(
        batches,
        batch_size=None,
        sampler=range(first, len(batches)),
        num_workers=device.num_workers if batches.images.on_disk else 0,
        pin_memory=device.pins_memory,
        worker_init_fn=_leave_signals_to_parent,
        # The loader draws a number when it starts; not from the network's own generator.
        generator=torch.Generator(),
    )
    for batch in loader:
        if isinstance(batch, UserError):
            raise batch
        images_BCSS, labels_B = batch
        yield (
            images_BCSS.to(device.place, non_blocking=True),
            labels_B.to(device.place, non_blocking=True),
        )


def augment(images_BCSS: Tensor, recipe: Recipe, chance: torch.Generator) -> Tensor:
    """Each image shifted by its own amount within its padding, and mirrored or not."""
    num_images, _, _, side = images_BCSS.shape
    padding = round(recipe.crop_padding * side)
    rows_BS, columns_BS = torch.arange(side) + torch.randint(
        2 * padding + 1, (2, num_images, 1), generator=chance
    )
    if recipe.flip:
        mirrored_B1 = torch.randint(2, (num_images, 1), generator=chance).bool()
        columns_BS = torch.where(mirrored_B1, columns_BS.flip(1), columns_BS)
    padded_BCSS = pad(images_BCSS, (padding,) * 4)
    batch_B11 = torch.arange(num_images)[:, None, None]
    cut_BSSC = padded_BCSS[batch_B11, :, rows_BS[:, :, None], columns_BS[:, None, :]]
    return cut_BSSC.permute(0, 3, 1, 2).contiguous()


def normalized(images_BCSS: Tensor, data: DataSet) -> Tensor:
    """Bytes as numbers around zero."""
    unit_BCSS = v2.functional.to_dtype(images_BCSS, torch.float32, scale=True)
    standard_BCSS = v2.functional.normalize(unit_BCSS, list(data.mean), list(data.deviation))
    return standard_BCSS.to(memory_format=torch.channels_last)


def evaluation_batch(data: DataSet) -> Batch:
    """All test images as a network reads them, with labels. Raises UserError `damaged-data`."""
    batch = _fetched(data.test, torch.arange(data.num_test))
    if isinstance(batch, UserError):
        raise batch
    return normalized(batch[0], data), batch[1]


def _fetched(images: Images, indices: Tensor) -> Batch | UserError:
    """The images and labels of these numbers; a mistake in a file as a value.

    A value, because the loader can carry no exception of ours from its processes to this one.
    """
    try:
        return images.fetch(indices), images.labels[indices]
    except UserError as error:
        return error


def _leave_signals_to_parent(_worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; only the one that trains may act on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
