"""ImageNet-A (Hendrycks et al. 2021): 7,500 photographs that networks get wrong, to judge by.

imagenet-a/n01498041/....jpg

Its 200 classes are among the 1,000 of ImageNet-1k, and a network for those is judged on the 200
outputs that stand for them: the others are left out before the largest is looked for, as the
authors do it. There is nothing to train on.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from timm.data import ImageNetInfo
from timm.data.constants import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD

from recform.errors import UserError
from recform.training.dataset import DataSet, Subset
from recform.training.folder import Files, files_of
from recform.training.listing import Listing, listed

FOLDER = "imagenet-a"


def read_imagenet_a(directory: Path, image_size: int) -> DataSet:
    """The set in its own folder or the one around it. Raises UserError `no-data`."""
    inner = directory / FOLDER
    found = listed(inner if inner.is_dir() else directory)
    _check(found, directory)
    info = ImageNetInfo()
    outputs = {synset: output for output, synset in enumerate(info.label_names())}
    names = info.label_descriptions(as_dict=True)
    assert isinstance(names, dict), "asked for as one"
    return DataSet(
        name="imagenet-a",
        train=Files.empty(image_size),
        test=files_of(found, image_size),
        num_classes=len(found.classes),
        image_size=image_size,
        mean=IMAGENET_DEFAULT_MEAN,
        deviation=IMAGENET_DEFAULT_STD,
        directory=directory,
        classes=tuple(names[synset] for synset in found.classes),
        subset=Subset(tuple(outputs[synset] for synset in found.classes), len(outputs)),
    )


def _check(found: Listing, directory: Path) -> None:
    """The folders must be the 200, or accuracies would be compared with others' for nothing."""
    known = (files("timm.data") / "_info" / "imagenet_a_synsets.txt").read_text().split()
    strange = sorted(set(found.classes) ^ set(known))
    if strange:
        fault = "lacks" if strange[0] in known else "has"
        raise UserError("no-data", f"{directory} {fault} the folder {strange[0]}, and is no "
                        "ImageNet-A", "unpack imagenet-a.tar and name its folder: --data-dir DIR"
                        )  # fmt: skip
