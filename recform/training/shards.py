"""Images in shards: tar files of pictures with labels, as WebDataset has them.

    wds:FOLDER    wds:s3://bucket/folder    wds:https://...

    train-000000.tar    00000017.jpg 00000017.cls 00000018.jpg ...
    _info.json          counts, labels, class names, and where in its shard each picture lies

Members of a tar file are stored as they are, so that a picture is read by its place, in any order:
an epoch is shuffled as a whole, by seed and epoch as with any other data, and each worker reads
the pictures of its own batches and no others. Shards that are not on a disk of this machine are
fetched whole when the first of their pictures is asked for, and kept; what would be more than the
cache may hold is read from where it lies, picture by picture. (Every epoch reads every picture
once, in another order: to throw some shards out for others would save nothing.)

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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fsspec
import torch
from fsspec.implementations.local import LocalFileSystem
from PIL import Image
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from recform.errors import UserError
from recform.training.dataset import DataSet
from recform.training.folder import unread
from recform.training.pictures import Pictures
from recform.training.scanning import Part, parts_of, scanned

PREFIX = "wds:"
INFO = "_info.json"
TRAIN, TEST = "train", "validation"
HINT = "name a folder of shards: --data wds:FOLDER"


@dataclass(frozen=True)
class Store:
    """A folder of shards, here or elsewhere; what comes from elsewhere is kept in `cache`.

    Not the shards that are `left` where they are: of these only pieces are fetched.
    """

    root: str
    cache: Path
    left: frozenset[str] = frozenset()

    def open(self, name: str, num_bytes: int | None) -> Any:
        """A shard to be read, from its start. Raises UserError `damaged-data`."""
        if name not in self.left:
            return self.local(name, num_bytes).open("rb")
        files, folder = _files(self.root)
        try:
            return files.open(f"{folder}/{name}", "rb")
        except OSError as error:
            raise self._unfetched(name, error) from error

    def piece(self, name: str, num_bytes: int | None, first: int, size: int) -> bytes:
        """So many bytes of a shard, fewer where it ends. Raises UserError `damaged-data`."""
        if name not in self.left:
            with self.local(name, num_bytes).open("rb") as file:
                file.seek(first)
                return file.read(size)
        files, folder = _files(self.root)
        try:
            found = files.cat_file(f"{folder}/{name}", start=first, end=first + size)
        except OSError as error:
            raise self._unfetched(name, error) from error
        # A web server that knows no ranges sends all of the file.
        return found if len(found) <= size else found[first : first + size]

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
            raise self._unfetched(name, error) from error
        finally:
            part.unlink(missing_ok=True)
        return path

    def _unfetched(self, name: str, error: OSError) -> UserError:
        return UserError("damaged-data", f"the shard {name} of {self.root} cannot be fetched: "
                         f"{error}", "check the address, and that you may read there"
                         )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Members:
    """The pictures of a part: implements `Source`. Each is `sizes` bytes of a shard."""

    store: Store
    part: Part

    def picture(self, number: int) -> Image.Image:
        try:
            return Image.open(io.BytesIO(self._read(number))).convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise self._damaged(number, f"is {unread(error)}") from error

    def original(self, number: int) -> tuple[str, bytes]:
        return self._name(number).rpartition(".")[2].lower(), self._read(number)

    def _read(self, number: int) -> bytes:
        size, expected = int(self.part.sizes[number]), int(self.part.checksums[number])
        content = self._piece(number, int(self.part.offsets[number]), size)
        if len(content) < size or expected not in (-1, zlib.crc32(content)):
            raise self._damaged(number, "is damaged: its checksum differs")
        return content

    def _piece(self, number: int, first: int, size: int) -> bytes:
        shard = int(self.part.shards[number])
        return self.store.piece(self.part.names[shard], self.part.num_bytes[shard], first, size)

    def _name(self, number: int) -> str:
        """As it stands in the header before the member."""
        offset = int(self.part.offsets[number])
        header = self._piece(number, offset - tarfile.BLOCKSIZE, tarfile.BLOCKSIZE)
        try:
            return tarfile.TarInfo.frombuf(header, "utf-8", "replace").name
        except tarfile.HeaderError:
            return f"the member at byte {offset}"

    def _damaged(self, number: int, fault: str) -> UserError:
        shard = self.part.names[int(self.part.shards[number])]
        return UserError("damaged-data", f"{self._name(number)} in {shard} {fault}",
                         "write the shards again: recform data shard")  # fmt: skip


def read_shards(
    name: str, cache: Path | None, image_size: int | None, most_bytes: int | None = None
) -> DataSet:
    """The set after `wds:`; what is fetched from elsewhere is kept in `cache`.

    So many of the shards, in order, as `most_bytes` hold; all, if it is None. Raises UserError
    `no-data`, `damaged-data`.
    """
    root = name.removeprefix(PREFIX).rstrip("/")
    if not root:
        raise UserError("bad-argument", f"{name} names no shards", HINT)
    store = Store(root, (cache or Path.home() / ".cache" / "recform") / "shards")
    info = _info(root)
    if info is not None:
        parts = parts_of(info)
        store = _bounded(store, [part.sized() for part in parts.values()], most_bytes)
    else:
        store, parts = _looked_through(store, most_bytes)
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


def _looked_through(store: Store, most_bytes: int | None) -> tuple[Store, dict[str, Part]]:
    """The parts of shards without an index, told by their names, and where they are read."""
    files, folder = _files(store.root)
    try:
        found = files.ls(folder, detail=True)
    except OSError as error:
        raise UserError("no-data", f"{store.root} cannot be listed: {error}", HINT) from error
    # A web server may leave out how large its files are.
    listed: dict[str, int | None] = {Path(file["name"]).name: file["size"] for file in found}
    by_part: dict[str, dict[str, int | None]] = {}
    for name in sorted(listed):
        if name.endswith(".tar"):
            by_part.setdefault(_part_of(name), {})[name] = listed[name]
    if not by_part:
        raise UserError("no-data", f"{store.root} holds no shards", HINT)
    bounded = _bounded(store, by_part.values(), most_bytes)
    return bounded, {part: scanned(sizes, bounded.open) for part, sizes in by_part.items()}


def _bounded(
    store: Store, parts: Iterable[Mapping[str, int | None]], most_bytes: int | None
) -> Store:
    """The store that keeps the first shards, as many as `most_bytes` hold."""
    if most_bytes is None or isinstance(_files(store.root)[0], LocalFileSystem):
        return store
    left, num_kept = set(), 0
    for name, num_bytes in (shard for part in parts for shard in part.items()):
        if left or num_bytes is None or num_kept + num_bytes > most_bytes:
            left.add(name)
        else:
            num_kept += num_bytes
    return replace(store, left=frozenset(left))


def _part_of(shard: str) -> str:
    return TEST if any(word in shard.lower() for word in ("val", "test")) else TRAIN
