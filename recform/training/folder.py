"""Your own images: one folder a class, under train/ and under val/ or test/ (ImageNet's layout).

Files are read when they are needed, so that a set may be larger than memory.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote

import torch
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor

from recform.errors import UserError
from recform.training.augment import Changes, changed, new_side
from recform.training.dataset import DataSet
from recform.training.decoding import UNREAD, as_shared, crop_of, decoded, square_of, unread
from recform.training.disk import system_says
from recform.training.listing import LAYOUT, Listing, check_filled, listed
from recform.training.recipe import Recipe

TEST_FOLDERS = ("val", "test")


@dataclass(frozen=True, eq=False)
class Files:
    """Images on disk: the middle square of each, `share` of its shorter side, at one size."""

    paths: tuple[str, ...]
    labels: Tensor
    image_size: int
    share: float = 1.0
    on_disk: bool = True

    @classmethod
    def empty(cls, image_size: int) -> Files:
        """No images, of this size."""
        return cls((), torch.zeros(0, dtype=torch.long), image_size)

    @property
    def side(self) -> int:
        return self.image_size

    def fetch(self, indices: Tensor) -> Tensor:
        return torch.stack(
            [
                square_of(_picture(self.paths[index]), self.image_size, self.share)
                for index in indices
            ]
        )

    def fetch_changed(self, indices: Tensor, changes: Changes, recipe: Recipe) -> Tensor:
        """Random crops are cut out of the whole picture, not out of its middle."""
        if changes.boxes is None:
            return changed(self.fetch(indices), changes, recipe)
        side = new_side(self.image_size, recipe)
        crops = [
            crop_of(_picture(self.paths[index]), box.tolist(), side)
            for index, box in zip(indices, changes.boxes, strict=True)
        ]
        return changed(torch.stack(crops), replace(changes, boxes=None), recipe)

    def original(self, index: int) -> tuple[str, bytes]:
        path = Path(self.paths[index])
        try:
            return as_shared(path.suffix[1:].lower(), path.read_bytes())
        except OSError as error:
            raise _damaged(path, f"cannot be read: {system_says(error)}") from error

    def middle(self, share: float) -> Files:
        return replace(self, share=share)

    def to(self, place: torch.device) -> Files:
        """Files stay where they are."""
        return self

    def pick(self, indices: Tensor) -> Files:
        paths = tuple(self.paths[index] for index in indices)
        return replace(self, paths=paths, labels=self.labels[indices])


def read_folder(directory: Path, image_size: int) -> DataSet:
    """The images under `directory`.

    Raises UserError `no-data` where its folders are not as said, `unreadable`. A damaged image is
    noticed when it is first fetched.
    """
    test_folder = _test_folder(directory)
    train, test = listed(directory / "train"), listed(test_folder)
    _check_same_classes(train, test)
    return DataSet(
        name="folder",
        train=files_of(train, image_size),
        test=files_of(test, image_size),
        num_classes=len(train.classes),
        image_size=image_size,
        mean=IMAGENET_DEFAULT_MEAN,
        deviation=IMAGENET_DEFAULT_STD,
        directory=directory,
        classes=train.classes,
    )


def files_of(found: Listing, image_size: int) -> Files:
    """Those images, to be read at this size. Raises UserError `no-data` for a class of none."""
    check_filled(found)
    return Files(found.paths, torch.tensor(found.labels), image_size)


def _test_folder(directory: Path) -> Path:
    for name in TEST_FOLDERS:
        if (directory / name).is_dir():
            return directory / name
    deeper = [path.parent for name in TEST_FOLDERS for path in sorted(directory.glob(f"*/{name}"))]
    hint = f"--data-dir {deeper[0]}" if deeper else LAYOUT
    raise UserError("no-data", f"{directory} has no folder {' or '.join(TEST_FOLDERS)}", hint)


def _check_same_classes(train: Listing, test: Listing) -> None:
    for part, other in ((test, train), (train, test)):
        lacking = sorted(set(other.classes) - set(part.classes))
        if lacking:
            raise UserError("no-data", f"{train.folder} and {test.folder} differ in their classes: "
                            f"{lacking[0]} is in {other.folder.name} alone",
                            f"put images of it at {part.folder / lacking[0]}, or remove "
                            f"{other.folder / lacking[0]}")  # fmt: skip


def _picture(path: str) -> Image.Image:
    try:
        return decoded(path)
    except UNREAD as error:
        raise _damaged(path, f"is {unread(error)}") from error


def _damaged(path: Path | str, fault: str) -> UserError:
    return UserError(
        "damaged-data", f"{path} {fault}", f"get it anew, or remove it: rm {quote(str(path))}"
    )
