"""A data set looked over before hours are spent on it.

Every image is fetched once: damaged files, classes without images, pictures that stand in the
training part and the test part alike, and files that nobody will look at.
"""

# B batch, C channels, S side of an image

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from recform.errors import UserError
from recform.training.dataset import DataSet, Images
from recform.training.folder import Files
from recform.training.listing import passed_over

# Images that are looked at together: so many, or so many pixels if they are large.
CHUNK = 256
MOST_PIXELS = 2**24
# Damaged images that are named.
MOST_NAMED = 10


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
    """Both parts, and how many test images are training images, pixel by pixel.

    `passed_over` counts files beside the images that are none by their name, by its ending; hidden
    ones under a dot.
    """

    train: PartReport
    test: PartReport
    num_shared: int
    passed_over: dict[str, int]

    @property
    def damaged(self) -> tuple[str, ...]:
        return self.train.damaged + self.test.damaged


def inspect(data: DataSet) -> DataReport:
    """Fetches every image of the data set."""
    train, seen = _inspect_part(data.train, data.num_classes)
    test, again = _inspect_part(data.test, data.num_classes)
    known = set(seen)
    num_shared = sum(print_ in known for print_ in again)
    return DataReport(train, test, num_shared, _passed_over(data))


def whole_images(data: DataSet) -> tuple[DataSet, tuple[str, ...]]:
    """The data set without the images that cannot be read, and what is wrong with each of these.

    What lies in memory was read already.
    """
    parts, damaged = [], []
    for images in (data.train, data.test):
        numbers = torch.arange(len(images.labels))
        faults = {int(n): _fetched(images, n[None])[1] for n in numbers} if images.on_disk else {}
        damaged += [message for messages in faults.values() for message in messages]
        sound = torch.tensor([not faults.get(int(n)) for n in numbers], dtype=torch.bool)
        parts.append(images if bool(sound.all()) else images.pick(numbers[sound]))
    return replace(data, train=parts[0], test=parts[1]), tuple(damaged)


def damage(name: str, messages: Sequence[str], hint: str) -> UserError:
    """What is told of the damaged images of a data set; the first of them are named."""
    number = f"{len(messages):,} damaged image{'' if len(messages) == 1 else 's'}"
    return UserError("damaged-data", f"{name} has {number}: {'; '.join(messages[:MOST_NAMED])}",
                     hint)  # fmt: skip


def _passed_over(data: DataSet) -> dict[str, int]:
    """Of both parts at once: their pictures may lie in the same folders."""
    parts = [images for images in (data.train, data.test) if isinstance(images, Files)]
    return passed_over(path for images in parts for path in images.paths)


def _inspect_part(images: Images, num_classes: int) -> tuple[PartReport, list[bytes]]:
    sums, damaged, prints = torch.zeros(3, dtype=torch.float64), [], []
    chunk = max(1, min(CHUNK, MOST_PIXELS // images.side**2))
    for numbers in torch.arange(len(images.labels)).split(chunk) if len(images.labels) else ():
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
    except UserError as error:
        _check_damage(error)
    found, messages = [], []
    for number in numbers:
        try:
            found.append(images.fetch(number[None]))
        except UserError as error:
            _check_damage(error)
            messages.append(error.diagnostics[0].message)
    whole = torch.cat(found) if found else torch.zeros((0, 3, 1, 1), dtype=torch.uint8)
    return whole, messages


def _check_damage(error: UserError) -> None:
    """Anything else, such as a bucket that is out of reach, says nothing of the images."""
    if error.code != "damaged-data":
        raise error
