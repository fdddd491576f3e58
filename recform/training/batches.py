"""The images of an epoch, batch by batch.

Each batch is a function of its number: which images, and how they are shifted and mirrored,
follows from (seed, epoch, step). So an epoch can be taken up at any step, and it does not matter
how many processes prepare it.
"""

# B batch, C channels, S side of an image

from __future__ import annotations

import signal
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset
from torchvision.transforms import v2

from recform.errors import UserError
from recform.training.augment import Changes, alternating, drawn, rand_augmented
from recform.training.augment import augment as augment
from recform.training.dataset import DataSet, Images
from recform.training.device import Device, sent
from recform.training.randomness import generator, seed_of
from recform.training.recipe import Recipe

Batch = tuple[Tensor, Tensor]
WHOLE = slice(None)
# The label of an image that only fills a batch up: cross_entropy leaves it out by itself.
NOBODY = -100


@dataclass(frozen=True, eq=False)
class TrainingBatches(TorchDataset):
    """All images in a new order, cut into batches of one size; what is left over waits.

    `coins` are the heads or tails of each image. It and `order` stay with the processor: where a
    batch begins would be another program to a device that compiles what it is asked for.
    """

    images: Images
    order: Tensor
    recipe: Recipe
    seed: int
    epoch: int
    part: slice = field(default_factory=lambda: WHOLE)
    coins: Tensor | None = None

    def __len__(self) -> int:
        return num_training_batches(len(self.order), self.recipe)

    def __getitem__(self, step: int) -> Batch | UserError:
        size = self.recipe.batch_size
        indices = self.order[step * size :][:size]
        changes = drawn(len(indices), self.images.side, self.recipe,
                        generator(self.seed, self.epoch, step))  # fmt: skip
        if self.coins is not None:
            changes = alternating(changes, self.coins[indices], self.epoch)
        changes = changes.of(self.part)
        batch = _fetched(self.images, indices[self.part], changes, self.recipe)
        if isinstance(batch, UserError) or not self.recipe.rand_augment:
            return batch
        places = range(len(indices))[self.part]
        seeds = [seed_of(self.seed, self.epoch, step, place) for place in places]
        return rand_augmented(batch[0], self.recipe, seeds), batch[1]


@dataclass(frozen=True, eq=False)
class EvaluationBatches(TorchDataset):
    """All images in their own order, the last batch smaller where they do not divide.

    A batch whose size is no multiple of `multiple` is filled up with its first image, as `NOBODY`.
    """

    images: Images
    batch_size: int
    part: slice = field(default_factory=lambda: WHOLE)
    multiple: int = 1

    def __len__(self) -> int:
        return -(-len(self.images.labels) // self.batch_size)

    def __getitem__(self, step: int) -> Batch | UserError:
        first = step * self.batch_size
        last = min(first + self.batch_size, len(self.images.labels))
        num_missing = (first - last) % self.multiple
        places = torch.arange(first, last + num_missing)[self.part]
        if num_missing == 0:
            return _fetched(self.images, places)
        batch = _fetched(self.images, torch.where(places < last, places, first))
        if isinstance(batch, UserError):
            return batch
        return batch[0], batch[1].masked_fill(sent(places >= last, batch[1].device), NOBODY)


def num_training_batches(num_images: int, recipe: Recipe) -> int:
    """Full batches only, so that all steps weigh the same; one batch of all where there is none."""
    return max(1, num_images // recipe.batch_size)


def training_batches(
    images: Images, recipe: Recipe, seed: int, epoch: int, part: slice = WHOLE
) -> TrainingBatches:
    """The batches of an epoch; of each one this `part`."""
    chance, num_images = generator(seed, epoch), len(images.labels)
    order = torch.randperm(num_images, generator=chance)
    if recipe.repeats > 1:
        # Each image stands next to its repeats: Berman et al. 2019, Hoffer et al. 2020.
        order = order.repeat_interleave(recipe.repeats)[:num_images]
    coins = None
    if recipe.alternate_flip:
        # The same in all epochs.
        coins = torch.randint(2, (num_images,), generator=generator(seed))
    return TrainingBatches(images, order, recipe, seed, epoch, part, coins)


def load(
    batches: TrainingBatches | EvaluationBatches, device: Device, first: int = 0
) -> Iterator[Batch]:
    """The batches from number `first` on, on the device. Raises UserError `damaged-data`."""
    steps = range(first, len(batches))
    fetched = (
        _beside(batches, device, steps)
        if batches.images.on_disk
        else map(batches.__getitem__, steps)
    )
    return delivered(fetched, device)


def delivered(fetched: Iterable[Batch | UserError], device: Device) -> Iterator[Batch]:
    """Batches brought to the device, a mistake in a file raised."""
    for batch in fetched:
        if isinstance(batch, UserError):
            raise batch
        images_BCSS, labels_B = batch
        yield (
            device.spread(images_BCSS.to(device.place, non_blocking=True)),
            device.spread(labels_B.to(device.place, non_blocking=True)),
        )


def _beside(
    batches: TrainingBatches | EvaluationBatches, device: Device, steps: range
) -> Iterable[Batch | UserError]:
    """Batches fetched by other processes, while the device computes."""
    return DataLoader(
        batches,
        batch_size=None,
        sampler=steps,
        num_workers=device.num_workers,
        pin_memory=device.pins_memory,
        worker_init_fn=leave_signals_to_parent,
        # The loader draws a number when it starts; not from the network's own generator.
        generator=torch.Generator(),
    )


def normalized(images_BCSS: Tensor, data: DataSet) -> Tensor:
    """Bytes as numbers around zero."""
    unit_BCSS = v2.functional.to_dtype(images_BCSS, torch.float32, scale=True)
    mean_C11, deviation_C11 = _statistics(data.mean, data.deviation, images_BCSS.device)
    standard_BCSS = (unit_BCSS - mean_C11).div_(deviation_C11)
    return standard_BCSS.to(memory_format=torch.channels_last)


@lru_cache(maxsize=16)
def _statistics(
    mean: tuple[float, ...], deviation: tuple[float, ...], place: torch.device
) -> tuple[Tensor, Tensor]:
    """Both as C 1 1 on the device, where they stay: to bring them there makes it wait."""
    mean_C11, deviation_C11 = (
        sent(torch.tensor(numbers), place)[:, None, None] for numbers in (mean, deviation)
    )
    return mean_C11, deviation_C11


def evaluation_batch(data: DataSet) -> Batch:
    """All test images as a network reads them, with labels. Raises UserError `damaged-data`."""
    batch = _fetched(data.test, torch.arange(data.num_test))
    if isinstance(batch, UserError):
        raise batch
    return normalized(batch[0], data), batch[1]


def _fetched(
    images: Images, indices: Tensor, changes: Changes | None = None, recipe: Recipe | None = None
) -> Batch | UserError:
    """The images and labels of these numbers, changed; a mistake in a file as a value.

    A value, because the loader can carry no exception of ours from its processes to this one.
    """
    try:
        # Beside the labels, and so beside images in memory; files are read by the processor.
        indices = sent(indices, images.labels.device)
        labels_B = images.labels[indices]
        if changes is None or recipe is None:
            return images.fetch(indices), labels_B
        return images.fetch_changed(indices, changes, recipe), labels_B
    except UserError as error:
        return error


def leave_signals_to_parent(_worker: int) -> None:
    """Ctrl-C reaches every process of the terminal; only the one that trains may act on it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
