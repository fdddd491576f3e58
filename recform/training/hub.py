"""Data sets of the Hugging Face hub, or of a local folder in its formats, by timm's reader.

    hf:OWNER/NAME    hf:OWNER/NAME,IMAGE,LABEL    hf:FOLDER

IMAGE and LABEL are the names of the columns, `image` and `label` where they are left out. It needs
the package `datasets`; what was downloaded once is read from its cache.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from timm.data.readers import create_reader

from recform.errors import UserError
from recform.training.dataset import DataSet
from recform.training.decoding import UNREAD, as_shared, decoded, unread
from recform.training.disk import system_says
from recform.training.pictures import Pictures

PREFIX = "hf:"
# The parts that may serve as a test, by preference: a test part often comes without labels.
TEST_PARTS = ("validation", "test", "val")
COLUMNS = ("image", "label")
# What timm's reader raises at a row that holds no file of a picture.
NO_PICTURE = (AssertionError, IndexError, TypeError)


class Reader(Protocol):
    """What timm's reader has; its own class says less."""

    dataset: Any
    class_to_idx: Mapping[str, int]

    def __getitem__(self, number: int) -> Any:
        """An open file, and the label."""
        ...

    def iter_targets(self) -> Iterator[int]: ...


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a reader of timm; implements `Source`."""

    name: str
    reader: Reader

    def picture(self, number: int) -> Image.Image:
        try:
            return decoded(self.reader[number][0])
        except (*UNREAD, *NO_PICTURE) as error:
            raise self._damaged(number, error) from error

    def original(self, number: int) -> tuple[str, bytes]:
        try:
            content = self.reader[number][0].read()
            suffix = (Image.open(io.BytesIO(content)).format or "").lower()
            return as_shared(suffix, content)
        except (*UNREAD, *NO_PICTURE) as error:
            raise self._damaged(number, error) from error

    def _damaged(self, number: int, error: Exception) -> UserError:
        fault = "no picture" if isinstance(error, NO_PICTURE) else unread(error)
        return UserError("damaged-data", f"row {number} of {self.name} is {fault}",
                         "have it downloaded anew: --data-dir DIR")  # fmt: skip


def read_hub(name: str, directory: Path | None, image_size: int) -> DataSet:
    """The set after `hf:`; `directory` is where downloads are kept.

    Raises UserError `no-data` where it cannot be had, or has other columns.
    """
    path, image, label = _columns(name)
    train = _reader(path, "train", image, label, directory)
    test = next(
        (found for part in TEST_PARTS if (found := _part(path, part, image, label, directory))),
        None,
    )
    if test is None:
        raise UserError("no-data", f"{path} has no part {' or '.join(TEST_PARTS)}",
                        "a set of pictures in folders has one with --data folder --data-dir DIR"
                        )  # fmt: skip
    classes = tuple(sorted(train.class_to_idx, key=lambda key: train.class_to_idx[key]))
    return DataSet(
        name=name,
        train=_images(path, train, len(classes), image_size),
        test=_images(path, test, len(classes), image_size),
        num_classes=len(classes),
        image_size=image_size,
        mean=IMAGENET_DEFAULT_MEAN,
        deviation=IMAGENET_DEFAULT_STD,
        directory=directory,
        classes=classes,
    )


def _columns(name: str) -> tuple[str, str, str]:
    path, *columns = name.removeprefix(PREFIX).split(",")
    if not path or len(columns) not in (0, 2):
        raise UserError("bad-argument", f"{name} names no data set of the hub",
                        "--data hf:OWNER/NAME, or hf:OWNER/NAME,IMAGE,LABEL")  # fmt: skip
    image, label = columns or COLUMNS
    return path, image, label


def _reader(path: str, part: str, image: str, label: str, directory: Path | None) -> Reader:
    # timm would say so on stdout.
    if find_spec("datasets") is None:
        raise _without_package()
    try:
        reader: Any = create_reader(
            f"hfds/{path}",
            root=None if directory is None else str(directory),
            split=part,
            input_key=image,
            target_key=label,
        )
    except ImportError as error:
        raise _without_package() from error
    except (*_troubles(), ValueError, KeyError, RuntimeError, AssertionError) as error:
        reason = system_says(error) if isinstance(error, OSError) else str(error)
        reason = reason.partition("\n")[0].rstrip(".!")
        hint = "check its name, and its columns: --data hf:NAME,IMAGE,LABEL"
        raise UserError("no-data", f"{path} cannot be had ({reason})", hint) from error
    fault = _fault(reader, image, label)
    if fault:
        raise UserError("no-data", f"{path} has no {fault}", f"--data hf:{path},IMAGE,LABEL")
    return reader


def _without_package() -> UserError:
    return UserError("no-data", "the package datasets is not installed", "pip install datasets")


def _fault(reader: Reader, image: str, label: str) -> str:
    """What the columns do not hold; nothing where they hold images and classes."""
    # datasets makes an empty column out of any name that it is asked to cast.
    columns = [name for name in reader.dataset.column_names if name != image]
    if label not in columns:
        return f"classes in a column {label}; its other columns are {', '.join(columns)}"
    if not reader.class_to_idx:
        kind = getattr(reader.dataset.features[label], "dtype", "lists")
        return f"classes in its column {label}, but {kind}: cast it to ClassLabel"
    try:
        reader[0]
    except (OSError, *NO_PICTURE):
        return f"images in a column {image}; its other columns are {', '.join(columns)}"
    return ""


def _troubles() -> tuple[type[Exception], ...]:
    """What a disk and the package may raise; a package that is not loaded raises nothing."""
    datasets = sys.modules.get("datasets")
    return (OSError, *([] if datasets is None else [datasets.exceptions.DatasetsError]))


def _part(path: str, part: str, image: str, label: str, directory: Path | None) -> Reader | None:
    """A part, if the set has it."""
    try:
        return _reader(path, part, image, label, directory)
    except UserError as error:
        if "Unknown split" in error.diagnostics[0].message:
            return None
        raise


def _images(name: str, reader: Reader, num_classes: int, image_size: int) -> Pictures:
    found = list(reader.iter_targets())
    for row, label in enumerate(found):
        if label is None or not 0 <= label < num_classes:
            raise UserError("damaged-data", f"row {row} of {name} has no class",
                            "leave such rows out: dataset.filter(lambda row: row['label'] >= 0)"
                            )  # fmt: skip
    labels = torch.tensor(found, dtype=torch.long)
    return Pictures(Rows(name, reader), torch.arange(len(labels)), labels, image_size)
