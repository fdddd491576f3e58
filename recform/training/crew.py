"""The processes that fetch training images from disk, kept from the first epoch to the last.

To decode pictures takes longer than to train on them: processes beside the training do it, each a
batch at a time and some batches ahead. To start them anew costs, in every epoch, the time in which
none has its first batch. What a batch holds follows from epoch and step alone, so that it does not
matter which of them makes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from recform.errors import UserError
from recform.training.batches import (
    WHOLE,
    Batch,
    TrainingBatches,
    delivered,
    leave_signals_to_parent,
    load,
    training_batches,
)
from recform.training.dataset import Images
from recform.training.device import Device
from recform.training.recipe import Recipe


@dataclass(frozen=True, eq=False)
class Crew:
    """The batches of all epochs of a run; of each one this `part`."""

    images: Images
    recipe: Recipe
    seed: int
    device: Device
    part: slice = field(default_factory=lambda: WHOLE)
    _places: _Places = field(default_factory=lambda: _Places(), init=False)
    _started: list[DataLoader] = field(default_factory=list, init=False)

    def load(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number `first` on, on the device.

        Raises UserError `damaged-data`.
        """
        batches = training_batches(self.images, self.recipe, self.seed, epoch, self.part)
        if not self.images.on_disk or self.device.num_workers == 0:
            return load(batches, self.device, first)
        self._places.epoch, self._places.steps = epoch, range(first, len(batches))
        if not self._started:
            self._started.append(self._start())
        return delivered(self._started[0], self.device)

    def _start(self) -> DataLoader:
        return DataLoader(
            _Epochs(self.images, self.recipe, self.seed, self.part),
            batch_size=None,
            sampler=self._places,  # type: ignore[arg-type]
            num_workers=self.device.num_workers,
            persistent_workers=True,
            pin_memory=self.device.pins_memory,
            worker_init_fn=leave_signals_to_parent,
            # The loader draws a number when it starts; not from the network's own generator.
            generator=torch.Generator(),
        )


@dataclass
class _Places:
    """Which batches are wanted next: asked anew whenever the crew begins an epoch."""

    epoch: int = 0
    steps: range = range(0)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return ((self.epoch, step) for step in self.steps)

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(eq=False)
class _Epochs(TorchDataset):
    """A batch by its epoch and step. Each process keeps the order of the epoch it is in."""

    images: Images
    recipe: Recipe
    seed: int
    part: slice
    latest: TrainingBatches | None = None

    def __getitem__(self, place: tuple[int, int]) -> Batch | UserError:
        epoch, step = place
        if self.latest is None or self.latest.epoch != epoch:
            self.latest = training_batches(self.images, self.recipe, self.seed, epoch, self.part)
        return self.latest[step]
