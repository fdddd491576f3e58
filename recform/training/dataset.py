"""Images with labels, split into a training and a test part.

Pictures are kept as bytes, `uint8` in channels x height x width; the training loop turns them into
numbers around zero by the mean and deviation of each channel.
"""

# B batch, N number of images, C channels, S side of an image

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torchvision.io import encode_png

from recform.errors import UserError
from recform.training.augment import Changes, changed
from recform.training.device import sent
from recform.training.recipe import Recipe

RGB = 3
# The largest side of an image, in pixels: one alone takes 300 MB.
MAX_SIDE = 10_000


class Images(Protocol):
    """Labelled images, all of one size, whether they lie in memory or on disk."""

    @property
    def labels(self) -> Tensor:
        """The class of each image, int64."""
        ...

    @property
    def on_disk(self) -> bool:
        """Whether fetching is slow enough to be worth doing beside the training."""
        ...

    @property
    def side(self) -> int:
        """S, the side of an image as `fetch` gives it."""
        ...

    def fetch(self, indices: Tensor) -> Tensor:
        """The images of these numbers, uint8, B C S S. Raises UserError `damaged-data`."""
        ...

    def fetch_changed(self, indices: Tensor, changes: Changes, recipe: Recipe) -> Tensor:
        """Those images after what was drawn for them. Raises UserError `damaged-data`."""
        ...

    def original(self, index: int) -> tuple[str, bytes]:
        """The file of an image, with its suffix. Raises UserError `damaged-data`."""
        ...

    def middle(self, share: float) -> Images:
        """The same images, as their middle: this share of the shorter side of a picture on disk."""
        ...

    def to(self, place: torch.device) -> Images:
        """The same images, kept there if they are kept in memory."""
        ...

    def pick(self, indices: Tensor) -> Images:
        """Only these images, in this order."""
        ...


@dataclass(frozen=True, eq=False)
class Pixels:
    """Images in memory."""

    pixels: Tensor  # uint8, N C S S
    labels: Tensor
    on_disk: bool = False

    @property
    def side(self) -> int:
        return self.pixels.shape[2]

    def fetch(self, indices: Tensor) -> Tensor:
        return self.pixels[sent(indices, self.pixels.device)]

    def fetch_changed(self, indices: Tensor, changes: Changes, recipe: Recipe) -> Tensor:
        return changed(self.fetch(indices), changes, recipe)

    def original(self, index: int) -> tuple[str, bytes]:
        """As PNG, which loses nothing."""
        return "png", encode_png(self.pixels[index].cpu()).numpy().tobytes()

    def middle(self, share: float) -> Pixels:
        """Images in memory are cut already."""
        return self

    def to(self, place: torch.device) -> Pixels:
        return replace(self, pixels=self.pixels.to(place), labels=self.labels.to(place))

    def pick(self, indices: Tensor) -> Pixels:
        return Pixels(self.pixels[indices], self.labels[indices])


@dataclass(frozen=True)
class Subset:
    """Classes that are some of those that a network knows: the output of each, of so many."""

    outputs: tuple[int, ...]
    num_outputs: int


@dataclass(frozen=True, eq=False)
class DataSet:
    """A training part and a test part, and what a network must know of them to be built.

    `mean` and `deviation` are those of the channels, with pixels between 0 and 1. `directory` is
    where the files were found, None for what comes with a library. Where its classes are a
    `subset`, it is there to judge networks for the whole by, and has no training part.
    """

    name: str
    train: Images
    test: Images
    num_classes: int
    image_size: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    directory: Path | None = None
    classes: tuple[str, ...] = ()
    subset: Subset | None = None

    @property
    def num_outputs(self) -> int:
        """How many outputs a network for it has."""
        return self.num_classes if self.subset is None else self.subset.num_outputs

    @property
    def num_train(self) -> int:
        return len(self.train.labels)

    @property
    def num_test(self) -> int:
        return len(self.test.labels)


def check_trainable(data: DataSet) -> None:
    """Raises UserError `no-data` for a set that is there to judge by."""
    if data.num_train == 0:
        raise UserError("no-data", f"{data.name} has no images to train on",
                        f"judge a network by it: recform evaluate RUN --data {data.name}"
                        )  # fmt: skip


def limited(data: DataSet, num_train: int | None, num_test: int | None) -> DataSet:
    """At most so many images of each part, the classes as balanced as the data allows."""
    return replace(
        data,
        train=_first(data.train, num_train, "--limit-train"),
        test=_first(data.test, num_test, "--limit-test"),
    )


def balanced_order(labels: Tensor) -> Tensor:
    """A fixed shuffle that deals the classes out in turn: one image of each, then one more of each.

    Its first n images are a subset of its first n + 1, and no class leads another by more than one
    as long as it lasts.
    """
    shuffle = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    by_class = shuffle[labels[shuffle].argsort(stable=True)]
    counts = torch.bincount(labels)
    starts = counts.cumsum(0) - counts
    rounds = torch.arange(len(labels)) - starts[labels[by_class]]
    return by_class[rounds.argsort(stable=True)]


def _first(images: Images, limit: int | None, flag: str) -> Images:
    if limit is None:
        return images
    if limit < 1:
        raise UserError("bad-argument", f"{flag} must be 1 or more, not {limit}",
                        f"{flag} 1000, or leave it out for all images")  # fmt: skip
    return images.pick(balanced_order(images.labels)[:limit])
