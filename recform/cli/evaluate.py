"""recform evaluate and recform predict: a trained network is asked."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from recform.cli.arguments import AllowCodeOption, JsonOption
from recform.cli.output import counted, print_json, table, talk
from recform.cli.train import CacheOption, DataDirOption, DeviceOption
from recform.errors import UserError

if TYPE_CHECKING:
    from recform.network import FormulaNetwork
    from recform.training import DataSet

AnyTrainedArgument = Annotated[
    str,
    typer.Argument(metavar="RUN|DIR|BACKBONE", show_default=False,
                   help="A run, a network's folder, or a timm model with published weights."),
]  # fmt: skip
TestCropOption = Annotated[
    float | None,
    typer.Option(help="Share of the shorter side; the recipe's, if left out.", show_default=False),
]
BatchOption = Annotated[int, typer.Option(help="Images at a time.")]
OwnDataOption = Annotated[
    str | None, typer.Option(help="Data set; by default the run's own.", show_default=False)
]
TrainedArgument = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run, or a network's folder.", show_default=False)
]


def evaluate(
    trained: AnyTrainedArgument,
    data: OwnDataOption = None,
    data_dir: DataDirOption = None,
    cache_gb: CacheOption = None,
    resolutions: Annotated[
        str | None,
        typer.Option(metavar="A,B,...", help="Sides of the images; the data's, if left out.",
                     show_default=False),
    ] = None,
    test_crop: TestCropOption = None,
    batch_size: BatchOption = 128,
    limit_test: Annotated[
        int | None,
        typer.Option(help="Use so many images; the run's own number, if left out.",
                     show_default=False),
    ] = None,
    all_test: Annotated[
        bool, typer.Option("--all-test", help="All test images, also where the run had fewer.")
    ] = False,
    batch_statistics: Annotated[
        bool,
        typer.Option("--batch-statistics", help="Let batch norms take the statistics of the batch, "
                     "where blocks run on several values a step."),
    ] = False,
    device: DeviceOption = "auto",
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:  # fmt: skip
    """Judge a trained network on the test images of a data set, at one or several resolutions.

    \b
    Example:  recform evaluate runs/demo/digits
              recform evaluate runs/photos --resolutions 224,256,288,320

    Of a run the best checkpoint is judged, or the one that is named, such as
    RUN/checkpoints/last.pt, on the test images that the run had (the same as with
    its --limit-test). With --json: a list of objects with image_size, top1, top5,
    loss, num_images, and of a run checkpoint, epoch, step.
    """
    from recform.training import evaluate_on, load_data, norms_of_the_batch

    if all_test and limit_test is not None:
        raise typer.BadParameter("does not go with --limit-test", param_hint="--all-test")
    asked = asked_for(trained, data, data_dir, test_crop, allow_code)
    limit = None if all_test else asked.num_test if limit_test is None else limit_test
    found = []
    for side in _sides(resolutions) or [asked.image_size]:
        with _memory_told(asked, side):
            images = load_data(asked.data, asked.directory, image_size=side, limit_test=limit,
                               cache_gb=cache_gb)  # fmt: skip
            with norms_of_the_batch(asked.network) if batch_statistics else nullcontext():
                score = evaluate_on(asked.network, asked.as_it_sees(images), device=device,
                                    batch_size=batch_size, test_crop=asked.test_crop)  # fmt: skip
        found.append({"image_size": images.image_size, **asdict(score),
                      "num_images": images.num_test, **asked.checkpoint})  # fmt: skip
    if as_json:
        print_json(found)
        return
    _print_scores(asked.data, found, asked.said)


def _memory_told(asked: Asked, side: int | None) -> AbstractContextManager[None]:
    from recform.training import memory_told

    return memory_told(
        f"the images of {asked.data}" + (f" at a side of {side} pixels" if side else ""),
        "smaller ones: --resolutions 32; fewer: --limit-test 100; less at once: --batch-size 1",
    )


def _print_scores(data: str, found: list[dict[str, Any]], said: str) -> None:
    """A row for each resolution, and what was judged on what."""
    print(table(
        (f"{data}, side", "top-1 %", "top-5 %", "loss"),
        [(str(row["image_size"]), f"{row['top1']:.2f}", f"{row['top5']:.2f}", f"{row['loss']:.3f}")
         for row in found],
    ))  # fmt: skip
    print(f"\n{counted(found[0]['num_images'], 'test image')}{said}")


def predict(
    run: TrainedArgument,
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE", help="One or more pictures.", show_default=False),
    ],
    top: Annotated[int, typer.Option(help="Name so many classes.", min=1)] = 5,
    device: DeviceOption = "auto",
    allow_code: AllowCodeOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what a trained network takes pictures for, with the names of its classes.

    \b
    Example:  recform predict runs/demo/digits seven.png

    With --json: one object a picture, with image and guesses (label, name, chance).
    """
    from recform.cli.weights import load_weights, run_of
    from recform.training import guesses

    network, _ = load_weights(run, allow_code)
    answers = guesses(network, images, _described(run_of(run)), device=device, top=top)
    if as_json:
        print_json([
            {"image": str(image), "guesses": [asdict(guess) for guess in answer]}
            for image, answer in zip(images, answers, strict=True)
        ])  # fmt: skip
        return
    for image, answer in zip(images, answers, strict=True):
        told = ", ".join(f"{guess.name} {100 * guess.chance:.1f} %" for guess in answer)
        print(f"{image}: {told}")


