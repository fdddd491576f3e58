"""A trained network asked: how often it is right on a data set, and what it takes a picture for."""

# B batch, C channels, S side of an image, K classes

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from recform.errors import UserError
from recform.training.batches import normalized
from recform.training.dataset import DataSet, Subset
from recform.training.device import pick_device
from recform.training.folder import Files
from recform.training.loop import Score, score


@contextmanager
def norms_of_the_batch(model: nn.Module) -> Iterator[None]:
    """Inside, batch norms take the statistics of the batch at hand rather than the running ones.

    For blocks that a formula applies to several values a step: one running mean for all of these
    fits none of them.
    """
    kept = [(module, module.running_mean, module.running_var)
            for module in model.modules() if isinstance(module, _BatchNorm)]  # fmt: skip
    for module, _, _ in kept:
        module.running_mean = module.running_var = None
    try:
        yield
    finally:
        for module, mean, variance in kept:
            module.running_mean, module.running_var = mean, variance


@dataclass(frozen=True)
class Guess:
    """A class and the chance, from 0 to 1, that the network gives it."""

    label: int
    name: str
    chance: float


def evaluate_on(
    model: nn.Module,
    data: DataSet,
    *,
    device: str = "auto",
    batch_size: int = 128,
    test_crop: float = 1.0,
) -> Score:
    """Loss and accuracies on the test part of a data set.

    Raises UserError `bad-argument` where the network has another number of classes.
    """
    if batch_size < 1:
        raise UserError("bad-argument", f"the batch size must be 1 or more, not {batch_size}",
                        "--batch-size 128")  # fmt: skip
    if not 0 < test_crop <= 1:
        raise UserError(
            "bad-argument",
            f"the test crop must be above 0 and up to 1, not {test_crop}",
            "--test-crop 0.875",
        )
    num_outputs = getattr(model, "num_classes", data.num_outputs)
    if num_outputs != data.num_outputs:
        classes = "1 class" if num_outputs == 1 else f"{num_outputs} classes"
        raise UserError("bad-argument", f"the network has {classes}, and {data.name} "
                        f"has {data.num_outputs}",
                        "name the data it was trained on: --data NAME")  # fmt: skip
    place = pick_device(device)
    model.to(place.place, memory_format=torch.channels_last)  # type: ignore[call-overload]
    cut = replace(data, test=data.test.middle(test_crop).to(place.place))
    if data.subset is not None:
        model = Restricted(model, data.subset).to(place.place)
    return score(model, cut, batch_size, place)


class Restricted(nn.Module):
    """A network of which some outputs alone are asked, in this order."""

    def __init__(self, network: nn.Module, subset: Subset) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("outputs", torch.tensor(subset.outputs), persistent=False)

    def forward(self, images_BCSS: Tensor) -> Tensor:
        return self.network(images_BCSS)[:, self.outputs]


@torch.no_grad()
def guesses(
    model: nn.Module, paths: Sequence[Path], data: DataSet, *, device: str = "auto", top: int = 5
) -> list[list[Guess]]:
    """The likeliest classes of each picture, likeliest first.

    Of `data` only the size, the normalization and the class names are used. Raises UserError
    `no-such-file`, `damaged-data`.
    """
    for path in paths:
        if path.is_dir() and path != Path():
            raise UserError("no-such-file", f"{path} is a folder, not a picture",
                            f"name the pictures in it: {path / '*'}")  # fmt: skip
        if not path.is_file():
            raise UserError("no-such-file", f"there is no picture {path}", "check the path")
    place = pick_device(device)
    model.eval().to(place.place)
    files = Files(tuple(map(str, paths)), torch.zeros(len(paths)), data.image_size)
    found = []
    for number in range(len(paths)):
        pixels = _picture(files, number).to(place.place)
        chances_K = model(normalized(pixels, data)).softmax(1)[0]
        best = chances_K.topk(min(top, len(chances_K)))
        pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        found.append([Guess(label, _name(data, label), chance) for label, chance in pairs])
    return found


def _picture(files: Files, number: int) -> Tensor:
    """The picture, as a batch of one. Raises UserError `damaged-data`, which asks for another."""
    try:
        return files.fetch(torch.tensor([number]))
    except UserError as error:
        fact = error.diagnostics[0].message
        raise UserError("damaged-data", fact, "name a picture instead, or leave it out") from error


def _name(data: DataSet, label: int) -> str:
    return data.classes[label] if label < len(data.classes) else str(label)
