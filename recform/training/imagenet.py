"""ImageNet-1k (Russakovsky et al. 2015): 1,000 folders, each named after its synset.

train/n01440764/....JPEG    val/n01440764/....JPEG
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from timm.data import ImageNetInfo

from recform.errors import UserError
from recform.training.dataset import DataSet
from recform.training.folder import read_folder


def read_imagenet(directory: Path, image_size: int) -> DataSet:
    """The set in `directory`, its classes in the order of all published weights.

    Raises UserError `no-data` where it has other folders than the 1,000.
    """
    data = read_folder(directory, image_size)
    info = ImageNetInfo()
    synsets = info.label_names()
    strange = sorted(set(data.classes) ^ set(synsets))
    if strange:
        fault = "lacks" if strange[0] in synsets else "has"
        raise UserError("no-data", f"{directory} {fault} the folder {strange[0]}, and is no "
                        "ImageNet-1k",
                        "for other folders of images: --data folder")  # fmt: skip
    return replace(data, name="imagenet", classes=tuple(info.label_descriptions()))
