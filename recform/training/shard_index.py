"""What the index of a folder of shards says: `_info.json`, read and believed in nothing.

It comes with the data, from whoever made that: each number is checked before a byte is read by it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from tarfile import BLOCKSIZE
from typing import Any

import torch
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor

from recform.errors import UserError
from recform.training.dataset import MAX_SIDE, RGB
from recform.training.scanning import COLUMNS, MOST_CLASSES, UNKNOWN, Part

SIDE = 224
MOST_CHECKSUM = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Index:
    """The parts by name, the classes, the side of an image, and its normalization."""

    parts: Mapping[str, Part]
    classes: tuple[str, ...]
    side: int = SIDE
    mean: tuple[float, ...] = IMAGENET_DEFAULT_MEAN
    deviation: tuple[float, ...] = IMAGENET_DEFAULT_STD


def numbered(parts: Iterable[Part]) -> tuple[str, ...]:
    """Classes without names, as many as the labels count."""
    return tuple(map(str, range(1 + max(int(part.labels.max()) for part in parts))))


def index_of(info: Mapping[str, Any]) -> Index:
    """What an index says. Raises UserError `damaged-data` where it says what cannot be."""
    try:
        return _index(info)
    except KeyError as error:
        reason = f"it lacks {error.args[0]}"
    except ValueError as error:
        reason = str(error)
    raise UserError("damaged-data", f"the index of the shards is damaged: {reason}",
                    "write the shards again: recform data shard NAME --out DIR")  # fmt: skip


def _index(info: Mapping[str, Any]) -> Index:
    splits = _told(info, "splits", dict)
    if not splits:
        raise ValueError("it has no parts")
    parts = {name: _part(name, part) for name, part in splits.items()}
    classes = _told(info, "classes", list) if info.get("classes") else numbered(parts.values())
    if not all(isinstance(name, str) for name in classes):
        raise ValueError("its classes are no list of names")
    if any(int(part.labels.max()) >= len(classes) for part in parts.values()):
        raise ValueError("it has labels that are of none of its classes")
    side = info.get("image_size", SIDE)
    if type(side) is not int or not 1 <= side <= MAX_SIDE:
        raise ValueError(f"its image_size is not from 1 to {MAX_SIDE:,}")
    deviation = _channels(info, "deviation", IMAGENET_DEFAULT_STD)
    if min(deviation) <= 0:
        raise ValueError("its deviation is not above 0")
    return Index(
        parts,
        tuple(classes),
        side,
        _channels(info, "mean", IMAGENET_DEFAULT_MEAN),
        deviation,
    )


def _part(name: str, part: Any) -> Part:
    if not isinstance(part, dict):
        raise ValueError(f"its part {name} is no object")
    names = _told(part, "filenames", list)
    if not all(isinstance(shard, str) and _is_plain(shard) for shard in names):
        raise ValueError("its filenames are no names of files in the folder")
    lengths = _whole(part, "shard_lengths", 0)
    num_bytes = _whole(part, "shard_bytes", 0)
    columns = {column: _whole(part, column, UNKNOWN) for column in COLUMNS}
    if len(names) != len(lengths) or len(names) != len(num_bytes):
        raise ValueError("its columns differ in length")
    if int(lengths.sum()) != len(columns["labels"]) or len({*map(len, columns.values())}) > 1:
        raise ValueError("its columns differ in length")
    if len(columns["labels"]) == 0:
        raise ValueError(f"its part {name} is empty")
    shards = torch.arange(len(lengths)).repeat_interleave(lengths)
    found = Part(tuple(names), tuple(num_bytes.tolist()), shards, **columns)
    _check(found, num_bytes)
    return found


def _check(part: Part, num_bytes: Tensor) -> None:
    """Labels count classes, and pictures lie inside of their shards."""
    if int(part.labels.min()) < 0 or int(part.labels.max()) >= MOST_CLASSES:
        raise ValueError(f"it has labels other than from 0 to {MOST_CLASSES - 1:,}")
    ends = part.offsets + part.sizes
    inside = (part.offsets >= BLOCKSIZE) & (part.sizes >= 0) & (ends <= num_bytes[part.shards])
    if not bool(inside.all()):
        raise ValueError("it has a picture outside of its shard")
    if int(part.checksums.max()) > MOST_CHECKSUM:
        raise ValueError("its checksums are no CRC-32")


def _told(record: Mapping[str, Any], key: str, kind: type) -> Any:
    found = record[key]
    if not isinstance(found, kind):
        raise ValueError(f"its {key} are no {'list' if kind is list else 'object'}")
    return found


def _whole(part: Mapping[str, Any], key: str, least: int) -> Tensor:
    """A column of whole numbers, none below `least`."""
    column = _told(part, key, list)
    if not column:
        return torch.zeros(0, dtype=torch.long)
    try:
        found = torch.tensor(column)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        found = torch.tensor([math.nan])
    if found.dtype != torch.long or found.ndim != 1 or int(found.min()) < least:
        raise ValueError(f"its {key} are no list of counts")
    return found


def _channels(info: Mapping[str, Any], key: str, usual: Sequence[float]) -> tuple[float, ...]:
    """A finite number for each channel."""
    found = info.get(key, list(usual))
    if not isinstance(found, list) or len(found) != RGB:
        raise ValueError(f"its {key} is no list of {RGB} numbers")
    if not all(type(number) in (int, float) and math.isfinite(number) for number in found):
        raise ValueError(f"its {key} is no list of {RGB} numbers")
    return tuple(map(float, found))


def _is_plain(name: str) -> bool:
    """No way out of the folder: neither a path nor a name with a meaning."""
    return bool(name) and not set(name) & set("/\\\0") and name not in (".", "..")
