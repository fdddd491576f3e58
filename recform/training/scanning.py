"""Where the pictures of shards lie, found by looking through them where there is no index.

A part of a data set is a few long columns, one row a picture: which shard, at which byte, how many
bytes, their CRC-32 and the label.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from recform.errors import UserError
from recform.training.disk import system_says

# What is taken for a picture; what else a sample may hold is passed over.
SUFFIXES = ("jpg", "jpeg", "png", "webp")
COLUMNS = ("labels", "offsets", "sizes", "checksums")
# The checksum of a picture whose own is not known.
UNKNOWN = -1
# Labels without names are counted by the largest.
MOST_CLASSES = 1_000_000
# Of a label that is none.
MOST_SHOWN = 20


@dataclass(frozen=True, eq=False)
class Part:
    """Shards by name and size, and the pictures in them, each int64 of one length."""

    names: tuple[str, ...]
    num_bytes: tuple[int | None, ...]
    shards: Tensor
    labels: Tensor
    offsets: Tensor
    sizes: Tensor
    checksums: Tensor

    def sized(self) -> dict[str, int | None]:
        """The bytes of each shard."""
        return dict(zip(self.names, self.num_bytes, strict=True))


def scanned(shards: Mapping[str, int | None], open_shard: Callable[[str, int | None], Any]) -> Part:
    """The pictures of these shards, by their headers; each has its size, where that is known.

    Raises UserError `damaged-data`, `no-data`.
    """
    rows = []
    for number, (name, num_bytes) in enumerate(shards.items()):
        found = _rows(name, open_shard(name, num_bytes))
        if not found:
            raise UserError("no-data", f"there is no picture with a label in {name}",
                            "a sample is NAME.jpg (png, webp) and NAME.cls")  # fmt: skip
        rows += [(number, *row) for row in found]
    numbers, labels, offsets, sizes = torch.tensor(rows, dtype=torch.long).unbind(1)
    return Part(
        names=tuple(shards),
        num_bytes=tuple(shards.values()),
        shards=numbers,
        labels=labels,
        offsets=offsets,
        sizes=sizes,
        checksums=torch.full_like(sizes, UNKNOWN),
    )


def _rows(name: str, shard: Any) -> list[tuple[int, int, int]]:
    """Label, offset and size of each picture of a shard."""
    places: dict[str, tuple[int, int]] = {}
    labels: dict[str, int] = {}
    try:
        with shard, tarfile.open(fileobj=shard, mode="r:") as tar:
            for member in tar:
                key, _, suffix = member.name.rpartition("/")[2].partition(".")
                key = f"{member.name.rpartition('/')[0]}/{key}"
                if suffix.lower() in SUFFIXES:
                    places[key] = member.offset_data, member.size
                elif suffix in ("cls", "json"):
                    file = tar.extractfile(member)
                    found = None if file is None else _label(suffix, file.read())
                    if found is not None:
                        labels[key] = _checked(found, member.name)
            _check_end(shard, tar.offset)
    except (OSError, tarfile.TarError, ValueError, RecursionError) as error:
        raise UserError("damaged-data", f"the shard {name} cannot be read: {_reason(error)}",
                        "get it anew, or pack it again: tar -cf SHARD.tar FOLDER"
                        ) from error  # fmt: skip
    return [(labels[key], *place) for key, place in places.items() if key in labels]


def _label(suffix: str, content: bytes) -> int | None:
    if suffix == "cls":
        if not content.strip().isdigit():
            raise ValueError(f"a label is {_cut(content)}, and no number from 0")
        return int(content)
    told = json.loads(content)
    label = told.get("label", told.get("cls")) if isinstance(told, dict) else None
    return label if type(label) is int else None


def _checked(label: int, name: str) -> int:
    if not 0 <= label < MOST_CLASSES:
        raise ValueError(f"the label in {name} is not from 0 to {MOST_CLASSES - 1:,}")
    return label


def _check_end(shard: Any, offset: int) -> None:
    """Behind its last member an archive has an empty block; one that was cut has none."""
    shard.seek(offset)
    if len(shard.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
        raise ValueError("it ends early")


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError | json.JSONDecodeError):
        return "a label is no JSON"
    return system_says(error) if isinstance(error, OSError) else str(error)


def _cut(content: bytes) -> str:
    return repr(content[:MOST_SHOWN].decode("utf-8", "replace"))
