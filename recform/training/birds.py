"""Caltech-UCSD Birds-200-2011 as it is published (Wah et al. 2011).

images.txt, image_class_labels.txt and train_test_split.txt say by number which pictures there are,
of which class, and in which part: 5,994 to train, 5,794 to test, 200 classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from recform.errors import UserError
from recform.training.dataset import DataSet
from recform.training.disk import is_file, system_says
from recform.training.folder import Files

FOLDER = "CUB_200_2011"
UNPACK = "unpack CUB_200_2011.tgz and name its folder: --data-dir DIR"
# What train_test_split.txt says of a picture.
TRAIN, TEST = "1", "0"


def read_birds(directory: Path, image_size: int) -> DataSet:
    """The set from its own folder or the one around it. Raises `no-data`, `damaged-data`."""
    folder = next((f for f in (directory / FOLDER, directory) if is_file(f / "images.txt")), None)
    if folder is None:
        raise UserError("no-data", f"{directory} holds no {FOLDER}", UNPACK)
    paths, classes = _column(folder / "images.txt"), _column(folder / "classes.txt")
    labels = _column(folder / "image_class_labels.txt")
    flags = _column(folder / "train_test_split.txt")
    _check(folder, paths, classes, labels, flags)
    order = {name: place for place, name in enumerate(classes)}

    def part(flag: str) -> Files:
        numbers = [number for number in paths if flags[number] == flag]
        return Files(
            tuple(str(folder / "images" / paths[number]) for number in numbers),
            torch.tensor([order[labels[number]] for number in numbers]),
            image_size,
        )

    return DataSet(
        name="cub200",
        train=part(TRAIN),
        test=part(TEST),
        num_classes=len(classes),
        image_size=image_size,
        mean=IMAGENET_DEFAULT_MEAN,
        deviation=IMAGENET_DEFAULT_STD,
        directory=folder,
        classes=tuple(classes.values()),
    )


def _check(
    folder: Path,
    paths: Mapping[str, str],
    classes: Mapping[str, str],
    labels: Mapping[str, str],
    flags: Mapping[str, str],
) -> None:
    if not paths or not paths.keys() == labels.keys() == flags.keys():
        raise UserError(
            "damaged-data", f"the lists in {folder} are not of the same pictures", UNPACK
        )
    if not set(labels.values()) <= classes.keys():
        raise UserError("damaged-data", f"{folder} has labels of no class in classes.txt", UNPACK)
    if set(flags.values()) != {TRAIN, TEST}:
        raise UserError("damaged-data", f"{folder}/train_test_split.txt does not part the pictures "
                        "by 1 and 0", UNPACK)  # fmt: skip


def _column(path: Path) -> dict[str, str]:
    """What stands behind each number."""
    try:
        rows = [line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines()]
    except OSError as error:
        raise UserError(
            "damaged-data", f"{path} cannot be read: {system_says(error)}", UNPACK
        ) from error
    except UnicodeDecodeError as error:
        raise UserError("damaged-data", f"{path} is damaged: it is no text", UNPACK) from error
    if any(len(row) != 2 for row in rows):
        raise UserError(
            "damaged-data", f"{path} is damaged: a line has other than two words", UNPACK
        )
    column = {number: text.strip() for number, text in rows}
    if len(column) < len(rows):
        raise UserError("damaged-data", f"{path} is damaged: it has a number twice", UNPACK)
    return column
