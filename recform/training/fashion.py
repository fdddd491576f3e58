"""Fashion-MNIST in its official files (Xiao, Rasul and Vollgraf 2017).

Four files in MNIST's format (IDX): a magic number, the sizes, then bytes; packed by gzip or not.
Its 28 x 28 grey pictures get a black border of 2 pixels and three channels, so that networks for
32 x 32 colour pictures take them.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import pad
from torchvision.datasets import FashionMNIST
from torchvision.datasets.utils import download_url

from recform.errors import UserError
from recform.training.dataset import RGB, DataSet, Pixels
from recform.training.disk import ANEW, damaged, is_file, unreadable

SIDE, BORDER = 28, 2
# Of the 60,000 training images with their border.
MEAN = 0.2190
DEVIATION = 0.3318
PARTS = {"train": "train", "test": "t10k"}
CLASSES = tuple(FashionMNIST.classes)


def read_fashion(directory: Path) -> DataSet:
    """The set from `directory`, or the folders that torchvision makes in it; downloaded if absent.

    Raises UserError `no-data`, `damaged-data` or `unreadable`, with the file at fault.
    """
    folder = _found(directory)
    if folder is None:
        _download(directory)
        folder = _found(directory)
        assert folder is not None, "all four files were downloaded"
    return DataSet(
        name="fashion-mnist",
        train=_part(folder, "train"),
        test=_part(folder, "test"),
        num_classes=len(CLASSES),
        image_size=SIDE + 2 * BORDER,
        mean=(MEAN,) * RGB,
        deviation=(DEVIATION,) * RGB,
        directory=folder,
        classes=CLASSES,
    )


def _names() -> list[str]:
    return [
        f"{part}-{kind}-ubyte" for part in PARTS.values() for kind in ("images-idx3", "labels-idx1")
    ]


def _found(directory: Path) -> Path | None:
    for folder in (directory, directory / "FashionMNIST" / "raw", directory / "fashion-mnist"):
        missing = [name for name in _names() if _file(folder, name) is None]
        if not missing:
            return folder
        if len(missing) < len(_names()):
            raise UserError("damaged-data", f"{folder} lacks {', '.join(missing)}",
                            ANEW)  # fmt: skip
    return None


def _file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if is_file(path)), None)


def _download(directory: Path) -> None:
    folder, mirror = directory / "fashion-mnist", FashionMNIST.mirrors[0]
    try:
        for name, checksum in FashionMNIST.resources:
            download_url(f"{mirror}{name}", folder, filename=name, md5=checksum)
    except (OSError, RuntimeError) as error:
        raise UserError("no-data", f"{directory} holds no Fashion-MNIST, and the download from "
                        f"{mirror} failed ({error})",
                        f"get {_names()[0]}.gz and the other three files by other means, and give "
                        "their folder: --data-dir DIR")  from error  # fmt: skip


def _part(folder: Path, part: str) -> Pixels:
    images, labels = (
        _read(folder, f"{PARTS[part]}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")
    )
    name = f"{folder}/{PARTS[part]}-*"
    if images.shape[1:] != (SIDE, SIDE) or labels.shape != images.shape[:1] or len(labels) == 0:
        sizes = f"images {list(images.shape)} and labels {list(labels.shape)}"
        raise UserError("damaged-data", f"{name} do not belong together: {sizes}",
                        ANEW)  # fmt: skip
    if labels.max() >= len(CLASSES):
        raise UserError("damaged-data", f"{name} have label {labels.max()}, of 10 classes",
                        ANEW)  # fmt: skip
    framed = pad(images[:, None], (BORDER,) * 4).expand(-1, RGB, -1, -1).contiguous()
    return Pixels(framed, labels.long())


def _read(folder: Path, name: str) -> Tensor:
    """The array of bytes in an IDX file."""
    path = _file(folder, name)
    assert path is not None, "the files were found"
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except gzip.BadGzipFile as error:
        raise damaged(path, "it is not packed by gzip") from error
    except OSError as error:
        raise unreadable(path, error) from error
    except (EOFError, zlib.error) as error:
        raise damaged(path, "it ends early") from error
    num_axes = content[3] if content[:3] == b"\0\0\x08" else 0
    start = 4 + 4 * num_axes
    sizes = struct.unpack(f">{num_axes}I", content[4:start]) if len(content) >= start else ()
    if num_axes == 0 or len(sizes) != num_axes or len(content) - start != prod(sizes):
        raise damaged(path, f"it is no array of {len(content):,} bytes")
    return torch.from_numpy(np.frombuffer(content, np.uint8, offset=start).reshape(sizes).copy())
