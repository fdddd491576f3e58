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
import sys
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fsspec
import torch
from fsspec.exceptions import FSTimeoutError
from fsspec.implementations.local import LocalFileSystem
from PIL import Image

from recform.errors import UserError
from recform.training.dataset import DataSet
from recform.training.decoding import UNREAD, decoded, unread
from recform.training.disk import system_says
from recform.training.pictures import Pictures
from recform.training.scanning import Part, scanned
from recform.training.shard_index import Index, index_of, numbered

PREFIX = "wds:"
INFO = "_info.json"
TRAIN, TEST = "train", "validation"
HINT = "name a folder of shards: --data wds:FOLDER"
PARTS = "name them train-*.tar, and val-*.tar or test-*.tar"
AGAIN = "write the shards again: recform data shard NAME --out DIR"


@dataclass(frozen=True)
class Store:
    """A folder of shards, here or elsewhere; what comes from elsewhere is kept in `cache`.

    Not the shards that are `left` where they are: of these only pieces are fetched.
    """

    root: str
    cache: Path
    left: frozenset[str] = frozenset()

    def open(self, name: str, num_bytes: int | None) -> Any:
        """A shard to be read, from its start. Raises UserError `damaged-data`, `unreadable`."""
        try:
            if name not in self.left:
                return self.local(name, num_bytes).open("rb")
            files, folder = _files(self.root)
            return files.open(f"{folder}/{name}", "rb")
        except troubles() as error:
            raise self._unfetched(name, error) from error

    def piece(self, name: str, num_bytes: int | None, first: int, size: int) -> bytes:
        """So many bytes of a shard, fewer where it ends.

        Raises UserError `damaged-data`, `unreadable`.
        """
        try:
            if name not in self.left:
                with self.local(name, num_bytes).open("rb") as file:
                    file.seek(first)
                    return file.read(size)
            files, folder = _files(self.root)
            found = files.cat_file(f"{folder}/{name}", start=first, end=first + size)
        except troubles() as error:
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
                            f"get it anew, or {AGAIN}")  # fmt: skip
        return path

    def _fetched(self, files: Any, remote: str, name: str, num_bytes: int | None) -> Path:
        path = self.cache / hashlib.sha256(self.root.encode()).hexdigest()[:16] / name
        if path.is_file() and num_bytes in (None, path.stat().st_size):
            return path
        # Several workers may want it at once; each writes its own, and the last one stays.
        part = path.with_name(f".{name}.{os.getpid()}.part")
        _make_cache(path.parent)
        try:
            files.get_file(remote, str(part))
            part.replace(path)
        except troubles() as error:
            raise self._unfetched(name, error) from error
        finally:
            part.unlink(missing_ok=True)
        return path

    def _unfetched(self, name: str, error: Exception) -> UserError:
        # A shard that is not there is damage; one that is not given now may be given later.
        code = "damaged-data" if isinstance(error, FileNotFoundError) else "unreadable"
        return UserError(code, f"the shard {name} of {self.root} cannot be read: "
                         f"{told(error)}", f"see that you may read it: {self.root}/{name}"
                         )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Members:
    """The pictures of a part: implements `Source`. Each is `sizes` bytes of a shard."""

    store: Store
    part: Part

    def picture(self, number: int) -> Image.Image:
        try:
            return decoded(io.BytesIO(self._read(number)))
        except UNREAD as error:
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
                         AGAIN)  # fmt: skip


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
        index = index_of(info)
        store = _bounded(store, [part.sized() for part in index.parts.values()], most_bytes)
    else:
        store, index = _looked_through(store, most_bytes)
    for part in (TRAIN, TEST):
        if part not in index.parts:
            raise UserError("no-data", f"{root} has no shards of a {part} part", PARTS)
    for part in index.parts.values():
        _check_local(store, part)
    side = image_size or index.side
    return DataSet(
        name=name,
        train=_pictures(store, index.parts[TRAIN], side),
        test=_pictures(store, index.parts[TEST], side),
        num_classes=len(index.classes),
        image_size=side,
        mean=index.mean,
        deviation=index.deviation,
        directory=cache,
        classes=index.classes,
    )


def troubles() -> tuple[type[Exception], ...]:
    """What a disk, a bucket or a web server may raise.

    fsspec hands on what aiohttp says, if that is there; a library that is not loaded says nothing.
    """
    aiohttp = sys.modules.get("aiohttp")
    return (OSError, FSTimeoutError, *([] if aiohttp is None else [aiohttp.ClientError]))


def told(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    said = system_says(error) if isinstance(error, OSError) else str(error)
    return (said or type(error).__name__).partition("\n")[0]


def _make_cache(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError("unwritable", f"{folder} cannot be made: {told(error)}",
                        "keep the shards elsewhere: --data-dir DIR") from error  # fmt: skip


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
    except ImportError as error:
        raise UserError("no-data", f"{root} cannot be opened: {error}",
                        "pip install s3fs for s3://, gcsfs for gs://, aiohttp for https://"
                        ) from error  # fmt: skip
    except (*troubles(), ValueError) as error:
        raise UserError("no-data", f"{root} cannot be opened: {told(error)}", HINT) from error


def _info(root: str) -> Mapping[str, Any] | None:
    """What `recform data shard` wrote; None where somebody else made the shards."""
    files, folder = _files(root)
    if isinstance(files, LocalFileSystem) and Path(folder).is_file():
        raise UserError("no-data", f"{root} is a file, and no folder of shards",
                        f"--data wds:{Path(folder).parent}")  # fmt: skip
    try:
        info = json.loads(files.cat_file(f"{folder}/{INFO}"))
    except FileNotFoundError:
        return None
    except troubles() as error:
        raise UserError("unreadable", f"{root}/{INFO} cannot be read: {told(error)}",
                        f"see that you may read it: {root}/{INFO}") from error  # fmt: skip
    except (ValueError, RecursionError) as error:
        raise UserError("damaged-data", f"{root}/{INFO} is damaged: it is no JSON",
                        f"rm {root}/{INFO}, and the shards are looked through"
                        ) from error  # fmt: skip
    return info if isinstance(info, dict) and info.get("made_by") else None


def _looked_through(store: Store, most_bytes: int | None) -> tuple[Store, Index]:
    """Where shards without an index are read, and what is in them; their parts by their names."""
    files, folder = _files(store.root)
    try:
        found = files.ls(folder, detail=True)
    except troubles() as error:
        raise UserError("no-data", f"{store.root} cannot be listed: {told(error)}", HINT) from error
    # A web server may leave out how large its files are.
    listed: dict[str, int | None] = {Path(file["name"]).name: file["size"] for file in found}
    by_part: dict[str, dict[str, int | None]] = {}
    for name in sorted(listed):
        if name.endswith(".tar"):
            by_part.setdefault(_part_of(name), {})[name] = listed[name]
    if not by_part:
        raise UserError("no-data", f"{store.root} holds no shards", HINT)
    bounded = _bounded(store, by_part.values(), most_bytes)
    parts = {part: scanned(sizes, bounded.open) for part, sizes in by_part.items()}
    return bounded, Index(parts, numbered(parts.values()))


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
