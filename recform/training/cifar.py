"""CIFAR-10 and CIFAR-100 in either of their official layouts (Krizhevsky 2009).

Binary: records of one label byte (CIFAR-100: coarse, then fine) and 3,072 pixel bytes, red, green
and blue planes of 32 x 32. Python: pickled dicts of an array of such pixels and a list of labels.
Both hold 50,000 training and 10,000 test images. What is found on disk is checked and read as it
is, also when it is a smaller set in the same layout; what is not found is downloaded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision.datasets import CIFAR10, CIFAR100
from torchvision.datasets.utils import download_and_extract_archive

from recform.errors import UserError
from recform.training.dataset import RGB, DataSet, Pixels
from recform.training.disk import ANEW, damaged, is_file, unreadable
from recform.training.unpickle import read_pickle

SIDE = 32
NUM_PIXELS = RGB * SIDE * SIDE
NUM_TRAIN, NUM_TEST = 50_000, 10_000

# One file as it was read: pixels [N, 3072] and labels [N], not checked yet.
Records = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Layout:
    """The files of one official layout, and how one of them is read."""

    folder: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    read: Callable[[Path], Records]


@dataclass(frozen=True)
class Cifar:
    """One of the two sets. Channel means and deviations are those of its 50,000 images."""

    name: str
    num_classes: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    layouts: tuple[Layout, Layout]
    source: type[CIFAR10]
    classes: tuple[str, ...] = ()


def _binary_records(path: Path, num_label_bytes: int) -> Records:
    content = np.frombuffer(path.read_bytes(), np.uint8)
    size = num_label_bytes + NUM_PIXELS
    if len(content) == 0 or len(content) % size:
        raise damaged(
            path, f"its {len(content):,} bytes are no whole number of {size:,}-byte images"
        )
    records = content.reshape(-1, size)
    return records[:, num_label_bytes:], records[:, num_label_bytes - 1]


def _pickled_records(path: Path) -> Records:
    content = read_pickle(path)
    if not isinstance(content, dict):
        raise damaged(path, "it holds no dict")
    named = {_text(key): value for key, value in content.items()}
    pixels = named.get("data")
    labels = named.get("fine_labels", named.get("labels"))
    if not isinstance(pixels, np.ndarray) or labels is None:
        raise damaged(path, "it lacks pixels or labels")
    if pixels.dtype != np.uint8 or pixels.shape[1:] != (NUM_PIXELS,):
        raise damaged(path, f"its pixels are {pixels.dtype} {list(pixels.shape)}")
    labels = _numbers(labels)
    if labels.shape != pixels.shape[:1] or labels.dtype.kind not in "iu":
        raise damaged(path, f"it holds {len(pixels):,} images and other labels than one for each")
    return pixels, labels


def _text(key: object) -> object:
    """A key that Python 2 wrote, as text."""
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else key


def _numbers(labels: object) -> np.ndarray:
    """The labels as an array; as an empty one if they are no row of numbers."""
    try:
        return np.asarray(labels)
    except ValueError:
        return np.zeros((0,))


_BATCHES = tuple(f"data_batch_{number}" for number in range(1, 6))

CIFAR_10 = Cifar(
    name="cifar10",
    num_classes=10,
    mean=(0.4914, 0.4822, 0.4465),
    deviation=(0.2470, 0.2435, 0.2616),
    layouts=(
        Layout(
            "cifar-10-batches-bin",
            tuple(f"{name}.bin" for name in _BATCHES),
            ("test_batch.bin",),
            partial(_binary_records, num_label_bytes=1),
        ),
        Layout("cifar-10-batches-py", _BATCHES, ("test_batch",), _pickled_records),
    ),
    source=CIFAR10,
    classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship",
             "truck"),
)  # fmt: skip

CIFAR_100 = Cifar(
    name="cifar100",
    num_classes=100,
    mean=(0.5071, 0.4865, 0.4409),
    deviation=(0.2673, 0.2564, 0.2762),
    layouts=(
        Layout(
            "cifar-100-binary",
            ("train.bin",),
            ("test.bin",),
            partial(_binary_records, num_label_bytes=2),
        ),
        Layout("cifar-100-python", ("train",), ("test",), _pickled_records),
    ),
    source=CIFAR100,
)


def read_cifar(cifar: Cifar, directory: Path) -> DataSet:
    """The set from a layout's own folder or the folder around it; downloaded if it is in neither.

    Raises UserError `no-data`, `damaged-data` or `unreadable`, with the file at fault.
    """
    found = _found(cifar, directory)
    if found is None:
        _download(cifar, directory)
        found = _found(cifar, directory)
        assert found is not None, f"the archive of {cifar.name} has another layout than it had"
    folder, layout = found
    train = _read_part(layout, [folder / name for name in layout.train], cifar.num_classes)
    test = _read_part(layout, [folder / name for name in layout.test], cifar.num_classes)
    _check_counts(folder, len(train.labels), len(test.labels))
    return DataSet(
        name=cifar.name,
        train=train,
        test=test,
        num_classes=cifar.num_classes,
        image_size=SIDE,
        mean=cifar.mean,
        deviation=cifar.deviation,
        directory=folder,
        classes=cifar.classes,
    )


def _found(cifar: Cifar, directory: Path) -> tuple[Path, Layout] | None:
    """The folder of the first layout that is complete, None where there is no file of any."""
    partial_finds = []
    for layout in cifar.layouts:
        for folder in (directory / layout.folder, directory):
            missing = [n for n in layout.train + layout.test if not is_file(folder / n)]
            if not missing:
                return folder, layout
            if len(missing) < len(layout.train + layout.test):
                partial_finds.append((folder, missing))
    for folder, missing in partial_finds:
        raise UserError("damaged-data", f"{folder} lacks {', '.join(missing)}",
                        ANEW)  # fmt: skip
    return None


def _download(cifar: Cifar, directory: Path) -> None:
    source = cifar.source
    try:
        download_and_extract_archive(
            source.url, directory, filename=source.filename, md5=source.tgz_md5
        )
    except (OSError, RuntimeError, EOFError) as error:
        folders = " nor ".join(layout.folder for layout in cifar.layouts)
        raise UserError(
            "no-data",
            f"{directory} holds neither {folders}, and the download from {source.url} failed "
            f"({error})",
            f"get {source.filename} by other means, unpack it, and give its folder: --data-dir DIR",
        ) from error


def _read_part(layout: Layout, paths: list[Path], num_classes: int) -> Pixels:
    parts = [_checked(path, _read_file(layout, path), num_classes) for path in paths]
    for path, part in zip(paths, parts, strict=True):
        if len(part.labels) != len(parts[0].labels):
            counts = f"{len(part.labels):,} images and {paths[0].name} {len(parts[0].labels):,}"
            raise UserError("damaged-data", f"{path} or a file beside it is cut: it holds {counts}",
                            ANEW)  # fmt: skip
    return Pixels(
        torch.cat([part.pixels for part in parts]), torch.cat([part.labels for part in parts])
    )


def _read_file(layout: Layout, path: Path) -> Records:
    try:
        return layout.read(path)
    except OSError as error:
        raise unreadable(path, error) from error


def _checked(path: Path, records: Records, num_classes: int) -> Pixels:
    pixels, labels = records
    wrong = np.flatnonzero((labels < 0) | (labels >= num_classes))
    if len(wrong):
        first = wrong[0]
        raise damaged(path, f"image {first} has label {labels[first]}, of {num_classes} classes")
    return Pixels(_tensor(pixels).reshape(-1, RGB, SIDE, SIDE), _tensor(labels).long())


def _check_counts(folder: Path, num_train: int, num_test: int) -> None:
    """A file cut between two images is noticed where the other part has its official size."""
    if (num_train == NUM_TRAIN) != (num_test == NUM_TEST):
        raise UserError(
            "damaged-data",
            f"{folder} holds {num_train:,} training and {num_test:,} test images, "
            f"not {NUM_TRAIN:,} and {NUM_TEST:,}",
            ANEW,
        )


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array))
