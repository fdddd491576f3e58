"""The processes that fetch images from disk, kept from the first epoch to the last.

To decode pictures takes longer than to train on them: processes beside the training do it, each a
batch at a time and some batches ahead. To start them anew costs, in every epoch, the time in which
none has its first batch. What a batch holds follows from epoch and step alone, so that it does not
matter which of them makes it. The same processes fetch the test images between two epochs: others
beside them would double what is held in memory.
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
    EvaluationBatches,
    TrainingBatches,
    delivered,
    leave_signals_to_parent,
    load,
    training_batches,
)
from recform.training.dataset import Images
from recform.training.device import Device
from recform.training.recipe import Recipe

# The place of the test images among the epochs, which count from 1.
TESTS = 0


@dataclass(frozen=True, eq=False)
class Crew:
    """The batches of all epochs of a run; of each one this `part`. Between epochs, the `tests`."""

    images: Images
    recipe: Recipe
    seed: int
    device: Device
    part: slice = field(default_factory=lambda: WHOLE)
    tests: EvaluationBatches | None = None
    _places: _Places = field(default_factory=lambda: _Places(), init=False)
    _started: list[DataLoader] = field(default_factory=list, init=False)

    def load(self, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from number `first` on, on the device.

        Raises UserError `damaged-data`.
        """
        batches = training_batches(self.images, self.recipe, self.seed, epoch, self.part)
        if not self.images.on_disk or self.device.num_workers == 0:
            return load(batches, self.device, first)
        return self._fetched(epoch, range(first, len(batches)))

    def load_tests(self) -> Iterator[Batch]:
        """All batches of test images, on the device. Raises UserError `damaged-data`."""
        assert self.tests is not None, "a crew that is asked for test images has such"
        if not self.images.on_disk or self.device.num_workers == 0:
            return load(self.tests, self.device)
        return self._fetched(TESTS, range(len(self.tests)))

    def _fetched(self, epoch: int, steps: range) -> Iterator[Batch]:
        self._places.epoch, self._places.steps = epoch, steps
        if not self._started:
            self._started.append(self._start())
        return delivered(self._started[0], self.device)

    def _start(self) -> DataLoader:
        return DataLoader(
            _Epochs(self.images, self.recipe, self.seed, self.part, self.tests),
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
    """A batch by its epoch and step, or of the tests by its step.

    Each process keeps the order of the epoch it is in.
    """

    images: Images
    recipe: Recipe
    seed: int
    part: slice
    tests: EvaluationBatches | None
    latest: TrainingBatches | None = None

    def __getitem__(self, place: tuple[int, int]) -> Batch | UserError:
        epoch, step = place
        if epoch == TESTS and self.tests is not None:
            return self.tests[step]
        if self.latest is None or self.latest.epoch != epoch:
            self.latest = training_batches(self.images, self.recipe, self.seed, epoch, self.part)
        return self.latest[step]
