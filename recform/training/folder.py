"""Your own images: one folder a class, under train/ and under val/ or test/ (ImageNet's layout).

Files are read when they are needed, so that a set may be larger than memory.
"""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import IMG_EXTENSIONS, pil_loader
from torchvision.transforms import v2

from recform.errors import UserError
from recform.training.augment import Changes, box_in, changed, new_side
from recform.training.dataset import DataSet
from recform.training.recipe import Recipe

TEST_FOLDERS = ("val", "test")
# Kinds of pictures that other readers of shards know.
SHARED = ("jpg", "png", "webp")
# Folders without images that are named.
MOST_NAMED = 5


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
        found = ImageFolder(str(folder), allow_empty=True)
    except OSError as error:
        reason = f": {error.strerror}" if error.strerror else ""
        raise UserError(
            "no-data", f"{folder} holds no folders of images{reason}", LAYOUT
        ) from error
    empty = sorted(set(range(len(found.classes))) - set(found.targets))
    if empty:
        places = ", ".join(str(folder / found.classes[number]) for number in empty[:MOST_NAMED])
        more = f" and {len(empty) - MOST_NAMED} more" if len(empty) > MOST_NAMED else ""
        raise UserError("no-data", f"there is no image in {places}{more}",
                        f"put images there ({', '.join(IMG_EXTENSIONS)}), or remove the folder"
                        )  # fmt: skip
    return found


def passed_over(images: Files) -> dict[str, int]:
    """How many files beside these images are no images by their names, by the ending of the name.

    Looked for in all folders that the images are in, and in those inside them.
    """
    folders = {os.path.dirname(path) for path in images.paths}
    known = set(images.paths)
    found = {
        os.path.join(place, name)
        for folder in folders
        for place, _, names in os.walk(folder, followlinks=True)
        for name in names
    }
    return dict(Counter(Path(path).suffix.lower() for path in sorted(found - known)))


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
        raise UserError("damaged-data", f"{path} is {unread(error)}") from error


def unread(error: Exception) -> str:
    """What is wrong with a file, in words without the names that Python has for it."""
    if isinstance(error, UnidentifiedImageError):
        return "no image that can be read: its content is of no known kind"
    system = error.strerror if isinstance(error, OSError) else None
    return f"no image that can be read: {system or error}"


LAYOUT = "put the images at train/CLASS/NAME.png and val/CLASS/NAME.png"
