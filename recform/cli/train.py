"""recform train: a network from a formula learns, and leaves a run on disk."""

from __future__ import annotations

import re
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from recform.cli.arguments import ActOption, BackboneOption, FormulaArgument, JsonOption
from recform.cli.output import print_json, talk

if TYPE_CHECKING:
    from recform.formula import Formula
    from recform.network import FormulaNetwork
    from recform.training import DataSet, Recipe, Summary


DataOption = Annotated[str, typer.Option(help="digits, cifar10, cifar100 or folder.")]
DataDirOption = Annotated[
    Path | None, typer.Option(help="Where the data lies.", show_default=False)
]
RecipeInt = Annotated[int | None, typer.Option(help="The recipe's, if left out.",
                                               show_default=False)]  # fmt: skip
RateOption = Annotated[
    float | None,
    typer.Option(help="Learning rate; the recipe's, if left out.", show_default=False),
]
LimitOption = Annotated[
    int | None, typer.Option(help="Use so many images, if given.", show_default=False)
]
RunOption = Annotated[
    Path | None,
    typer.Option(help="The run's folder; one under runs/, if left out.", show_default=False),
]
ResumeOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|PATH",
        help="Go on from the run's last checkpoint (auto), or from this one.",
        show_default=False,
    ),
]


def train(
    formula: FormulaArgument,
    backbone: BackboneOption = "resnet20_cifar",
    data: DataOption = "digits",
    data_dir: DataDirOption = None,
    epochs: RecipeInt = None,
    batch_size: RecipeInt = None,
    lr: RateOption = None,
    seed: Annotated[int, typer.Option(help="Of weights, order and augmentation.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    out: RunOption = None,
    image_size: Annotated[
        int | None,
        typer.Option(help="Side of an image; the data's, if left out.", show_default=False),
    ] = None,
    limit_train: LimitOption = None,
    limit_test: LimitOption = None,
    resume: ResumeOption = None,
    act: ActOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the network of a formula and keep all that is needed to repeat it.

    \b
    Example:  recform train resnet_s --data digits --epochs 2

    The folder of the run holds config.json, formula.rf, metrics.jsonl (one object an epoch),
    checkpoints/ and summary.json. Ctrl-C leaves a checkpoint; --resume auto goes on from it.
    """
    from recform.formula import resolve
    from recform.training import load_data, recipe_for

    parsed = resolve(formula)
    folder = out if out is not None else _default_folder(formula, backbone, data, seed)
    recipe = _recipe(recipe_for(data), epochs, batch_size, lr)
    images = load_data(
        data, data_dir, image_size=image_size, limit_train=limit_train, limit_test=limit_test
    )
    network = _network(parsed, backbone, images, seed, act)
    summary = _run(network, images, recipe, folder, seed, device, resume)
    _report(summary, folder, as_json)


def _network(
    formula: Formula, backbone: str, images: DataSet, seed: int, act: str | None
) -> FormulaNetwork:
    from recform.network import build
    from recform.training import seed_everything

    seed_everything(seed)
    network = build(formula, backbone, images.num_classes, act=act, image_size=images.image_size)
    for note in network.architecture.notes:
        talk(f"note: {note}")
    return network


def _run(
    network: FormulaNetwork,
    images: DataSet,
    recipe: Recipe,
    folder: Path,
    seed: int,
    device: str,
    resume: str | None,
) -> Summary:
    from recform.cli.progress import Bar
    from recform.training import Interrupted, train

    architecture = network.architecture
    assert architecture.spec is not None, "the command line names the backbone"
    try:
        with Bar(architecture.formula.title or str(architecture.formula), folder) as bar:
            return train(
                network,
                images,
                recipe,
                formula_text=f"{architecture.formula}\n",
                backbone=architecture.spec.name,
                out=folder,
                seed=seed,
                device=device,
                resume=resume,
                progress=bar,
                command=("recform", *sys.argv[1:]),
            )
    except Interrupted as stop:
        talk(f"interrupted in epoch {stop.epoch}; {stop.checkpoint} is written")
        talk(f"to go on: {_to_go_on(folder)}")
        raise typer.Exit(128 + stop.signum) from None


def _recipe(recipe: Recipe, epochs: int | None, batch_size: int | None, lr: float | None) -> Recipe:
    changes = {"epochs": epochs, "batch_size": batch_size, "learning_rate": lr}
    return replace(recipe, **{key: value for key, value in changes.items() if value is not None})


def _default_folder(formula: str, backbone: str, data: str, seed: int) -> Path:
    """runs/resnet_s-resnet20_cifar-digits-0; a formula's text has no name."""
    name = "formula" if "=" in formula else Path(formula).stem
    return Path("runs") / re.sub(r"[^\w.-]", "_", f"{name}-{backbone}-{data}-{seed}")


def _to_go_on(folder: Path) -> str:
    """The command that was typed, with the folder and --resume auto."""
    words = sys.argv[1:]
    if "--resume" not in words:
        words = [*words, "--resume", "auto"]
    if "--out" not in words:
        words = [*words, "--out", str(folder)]
    return shlex.join(["recform", *words])


def _report(summary: Summary, folder: Path, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(summary), "out": str(folder)})
        return
    print(f"test accuracy {summary.final_top1:.2f} % after {summary.epochs} epochs "
          f"(best {summary.best_top1:.2f} % in epoch {summary.best_epoch}), "
          f"{summary.seconds:.0f} s")  # fmt: skip
    print(f"run: {folder}")
