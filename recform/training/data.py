"""The data sets that can be asked for by name, each with its reader and its recipe."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from types import MappingProxyType

from recform.errors import UserError
from recform.training import recipes, shards
from recform.training.birds import read_birds
from recform.training.cifar import CIFAR_10, CIFAR_100, SIDE, Cifar, read_cifar
from recform.training.dataset import MAX_SIDE, DataSet, limited
from recform.training.digits import read_digits
from recform.training.fashion import read_fashion
from recform.training.folder import read_folder
from recform.training.hub import PREFIX, read_hub
from recform.training.imagenet import read_imagenet
from recform.training.imagenet_a import read_imagenet_a
from recform.training.recipe import Recipe

BYTES_OF_GB = 10**9


@dataclass(frozen=True)
class DataSource:
    """A line of help, the reader (directory, image size -> data) and the recipe of a data set."""

    title: str
    read: Callable[[Path | None, int | None], DataSet]
    recipe: Callable[[], Recipe]


def load_data(
    name: str,
    directory: Path | None = None,
    *,
    image_size: int | None = None,
    limit_train: int | None = None,
    limit_test: int | None = None,
    cache_gb: float | None = None,
) -> DataSet:
    """The data set of this name, its parts cut to the limits with the classes kept in balance.

    `directory` is where its files lie, or are to be downloaded to; by default .cache/recform in the
    home folder. `image_size` is the side in pixels: 32, or 224 for `folder`, unless it is given.
    Shards from elsewhere are kept in `directory`, of each set at most `cache_gb` (10^9 bytes) if it
    is given; the others are read where they lie.

    Raises UserError `no-data`, `damaged-data`, `unreadable`, `bad-argument`.
    """
    if image_size is not None and not 1 <= image_size <= MAX_SIDE:
        raise UserError("bad-argument", f"the side of an image is 1 to {MAX_SIDE:,} pixels, not "
                        f"{image_size:,}", "--image-size 224")  # fmt: skip
    if cache_gb is not None and not 0 <= cache_gb < math.inf:
        raise UserError("bad-argument", f"a cache cannot hold {cache_gb} gigabytes",
                        "--cache-gb 20, or 0 to keep nothing")  # fmt: skip
    source = _source(name, None if cache_gb is None else round(cache_gb * BYTES_OF_GB))
    return limited(source.read(directory, image_size), limit_train, limit_test)


def recipe_for(name: str) -> Recipe:
    """How networks are trained on this data set unless told otherwise."""
    return _source(name).recipe()


def _source(name: str, most_bytes: int | None = None) -> DataSource:
    if name in DATA_SETS:
        return DATA_SETS[name]
    if name.startswith(PREFIX):
        return DataSource("of the Hugging Face hub", partial(_hub, name), recipes.folder)
    if name.startswith(shards.PREFIX):
        read = partial(shards.read_shards, name, most_bytes=most_bytes)
        return DataSource("in shards", read, recipes.folder)
    near = get_close_matches(name, DATA_SETS, n=1)
    known = f"there are {', '.join(DATA_SETS)}, hf:OWNER/NAME and wds:FOLDER"
    hint = f"did you mean {near[0]}?" if near else known
    raise UserError("bad-argument", f"there is no data set {name}", hint)


def _digits(directory: Path | None, image_size: int | None) -> DataSet:
    return read_digits(image_size or SIDE)


def _cifar(cifar: Cifar) -> Callable[[Path | None, int | None], DataSet]:
    def read(directory: Path | None, image_size: int | None) -> DataSet:
        if image_size not in (None, SIDE):
            raise _other_side(cifar.name)
        return read_cifar(cifar, directory or Path.home() / ".cache" / "recform")

    return read


def _fashion(directory: Path | None, image_size: int | None) -> DataSet:
    if image_size not in (None, SIDE):
        raise _other_side("fashion-mnist")
    return read_fashion(directory or Path.home() / ".cache" / "recform")


def _other_side(name: str) -> UserError:
    return UserError("bad-argument", f"the images of {name} have {SIDE} pixels a side",
                     f"leave it out, or --image-size {SIDE}")  # fmt: skip


def _hub(name: str, directory: Path | None, image_size: int | None) -> DataSet:
    return read_hub(name, directory, image_size or 224)


def _on_disk(
    read: Callable[[Path, int], DataSet],
) -> Callable[[Path | None, int | None], DataSet]:
    def read_given(directory: Path | None, image_size: int | None) -> DataSet:
        if directory is None:
            raise UserError("no-data", "no folder of images is given", "name it: --data-dir DIR")
        if not directory.is_dir():
            raise UserError("no-data", f"there is no folder {directory}", "name it: --data-dir DIR")
        return read(directory, image_size or 224)

    return read_given


DATA_SETS: Mapping[str, DataSource] = MappingProxyType(
    {
        "digits": DataSource("1,797 handwritten digits, at hand", _digits, recipes.digits),
        "cifar10": DataSource("60,000 photos, 10 classes", _cifar(CIFAR_10), recipes.liao_cifar),
        "cifar100": DataSource("60,000 photos, 100 classes", _cifar(CIFAR_100), recipes.liao_cifar),
        "fashion-mnist": DataSource("70,000 grey pictures, 10 classes", _fashion, recipes.fashion),
        "imagenet": DataSource(
            "ImageNet-1k, a folder a synset", _on_disk(read_imagenet), recipes.liao_imagenet
        ),
        "imagenet-a": DataSource(
            "7,500 hard photos of ImageNet's classes, to judge by",
            _on_disk(read_imagenet_a),
            recipes.liao_imagenet,
        ),
        "cub200": DataSource("11,788 birds, 200 classes", _on_disk(read_birds), recipes.folder),
        "folder": DataSource(
            "your images, a folder a class", _on_disk(read_folder), recipes.folder
        ),
    }
)
