"""Your own images: one folder a class, under train/ and under val/ or test/ (ImageNet's layout).

Files are read when they are needed, so that a set may be larger than memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor
from torchvision.datasets import ImageFolder
from torchvision.datasets.folder import pil_loader
from torchvision.transforms import v2

from recform.errors import UserError
from recform.training.dataset import DataSet

TEST_FOLDERS = ("val", "test")


@dataclass(frozen=True, eq=False)
class Files:
    """Images on disk: the shorter side is scaled to the size, and the middle square kept."""

    paths: tuple[str, ...]
    labels: Tensor
    image_size: int
    on_disk: bool = True

    def fetch(self, indices: Tensor) -> Tensor:
        return torch.stack([_square(self.paths[index], self.image_size) for index in indices])

    def pick(self, indices: Tensor) -> Files:
        paths = tuple(self.paths[index] for index in indices)
        return Files(paths, self.labels[indices], self.image_size)


def read_folder(directory: Path, image_size: int) -> DataSet:
    """The images under `directory`. Raises UserError `no-data` where its folders are not as said.

    A damaged image is noticed when it is first fetched.
    """
    train_folder = directory / "train"
    test_folder = _test_folder(directory)
    train, test = _listed(train_folder), _listed(test_folder)
    if train.classes != test.classes:
        lone = sorted(set(train.classes) ^ set(test.classes))
        raise UserError(
            "no-data", f"{train_folder} and {test_folder} differ in their classes: {lone[0]}"
        )
    return DataSet(
        name="folder",
        train=_files(train, image_size),
        test=_files(test, image_size),
        num_classes=len(train.classes),
        image_size=image_size,
        mean=IMAGENET_DEFAULT_MEAN,
        deviation=IMAGENET_DEFAULT_STD,
        directory=directory,
    )


def _test_folder(directory: Path) -> Path:
    for name in TEST_FOLDERS:
        if (directory / name).is_dir():
            return directory / name
    raise UserError("no-data", f"{directory} has no folder {' or '.join(TEST_FOLDERS)}", LAYOUT)


def _listed(folder: Path) -> ImageFolder:
    try:
        return ImageFolder(str(folder))
    except OSError as error:
        raise UserError(
            "no-data", f"{folder} holds no folders of images: {error}", LAYOUT
        ) from error


def _files(found: ImageFolder, image_size: int) -> Files:
    paths = tuple(path for path, _ in found.samples)
    return Files(paths, torch.tensor(found.targets), image_size)


def _square(path: str, image_size: int) -> Tensor:
    try:
        picture = pil_loader(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError("damaged-data", f"{path} is no image that can be read: {error}") from error
    scaled = v2.functional.resize(v2.functional.pil_to_tensor(picture), [image_size])
    return v2.functional.center_crop(scaled, [image_size, image_size])


LAYOUT = "put the images at train/CLASS/NAME.png and val/CLASS/NAME.png"
