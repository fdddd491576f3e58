"""A data set written as shards: tar files of some thousand pictures, and an index.

Pictures that lie in files stay byte for byte what they are; what lies in memory becomes PNG, which
loses nothing. The training part is shuffled once, so that whoever reads shards one after the other
does not see class after class. The same data makes the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from recform.errors import UserError
from recform.training.dataset import DataSet, Images, check_trainable
from recform.training.disk import system_says
from recform.training.inspect import damage, whole_images
from recform.training.shards import INFO, TEST, TRAIN

SIZE = 1000


def write_shards(
    data: DataSet,
    out: Path,
    size: int = SIZE,
    tell: Callable[[str], None] = lambda shard: None,
    skip_damaged: bool = False,
) -> dict[str, Any]:
    """Writes both parts into the new folder `out`, `size` pictures a shard; what the index says.

    All is written beside and then renamed: there is a whole folder, or none. `tell` is given a
    line for each shard that is done. Every picture is read before; `skip_damaged` leaves out, and
    tells, those that cannot be, of which one would be a mistake otherwise. Raises UserError
    `bad-argument`, `no-data`, `unwritable`, `damaged-data`.
    """
    if size < 1:
        raise UserError("bad-argument", f"a shard holds 1 picture or more, not {size}",
                        f"--size {SIZE}")  # fmt: skip
    check_trainable(data)
    out = out.absolute()
    if os.path.lexists(out) and (out.is_symlink() or not out.is_dir() or any(out.iterdir())):
        raise UserError("bad-argument", f"{out} is there already", "name a new folder: --out DIR")
    data = _checked(data, skip_damaged, tell)
    size = min(size, max(data.num_train, data.num_test))
    beside = out.with_name(f".{out.name}.part")
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        index = _write(data, beside, size, tell)
        (beside / INFO).write_text(json.dumps(index) + "\n", encoding="utf-8")
        if out.exists():
            out.rmdir()
        beside.rename(out)
    except OSError as error:
        raise UserError("unwritable", f"{out} cannot be written: {system_says(error)}",
                        "make room, or name another folder: --out DIR") from error  # fmt: skip
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return index


def _checked(data: DataSet, skip_damaged: bool, tell: Callable[[str], None]) -> DataSet:
    whole, damaged = whole_images(data)
    if damaged and not skip_damaged:
        raise damage(data.name, damaged, "get these files anew, or leave them out: --skip-damaged")
    for message in damaged:
        tell(f"left out: {message}")
    _check_left(data, whole, damaged)
    return whole


def _check_left(data: DataSet, whole: DataSet, damaged: Sequence[str]) -> None:
    """Each part has as many classes as before, or what is written is no data set."""
    parts = (("training", data.train, whole.train), ("test", data.test, whole.test))
    for part, images, left in parts:
        lost = sorted(set(images.labels.tolist()) - set(left.labels.tolist()))
        if lost:
            name = data.classes[lost[0]] if data.classes else str(lost[0])
            what = f"image of class {name}" if len(left.labels) else "image"
            raise UserError("damaged-data", f"no {part} {what} in {data.name} can be read: "
                            f"{damaged[0]}",
                            f"get it anew; recform data check {data.name} names all of them"
                            )  # fmt: skip


def _write(data: DataSet, folder: Path, size: int, tell: Callable[[str], None]) -> dict[str, Any]:
    shuffled = torch.randperm(data.num_train, generator=torch.Generator().manual_seed(0))
    parts = {TRAIN: (data.train, shuffled), TEST: (data.test, torch.arange(data.num_test))}
    return {
        "name": data.name,
        "made_by": f"recform {version('recform')}",
        "classes": list(data.classes) or [str(label) for label in range(data.num_classes)],
        "image_size": data.image_size,
        "mean": list(data.mean),
        "deviation": list(data.deviation),
        "splits": {
            name: _write_part(name, images, order, folder, size, tell)
            for name, (images, order) in parts.items()
            if len(order)
        },
    }


def _write_part(
    part: str, images: Images, order: Tensor, folder: Path, size: int, tell: Callable[[str], None]
) -> dict[str, Any]:
    rows: dict[str, list] = {name: [] for name in ("labels", "offsets", "sizes", "checksums")}
    shards: dict[str, list] = {"filenames": [], "shard_lengths": [], "shard_bytes": []}
    for number, indices in enumerate(order.split(size)):
        path = folder / f"{part}-{number:06d}.tar"
        first = number * size
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for place, index in enumerate(indices.tolist(), start=first):
                _add(tar, place, images, index, rows)
        shards["filenames"].append(path.name)
        shards["shard_lengths"].append(len(indices))
        shards["shard_bytes"].append(path.stat().st_size)
        tell(f"wrote {path.name}")
    return {"name": part, "num_samples": len(order), **shards, **rows}


def _add(
    tar: tarfile.TarFile, place: int, images: Images, index: int, rows: dict[str, list]
) -> None:
    """A picture and its label, and their row of the index."""
    suffix, content = images.original(index)
    label = int(images.labels[index])
    rows["labels"].append(label)
    rows["offsets"].append(tar.offset + tarfile.BLOCKSIZE)
    rows["sizes"].append(len(content))
    rows["checksums"].append(zlib.crc32(content))
    for ending, body in ((suffix, content), ("cls", str(label).encode())):
        member = tarfile.TarInfo(f"{place:08d}.{ending}")
        member.size = len(body)
        tar.addfile(member, io.BytesIO(body))
