"""Images in shards: tar files of pictures with labels, as WebDataset has them.

    wds:FOLDER    wds:s3://bucket/folder    wds:https://...

    train-000000.tar    00000017.jpg 00000017.cls 00000018.jpg ...
    _info.json          counts, labels, class names, and where in its shard each picture lies

Members of a tar file are stored as they are, so that a picture is read by its place, in any order:
an epoch is shuffled as a whole, by seed and epoch as with any other data, and each worker reads
the pictures of its own batches and no others. Shards that are not on a disk of this machine are
fetched whole when the first of their pictures is asked for, and kept.

`recform data shard` writes _info.json, in the form that timm's reader knows too. Where it is
missing the shards are looked through once.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import torch
from fsspec.implementations.local import LocalFileSystem
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from recform.errors import UserError
from recform.training.dataset import DataSet
from recform.training.pictures import Pictures
from recform.training.scanning import Part, parts_of, scanned

PREFIX = "wds:"
INFO = "_info.json"
TRAIN, TEST = "train", "validation"
HINT = "name a folder of shards: --data wds:FOLDER"


@dataclass(frozen=True)
class Store:
    """A folder of shards, here or elsewhere; what comes from elsewhere is kept in `cache`."""

    root: str
    cache: Path

    def local(self, name: str, num_bytes: int | None) -> Path:
        """A shard as a file of this machine. Raises UserError `damaged-data`."""
        files, folder = _files(self.root)
        if isinstance(files, LocalFileSystem):
            path = Path(folder) / name
        else:
            path = self._fetched(files, f"{folder}/{name}", name, num_bytes)
        found = path.stat().st_size if path.is_file() else None
        if found is None or num_bytes not in (None, found):
            fault = "is missing" if found is None else f"has {found:,} of {num_bytes:,} bytes"
            raise UserError("damaged-data", f"the shard {name} of {self.root} {fault}",
                            "get it anew, or write the shards again: recform data shard"
                            )  # fmt: skip
        return path

    def _fetched(self, files: Any, remote: str, name: str, num_bytes: int | None) -> Path:
        path = self.cache / hashlib.sha256(self.root.encode()).hexdigest()[:16] / name
        if path.is_file() and num_bytes in (None, path.stat().st_size):
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        # Several workers may want it at once; each writes its own, and the last one stays.
        part = path.with_name(f".{name}.{os.getpid()}.part")
        try:
            files.get_file(remote, str(part))
            part.replace(path)
        except OSError as error:
            raise UserError("damaged-data", f"the shard {name} of {self.root} cannot be fetched: "
                            f"{error}", "check the address, and that you may read there"
                            ) from error  # fmt: skip
        finally:
            part.unlink(missing_ok=True)
        return path


@dataclass(frozen=True, eq=False)
class Members:
    """The pictures of a part: implements `Source`. Each is `sizes` bytes of a shard."""

    store: Store
    part: Part

    def picture(self, number: int) -> Image.Image:
        try:
            return Image.open(io.BytesIO(self._read(number))).convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise self._damaged(number, f"is no image that can be read: {error}") from error

    def original(self, number: int) -> tuple[str, bytes]:
        return self._name(number).rpartition(".")[2].lower(), self._read(number)

    def _read(self, number: int) -> bytes:
        part = self.part
        offset, size = int(part.offsets[number]), int(part.sizes[number])
        with self._shard(number).open("rb") as file:
            file.seek(offset)
            content = file.read(size)
        expected = int(part.checksums[number])
        if len(content) < size or expected not in (-1, zlib.crc32(content)):
            raise self._damaged(number, "is damaged: its checksum differs")
        return content

    def _shard(self, number: int) -> Path:
        shard = int(self.part.shards[number])
        return self.store.local(self.part.names[shard], self.part.num_bytes[shard])

    def _name(self, number: int) -> str:
        """As it stands in the header before the member."""
        offset = int(self.part.offsets[number])
        with self._shard(number).open("rb") as file:
            file.seek(offset - tarfile.BLOCKSIZE)
            header = file.read(tarfile.BLOCKSIZE)
        try:
            return tarfile.TarInfo.frombuf(header, "utf-8", "replace").name
        except tarfile.HeaderError:
            return f"the member at byte {offset}"

    def _damaged(self, number: int, fault: str) -> UserError:
        shard = self.part.names[int(self.part.shards[number])]
        return UserError("damaged-data", f"{self._name(number)} in {shard} {fault}",
                         "write the shards again: recform data shard")  # fmt: skip


def read_shards(name: str, cache: Path | None, image_size: int | None) -> DataSet:
    """The set after `wds:`; what is fetched from elsewhere is kept in `cache`.

    Raises UserError `no-data`, `damaged-data`.
    """
    root = name.removeprefix(PREFIX).rstrip("/")
    if not root:
        raise UserError("bad-argument", f"{name} names no shards", HINT)
    store = Store(root, (cache or Path.home() / ".cache" / "recform") / "shards")
    info = _info(root)
    parts = parts_of(info) if info is not None else _looked_through(store)
    for part in (TRAIN, TEST):
        if part not in parts:
            raise UserError("no-data", f"{root} has no shards of a {part} part", HINT)
    for part in parts.values():
        _check_local(store, part)
    info = info or {}
    labels = torch.cat([part.labels for part in parts.values()])
    classes = tuple(info.get("classes") or map(str, range(int(labels.max()) + 1)))
    side = image_size or int(info.get("image_size", 224))
    return DataSet(
        name=name,
        train=_pictures(store, parts[TRAIN], side),
        test=_pictures(store, parts[TEST], side),
        num_classes=len(classes),
        image_size=side,
        mean=tuple(info.get("mean", IMAGENET_DEFAULT_MEAN)),
        deviation=tuple(info.get("deviation", IMAGENET_DEFAULT_STD)),
        directory=cache,
        classes=classes,
    )


def _pictures(store: Store, part: Part, side: int) -> Pictures:
    return Pictures(Members(store, part), torch.arange(len(part.labels)), part.labels, side)


def _check_local(store: Store, part: Part) -> None:
    """Shards that lie here are counted at once; others when they are fetched."""
    if isinstance(_files(store.root)[0], LocalFileSystem):
        for name, num_bytes in zip(part.names, part.num_bytes, strict=True):
            store.local(name, num_bytes)


def _files(root: str) -> tuple[Any, str]:
    try:
        return fsspec.core.url_to_fs(root)
    except (ImportError, ValueError) as error:
        raise UserError("no-data", f"{root} cannot be opened: {error}",
                        "install what fsspec asks for, such as s3fs") from error  # fmt: skip


def _info(root: str) -> Mapping[str, Any] | None:
    """What `recform data shard` wrote; None where somebody else made the shards."""
    files, folder = _files(root)
    try:
        info = json.loads(files.cat_file(f"{folder}/{INFO}"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise UserError("damaged-data", f"{root}/{INFO} cannot be read: {error}",
                        "remove it, and the shards are looked through") from error  # fmt: skip
    return info if isinstance(info, dict) and info.get("made_by") else None


def _looked_through(store: Store) -> dict[str, Part]:
    """The parts of shards without an index, told by their names."""
    files, folder = _files(store.root)
    try:
        names = sorted(Path(found).name for found in files.ls(folder, detail=False))
    except OSError as error:
        raise UserError("no-data", f"{store.root} cannot be listed: {error}", HINT) from error
    shards = [name for name in names if name.endswith(".tar")]
    if not shards:
        raise UserError("no-data", f"{store.root} holds no shards", HINT)
    by_part: dict[str, list[str]] = {}
    for name in shards:
        by_part.setdefault(_part_of(name), []).append(name)
    return {part: _scan(store, found) for part, found in by_part.items()}


def _scan(store: Store, names: Sequence[str]) -> Part:
    return scanned([(name, store.local(name, None)) for name in names])


def _part_of(shard: str) -> str:
    return TEST if any(word in shard.lower() for word in ("val", "test")) else TRAIN
