"""Pictures that something opens by number: members of shards, rows of a data set of the hub."""

# B batch, C channels, S side of an image

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from PIL import Image
from torch import Tensor

from recform.training.augment import Changes, changed, new_side
from recform.training.decoding import crop_of, square_of
from recform.training.recipe import Recipe


class Source(Protocol):
    """Where pictures are."""

    def picture(self, number: int) -> Image.Image:
        """In colours. Raises UserError `damaged-data`."""
        ...

    def original(self, number: int) -> tuple[str, bytes]:
        """Its file, with the suffix. Raises UserError `damaged-data`."""
        ...


@dataclass(frozen=True, eq=False)
class Pictures:
    """Some pictures of a source; implements `Images`. See `Files` for what becomes of them."""

    source: Source
    numbers: Tensor
    labels: Tensor
    image_size: int
    share: float = 1.0
    on_disk: bool = True

    @property
    def side(self) -> int:
        return self.image_size

    def fetch(self, indices: Tensor) -> Tensor:
        squares = [square_of(picture, self.image_size, self.share)
                   for picture in self._open(indices)]  # fmt: skip
        return torch.stack(squares)

    def fetch_changed(self, indices: Tensor, changes: Changes, recipe: Recipe) -> Tensor:
        if changes.boxes is None:
            return changed(self.fetch(indices), changes, recipe)
        side = new_side(self.image_size, recipe)
        boxes = changes.boxes.tolist()
        crops = [crop_of(picture, box, side)
                 for picture, box in zip(self._open(indices), boxes, strict=True)]  # fmt: skip
        return changed(torch.stack(crops), replace(changes, boxes=None), recipe)

    def original(self, index: int) -> tuple[str, bytes]:
        return self.source.original(int(self.numbers[index]))

    def middle(self, share: float) -> Pictures:
        return replace(self, share=share)

    def to(self, place: torch.device) -> Pictures:
        """They stay where they are."""
        return self

    def pick(self, indices: Tensor) -> Pictures:
        return replace(self, numbers=self.numbers[indices], labels=self.labels[indices])

    def _open(self, indices: Tensor) -> Iterator[Image.Image]:
        return map(self.source.picture, self.numbers[indices].tolist())