@dataclass(frozen=True, eq=False)
class Asked:
    """A network with weights, and the data that it is shown; the side is None for the data's.

    `normal` are the mean and deviation that published weights were trained with. `num_test` is how
    many test images the run had, `checkpoint` what file of it was read and how far it had come,
    `said` the same in words.
    """

    network: FormulaNetwork | Any
    data: str
    directory: Path | None
    image_size: int | None
    test_crop: float
    normal: tuple[tuple[float, ...], tuple[float, ...]] | None
    num_test: int | None
    checkpoint: Mapping[str, str | int]
    said: str

    def as_it_sees(self, images: DataSet) -> DataSet:
        if self.normal is None:
            return images
        return replace(images, mean=self.normal[0], deviation=self.normal[1])


def asked_for(
    trained: str,
    data: str | None,
    data_dir: Path | None,
    test_crop: float | None,
    allow_code: bool,
) -> Asked:
    """What is named on the command line; where it is silent, what the run was trained on."""
    network, trained_on, recipe = _loaded(trained, allow_code)
    name = data or (trained_on.name if trained_on else None)
    if name is None:
        raise UserError("bad-argument", f"{trained} does not say what images it is for",
                        "name a data set: --data NAME")  # fmt: skip
    own = trained_on if trained_on is not None and name == trained_on.name else None
    return Asked(
        network=network,
        data=name,
        directory=data_dir or (own.directory if own else None),
        image_size=own.image_size if own else None,
        test_crop=test_crop if test_crop is not None else recipe.get("test_crop", 1.0),
        normal=recipe.get("normal"),
        num_test=own.num_test if own else None,
        checkpoint={} if trained_on is None else {
            "checkpoint": str(trained_on.checkpoint),
            "epoch": trained_on.epoch,
            "step": trained_on.step,
        },
        said="" if trained_on is None else f"; {trained_on.checkpoint}, {trained_on.reached}",
    )  # fmt: skip


def _loaded(trained: str, allow_code: bool) -> tuple[FormulaNetwork | Any, Any, dict[str, Any]]:
    """The network, what it was trained on, and what of its recipe it is asked by."""
    folder = Path(trained)
    if folder.exists():
        from recform.cli.weights import load_weights, run_of
        from recform.training import RunFolder, read_config

        network, trained_on = load_weights(folder, allow_code)
        run = run_of(folder)
        is_run = RunFolder(run).config.is_file()
        return network, trained_on, read_config(RunFolder(run)).get("recipe", {}) if is_run else {}
    from recform.network import build

    talk(f"{trained} is no folder: taken for a backbone with its published weights")
    network = build("resnet", trained, pretrained=True)
    published: Any = network.pretrained_cfg
    return network, None, {
        "test_crop": published["crop_pct"],
        "normal": (tuple(published["mean"]), tuple(published["std"])),
    }  # fmt: skip


def _described(run: Path) -> DataSet:
    """The run's data as far as its pictures must be made alike; no image of it is read."""
    from recform.training import DataSet, Files, RunFolder, read_config

    config = read_config(RunFolder(run))
    try:
        data = config["data"]
        nothing = Files.empty(data["image_size"])
        return DataSet(data["name"], nothing, nothing, data["num_classes"], data["image_size"],
                       tuple(data["mean"]), tuple(data["deviation"]), None,
                       tuple(data["classes"]))  # fmt: skip
    except (KeyError, TypeError) as error:
        raise UserError("bad-run", f"{run} does not say how its images were normalized",
                        "train it anew: recform train") from error  # fmt: skip


def _sides(text: str | None) -> list[int]:
    if text is None:
        return []
    from recform.training.dataset import MAX_SIDE

    try:
        sides = [int(part) for part in text.split(",")]
    except ValueError:
        sides = []
    if not sides or not 1 <= min(sides) <= max(sides) <= MAX_SIDE:
        raise UserError("bad-argument", f"{text!r} is no list of sides from 1 to {MAX_SIDE:,} "
                        "pixels", "--resolutions 224,256")  # fmt: skip
    return sides
