"""Where the pictures of shards lie: read from their index, or found by looking through them.

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

# What is taken for a picture; what else a sample may hold is passed over.
SUFFIXES = ("jpg", "jpeg", "png", "webp")
COLUMNS = ("labels", "offsets", "sizes", "checksums")
# The checksum of a picture whose own is not known.
UNKNOWN = -1


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


def parts_of(info: Mapping[str, Any]) -> dict[str, Part]:
    """The parts that an index tells of. Raises UserError `damaged-data`."""
    try:
        return {name: _part(part) for name, part in info["splits"].items()}
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise UserError("damaged-data", f"the index of the shards is damaged: {error}",
                        "write the shards again: recform data shard") from error  # fmt: skip


def _part(part: Mapping[str, Any]) -> Part:
    lengths = torch.tensor(part["shard_lengths"], dtype=torch.long)
    columns = {name: torch.tensor(part[name], dtype=torch.long) for name in COLUMNS}
    shards = torch.arange(len(lengths)).repeat_interleave(lengths)
    names = tuple(map(str, part["filenames"]))
    if len({len(shards), *map(len, columns.values())}) > 1 or len(names) != len(lengths):
        raise ValueError("its columns differ in length")
    num_bytes = tuple(map(int, part["shard_bytes"]))
    return Part(names, num_bytes, shards, **columns)


def scanned(shards: Mapping[str, int | None], open_shard: Callable[[str, int | None], Any]) -> Part:
    """The pictures of these shards, by their headers; each has its size, where that is known.

    Raises UserError `damaged-data`, `no-data`.
    """
    rows = [
        (number, *row)
        for number, (name, num_bytes) in enumerate(shards.items())
        for row in _rows(name, open_shard(name, num_bytes))
    ]
    if not rows:
        raise UserError("no-data", f"there is no picture with a label in {next(iter(shards))}",
                        "a sample is NAME.jpg (png, webp) and NAME.cls")  # fmt: skip
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
                        labels[key] = found
    except (OSError, tarfile.TarError, ValueError) as error:
        raise UserError("damaged-data", f"the shard {name} cannot be read: {error}",
                        "get it anew") from error  # fmt: skip
    return [(labels[key], *place) for key, place in places.items() if key in labels]


def _label(suffix: str, content: bytes) -> int | None:
    if suffix == "cls":
        return int(content)
    told = json.loads(content)
    label = told.get("label", told.get("cls")) if isinstance(told, dict) else None
    return label if isinstance(label, int) else None
