"""What `recform probe` measures: a network, fresh or with weights, and test images for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from recform.errors import UserError

if TYPE_CHECKING:
    from recform.formula import Formula
    from recform.network import FormulaNetwork
    from recform.training import DataSet
    from recform.training.batches import Batch

BACKBONE = "resnet20_cifar"
DATA = "digits"
NO_LESIONS = "a fresh network has nothing to lose: give --weights for the lesion study"


@dataclass(frozen=True)
class WantedData:
    """What was asked for; None where the weights, or the data set, decide."""

    name: str | None
    directory: Path | None
    image_size: int | None
    limit_test: int


@dataclass(frozen=True, eq=False)
class Subject:
    """What is probed, and the test images that it is probed on."""

    network: FormulaNetwork
    weights: Path | None
    data: str
    batch: Batch
    notes: tuple[str, ...]

    @property
    def backbone(self) -> str:
        spec = self.network.architecture.spec
        assert spec is not None, "the command line names the backbone"
        return spec.name


def choose(
    text: str,
    backbone: str | None,
    weights: Path | None,
    wanted: WantedData,
    num_images: int,
    seed: int,
    allow_code: bool = False,
) -> Subject:
    """The network of a formula with these weights, or a fresh one, and the images to probe it on.

    `num_images` of them give a fresh network's norms their statistics.
    """
    from recform.cli.user_code import find_code
    from recform.cli.weights import load_weights
    from recform.formula import resolve
    from recform.network import build
    from recform.probe import with_statistics_of
    from recform.training import evaluation_batch, seed_everything

    formula = resolve(text)
    find_code(allow_code, text)
    if weights is not None:
        network, trained_on = load_weights(weights, allow_code)
        _check_same(network, formula, backbone, weights)
        if trained_on is not None and wanted.name in (None, trained_on.name):
            wanted = WantedData(
                trained_on.name,
                wanted.directory or trained_on.directory,
                wanted.image_size or trained_on.image_size,
                wanted.limit_test,
            )
        return Subject(network, weights, wanted.name or DATA, _batch_for(network, wanted),
                        network.architecture.notes)  # fmt: skip
    images = _load(wanted)
    seed_everything(seed)
    network = build(formula, backbone or BACKBONE, images.num_classes,
                    image_size=images.image_size, allow_code=allow_code)  # fmt: skip
    batch = evaluation_batch(images)
    network = with_statistics_of(network, batch[0][:num_images])
    notes = ("the network is fresh: its norms have the statistics of these images", NO_LESIONS)
    return Subject(network, None, images.name, batch, (*network.architecture.notes, *notes))


def _check_same(
    network: FormulaNetwork, formula: Formula, backbone: str | None, weights: Path
) -> None:
    architecture = network.architecture
    assert architecture.spec is not None, "a folder names the backbone"
    if architecture.formula != formula:
        raise UserError("bad-argument", f"the weights in {weights} are of another formula",
                        f"probe that one: recform probe {weights / 'formula.rf'} --weights "
                        f"{weights}")  # fmt: skip
    if backbone not in (None, architecture.spec.name):
        raise UserError("bad-argument", f"the weights in {weights} are of {architecture.spec.name}"
                        f", not {backbone}", "leave --backbone out")  # fmt: skip


def _load(wanted: WantedData) -> DataSet:
    from recform.training import load_data

    return load_data(wanted.name or DATA, wanted.directory, image_size=wanted.image_size,
                     limit_test=wanted.limit_test)  # fmt: skip


def _batch_for(network: FormulaNetwork, wanted: WantedData) -> Batch:
    """The test images for a network that exists. Raises UserError if they are not for it."""
    from recform.training import evaluation_batch

    images = _load(wanted)
    batch = evaluation_batch(images)
    spec = network.architecture.spec
    assert spec is not None, "a folder names the backbone"
    found = getattr(network, "num_classes", spec.num_classes), spec.in_chans
    needed = images.num_classes, batch[0].shape[1]
    if found != needed:
        raise UserError("bad-argument", f"the network has {found[0]} classes and {found[1]} "
                        f"channels, {images.name} has {needed[0]} and {needed[1]}",
                        "name the data that it is for: --data NAME")  # fmt: skip
    return batch
