"""A data set looked over before hours are spent on it.

Every image is fetched once: damaged files, classes without images, and pictures that stand in the
training part and the test part alike.
"""

# B batch, C channels, S side of an image

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch

from recform.errors import UserError
from recform.training.dataset import DataSet, Images

CHUNK = 256


@dataclass(frozen=True)
class PartReport:
    """What a part holds; mean and deviation are those of all its pixels, from 0 to 1.

    `damaged` has the message of each image that cannot be read, `empty_classes` those without one.
    """

    num_images: int
    smallest_class: int
    largest_class: int
    empty_classes: tuple[int, ...]
    mean: float
    deviation: float
    damaged: tuple[str, ...]


@dataclass(frozen=True)
class DataReport:
    """Both parts, and how many test images are training images, pixel by pixel."""

    train: PartReport
    test: PartReport
    num_shared: int

    @property
    def damaged(self) -> tuple[str, ...]:
        return self.train.damaged + self.test.damaged


def inspect(data: DataSet) -> DataReport:
    """Fetches every image of the data set."""
    train, seen = _inspect_part(data.train, data.num_classes)
    test, again = _inspect_part(data.test, data.num_classes)
    known = set(seen)
    return DataReport(train, test, sum(print_ in known for print_ in again))


def _inspect_part(images: Images, num_classes: int) -> tuple[PartReport, list[bytes]]:
    sums, damaged, prints = torch.zeros(3, dtype=torch.float64), [], []
    for numbers in torch.arange(len(images.labels)).split(CHUNK) if len(images.labels) else ():
        pixels, messages = _fetched(images, numbers)
        damaged += messages
        prints += [hashlib.sha256(image.numpy().tobytes()).digest() for image in pixels]
        unit = pixels.double() / 255
        sums += torch.stack((torch.tensor(unit.numel()).double(), unit.sum(), (unit**2).sum()))
    counts = torch.bincount(images.labels, minlength=num_classes)
    count, total, squares = sums.tolist()
    mean = total / count if count else 0.0
    report = PartReport(
        num_images=len(images.labels),
        smallest_class=int(counts.min()),
        largest_class=int(counts.max()),
        empty_classes=tuple(torch.nonzero(counts == 0)[:, 0].tolist()),
        mean=mean,
        deviation=max(0.0, squares / count - mean**2) ** 0.5 if count else 0.0,
        damaged=tuple(damaged),
    )
    return report, prints


def _fetched(images: Images, numbers: torch.Tensor) -> tuple[torch.Tensor, list[str]]:
    """The images that can be read, and what is wrong with the others."""
    try:
        return images.fetch(numbers), []
    except UserError:
        found, messages = [], []
        for number in numbers:
            try:
                found.append(images.fetch(number[None]))
            except UserError as error:
                messages.append(error.diagnostics[0].message)
        whole = torch.cat(found) if found else torch.zeros((0, 3, 1, 1), dtype=torch.uint8)
        return whole, messages
