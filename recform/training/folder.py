"""Your own images: one folder a class, under train/ and under val/ or test/ (ImageNet's layout).

Files are read when they are needed, so that a set may be larger than memory.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import pil_loader
from torchvision.transforms import v2

from recform.errors import UserError
from recform.training.augment import Changes, box_in, changed, new_side
from recform.training.dataset import DataSet
from recform.training.recipe import Recipe

TEST_FOLDERS = ("val", "test")
# Kinds of pictures that other readers of shards know.
SHARED = ("jpg", "png", "webp")


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
            raise UserError(
                "damaged-data", f"{path} cannot be read: {error.strerror or error}"
            ) from error

    def middle(self, share: float) -> Files:
        return replace(self, share=share)

    def to(self, place: torch.device) -> Files:
        """Files stay where they are."""
        return self

    def pick(self, indices: Tensor) -> Files:
        paths = tuple(self.paths[index] for index in indices)
        return replace(self, paths=paths, labels=self.labels[indices])


def read_folder(directory: Path, image_size: int) -> DataSet:
    """The images under `directory`. Raises UserError `no-data` where its folders are not as said.

    A damaged image is noticed when it is first fetched.
    """
    train_folder = directory / "train"
    test_folder = _test_folder(directory)
    train, test = listed(train_folder), listed(test_folder)
    if train.classes != test.classes:
        lone = sorted(set(train.classes) ^ set(test.classes))
        raise UserError(
            "no-data", f"{train_folder} and {test_folder} differ in their classes: {lone[0]}"
        )
    return DataSet(
        name="folder",
        train=files_of(train, image_size),
        test=files_of(test, image_size),
        num_classes=len(train.classes),
        image_size=image_size,
        mean=IMAGENET_DEFAULT_MEAN,
        deviation=IMAGENET_DEFAULT_STD,
        directory=directory,
        classes=tuple(train.classes),
    )


def _test_folder(directory: Path) -> Path:
    for name in TEST_FOLDERS:
        if (directory / name).is_dir():
            return directory / name
    raise UserError("no-data", f"{directory} has no folder {' or '.join(TEST_FOLDERS)}", LAYOUT)


def listed(folder: Path) -> ImageFolder:
    """The images of a folder, a class for each folder in it. Raises UserError `no-data`."""
    try:
        return ImageFolder(str(folder))
    except OSError as error:
        raise UserError(
            "no-data", f"{folder} holds no folders of images: {error}", LAYOUT
        ) from error


def files_of(found: ImageFolder, image_size: int) -> Files:
    """Those images, to be read at this size."""
    paths = tuple(path for path, _ in found.samples)
    return Files(paths, torch.tensor(found.targets), image_size)


def square_of(picture: Image.Image, image_size: int, share: float) -> Tensor:
    """The middle square of a picture, `share` of its shorter side, at this size."""
    larger = round(image_size / share)
    scaled = v2.functional.resize(v2.functional.pil_to_tensor(picture), [larger])
    return v2.functional.center_crop(scaled, [image_size, image_size])


def crop_of(picture: Image.Image, box: Sequence[float], side: int) -> Tensor:
    """A random crop (see `box_in`) as a square of this side."""
    edges = box_in(box, picture.height, picture.width)
    scaled = picture.resize((side, side), Image.Resampling.BILINEAR, edges)
    return v2.functional.pil_to_tensor(scaled)


def as_shared(suffix: str, content: bytes) -> tuple[str, bytes]:
    """A picture's file under the suffix that all readers know; of a rare kind, as PNG."""
    suffix = "jpg" if suffix == "jpeg" else suffix
    if suffix in SHARED:
        return suffix, content
    written = io.BytesIO()
    Image.open(io.BytesIO(content)).convert("RGB").save(written, "PNG")
    return "png", written.getvalue()


def _picture(path: str) -> Image.Image:
    try:
        return pil_loader(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError("damaged-data", f"{path} is no image that can be read: {error}") from error


LAYOUT = "put the images at train/CLASS/NAME.png and val/CLASS/NAME.png"
