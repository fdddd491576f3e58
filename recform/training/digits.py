"""Real handwritten digits that need no download.

1,797 images of 8 x 8 pixels by 43 people: the test part of "Optical Recognition of Handwritten
Digits" (Alpaydin and Kaynak, 1998), which scikit-learn carries with it. Enlarged, grey in three
channels, so that networks for colour pictures take them.
"""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor
from torchvision.transforms import v2

from recform.training.dataset import RGB, DataSet, Pixels

NUM_TEST = 360
BRIGHTEST = 16
# Of the 1,437 training images at 32 pixels.
MEAN = 0.3054
DEVIATION = 0.3237


def read_digits(image_size: int = 32) -> DataSet:
    """1,437 training and 360 test images: always the same ones, each class split in proportion."""
    pictures, targets = load_digits(return_X_y=True)
    labels = torch.from_numpy(targets).long()
    train, test = train_test_split(
        torch.arange(len(labels)).numpy(), test_size=NUM_TEST, stratify=targets, random_state=0
    )
    images = Pixels(_enlarged(torch.from_numpy(pictures), image_size), labels)
    return DataSet(
        name="digits",
        train=images.pick(torch.from_numpy(train)),
        test=images.pick(torch.from_numpy(test)),
        num_classes=10,
        image_size=image_size,
        mean=(MEAN,) * RGB,
        deviation=(DEVIATION,) * RGB,
        classes=tuple("0123456789"),
    )


def _enlarged(pictures: Tensor, image_size: int) -> Tensor:
    grey_NCSS = pictures.reshape(-1, 1, 8, 8).float() * (255 / BRIGHTEST)
    large_NCSS = v2.functional.resize(grey_NCSS, [image_size, image_size], antialias=True)
    return large_NCSS.clamp(0, 255).round().to(torch.uint8).expand(-1, RGB, -1, -1).contiguous()
